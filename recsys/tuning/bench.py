"""The training side of a split, read once, and the customers that every model is asked about."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.assembly import FitConfig, FittedPipeline, assemble
from recsys.choice.choose import questions
from recsys.choice.costs import expected_seconds
from recsys.choice.gather import EXACT, LEAST_CUSTOMERS, Variant
from recsys.data.catalogue import Catalogue
from recsys.data.splits import Split
from recsys.data.state import CustomerStates
from recsys.errors import DataError
from recsys.fitting.first_stage import fit_index, training_side
from recsys.models.protocol import TrainingData
from recsys.pipeline.placements import PlacementConfig
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.protocols.cases import Cases
from recsys.protocols.mask import Mask, with_mask
from recsys.tuning.columns import DEPTH, Column, column_of
from recsys.types import NumArray


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The customers of one placement, in an order that makes any first part of them fair."""

    placement: PlacementConfig
    cases: Cases
    queries: Sequence[Query]
    truths: Sequence[NumArray]
    """Of each: the right items' numbers in the catalogue, ascending."""


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """Fits models one at a time and asks them."""

    catalogue: Catalogue
    data: TrainingData
    asked: Mapping[str, Asked]
    """By placement."""
    timeless: bool
    """Everything happened at one moment."""

    def expected_seconds(self, variant: Variant) -> float:
        """Returns about how long a fit takes, where nothing is known of its kin."""
        pairs = len(self.data.states.rows.item_nums)
        return expected_seconds(variant.algorithm, pairs, len(self.catalogue))

    def fit(self, variant: Variant) -> Recommender:
        """Fits a model; the recommender has one source of the variant's name, no placement.

        Raises:
            DataError: the model cannot be fitted on these data.
            ConfigError: its settings do not suit them, or a package is missing.
        """
        half_life = variant.algorithm.half_life_days
        states = CustomerStates.from_interactions(
            self.data.interactions, [] if half_life is None else [half_life]
        )
        data = TrainingData(self.data.interactions, states, self.data.segments, self.catalogue)
        model = variant.algorithm.fit(data)
        indexes = {}
        if variant.source.kind == "vectors":
            exact = variant.source.model_copy(update={"index": EXACT})
            indexes[variant.name] = fit_index(exact, model, states).index
        config = FitConfig(
            models={variant.name: variant.algorithm},
            sources={variant.name: variant.source},
            placements={},
        )
        pipeline = FittedPipeline(
            config=config,
            catalogue=self.catalogue,
            customers=data.interactions.customers,
            states=states,
            segments=data.segments,
            models={variant.name: model},
            indexes=indexes,
        )
        return assemble(pipeline, "tuning")

    def ask(self, recommender: Recommender, name: str, placement: str) -> Iterator[Column]:
        """Yields what a source says to the first customers, and then to the others, if any."""
        asked, source = self.asked[placement], recommender.sources[name]
        for part in (slice(0, LEAST_CUSTOMERS), slice(LEAST_CUSTOMERS, None)):
            lists = [
                source.scores(recommender.resolver.resolve(query, asked.placement)).best(DEPTH)
                for query in asked.queries[part]
            ]
            if lists:
                yield column_of(lists)


def bench_of(
    split: Split, base: FitConfig, placements: Sequence[str], mask: Mask | None, seed: int
) -> Bench:
    """Reads a split.

    Args:
        split: an inner split: what happens after its cutoff is chosen by.
        base: whose placements say what may be shown.
        placements: those that are tuned; without those that nobody can be asked for.
        mask: what lists leave out, where it is not what the placement does by itself.
        seed: of the sampled customers.

    Raises:
        DataError: no customer can be asked, or the training side has no usable event.
    """
    cases = questions(split, placements, mask, seed)
    if not cases:
        message = f"no customer has a right answer for {' or '.join(placements) or 'anything'}"
        raise DataError(message)
    catalogue, data = training_side(split.train, (), base.segment_columns, split.cutoff)
    numbers = catalogue.items.numbers(split.items.series())
    configs = with_mask(base.placements, mask)
    times = data.interactions.times
    return Bench(
        catalogue,
        data,
        {name: _asked(configs[name], theirs, numbers) for name, theirs in cases.items()},
        timeless=bool(times[0] == times[-1]),
    )


def _asked(placement: PlacementConfig, cases: Cases, numbers: NumArray) -> Asked:
    order = np.random.default_rng(0).permutation(len(cases)).tolist()
    starts, ends = cases.truth_offsets[:-1], cases.truth_offsets[1:]
    return Asked(
        placement,
        cases,
        [cases.queries[row] for row in order],
        [np.sort(numbers[cases.truth_item_nums[starts[row] : ends[row]]]) for row in order],
    )
