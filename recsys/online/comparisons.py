"""How much more one arm of an experiment brings than another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from recsys.online.figures import METRICS, by_customer, estimate
from recsys.online.ratios import Estimate, difference
from recsys.online.sample_ratio import SampleRatio, sample_ratio
from recsys.store.impressions import Noted


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much more an arm brings than the first one."""

    placement: str
    experiment: str
    arm: str
    control: str
    """The first arm of the definition."""
    metric: str
    """One of `METRICS`."""
    value: Estimate
    control_value: Estimate
    difference: Estimate

    @property
    def change(self) -> float | None:
        """Returns the difference as a part of the control's value; None: that is 0."""
        base = self.control_value.value
        return self.difference.value / base if base else None


def comparisons(rows: pl.DataFrame, experiments: Sequence[Noted]) -> Iterator[Comparison]:
    """Yields for each placement and experiment every arm against the first, in each metric.

    Args:
        rows: impressions with what followed, as `outcomes` returns them.
        experiments: definitions, which order the arms; the newest one of a name counts.
    """
    order = {noted.name: list(noted.arms) for noted in experiments}
    tested = rows.filter(pl.col("experiment") != "").group_by("placement", "experiment")
    by_test = {(str(placement), str(name)): part for (placement, name), part in tested}
    for (placement, name), part in sorted(by_test.items(), key=lambda test: test[0]):
        seen = set(part["arm"].to_list())
        arms = [arm for arm in order.get(name, []) if arm in seen]
        arms += sorted(seen - set(arms))
        sums = {arm: by_customer(part.filter(pl.col("arm") == arm)) for arm in arms}
        for arm in arms[1:]:
            for metric in METRICS:
                yield Comparison(
                    placement=placement,
                    experiment=name,
                    arm=arm,
                    control=arms[0],
                    metric=metric,
                    value=estimate(metric, sums[arm]),
                    control_value=estimate(metric, sums[arms[0]]),
                    difference=_difference(metric, sums[arm], sums[arms[0]]),
                )


def sample_ratios(shown: pl.DataFrame, experiments: Sequence[Noted]) -> Iterator[SampleRatio]:
    """Yields a test for each definition that assigned anybody: weights may have changed."""
    for noted in experiments:
        assigned = (
            shown.filter(
                pl.col("experiment_version") == noted.version, pl.col("subject").is_not_null()
            )
            .select("subject", "arm")
            .unique()
        )
        if len(assigned):
            counts = dict(assigned["arm"].value_counts().iter_rows())
            crossed = int((assigned["subject"].value_counts()["count"] > 1).sum())
            yield sample_ratio(noted.name, noted.version, noted.arms, counts, crossed=crossed)


def _difference(metric: str, sums: pl.DataFrame, control: pl.DataFrame) -> Estimate:
    column, factor, _ = METRICS[metric]
    # A visitor and the customer who it turned out to be may have been in two arms.
    joined = control.join(sums, on="customer", how="full", coalesce=True, suffix="_arm")
    both = joined.sort("customer").fill_null(0.0)
    return difference(
        both[f"{column}_arm"].to_numpy(),
        both["impressions_arm"].to_numpy(),
        both[column].to_numpy(),
        both["impressions"].to_numpy(),
    ).times(factor)
