"""Fits the rankers of placements on rows made at past cut-offs.

The sources and every statistic behind a row are fitted on events before the row's cut-off; what
happened within a horizon after it makes the label. The ranker then works on sources refitted on
everything: their scores keep their meaning, since each is a share of its own best.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.assembly import FitConfig, FittedPipeline, assemble
from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.interactions import Interactions
from recsys.data.splits import known_at
from recsys.data.state import type_weight_array
from recsys.errors import DataError
from recsys.fitting.first_stage import Steps, fit_first_stage
from recsys.fitting.reduce import needed
from recsys.pipeline.features import item_table
from recsys.pipeline.query import Query
from recsys.pipeline.ranker import Ranker, RankerConfig, ranker_rows
from recsys.pipeline.recommender import Recommender
from recsys.types import CustomerId, FloatArray, ItemId, NumArray

LEVELS = 31
"""Grades that labels are rounded to: LightGBM's own limit."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Graded candidates of customers at one cut-off."""

    customer_ids: tuple[CustomerId, ...]
    """Whose rows; they lie behind each other."""
    sizes: NumArray
    """Shape (customers,): rows of each."""
    item_ids: tuple[ItemId, ...]
    """The candidate of each row, a customer's in the blend's order."""
    features: FloatArray
    """Shape (rows, features)."""
    gains: FloatArray
    """Shape (rows,), at least 0."""


def fit_rankers(dataset: Dataset, pipeline: FittedPipeline, *, steps: Steps) -> dict[str, Ranker]:
    """Fits the ranker of every placement that has one configured.

    Args:
        dataset: what the pipeline was fitted on.
        pipeline: the first stage, fitted on everything.
        steps: times every part.

    Returns:
        By placement; one whose cut-offs have no row to learn from is left out, and the placement
        keeps its blend.
    """
    wanted = {
        name: placement.ranker
        for name, placement in pipeline.config.placements.items()
        if placement.ranker is not None
    }
    collected: dict[str, list[Rows]] = {name: [] for name in wanted}
    end_time = pipeline.states.scale.reference_time
    for cut_off, horizon, names in _cut_offs(wanted, end_time):
        label = datetime.fromtimestamp(cut_off, UTC)
        with steps.step(f"ranker rows at {label:%Y-%m-%d}"):
            for name, rows in rows_at(dataset, pipeline.config, cut_off, horizon, names).items():
                collected[name].append(rows)
    rankers: dict[str, Ranker] = {}
    for name, config in wanted.items():
        if collected[name]:
            with steps.step(f"ranker {name}"):
                columns = pipeline.config.placements[name].ranker_features()
                rankers[name] = _fit_trees(config, columns, collected[name])
    return rankers


def _cut_offs(
    wanted: Mapping[str, RankerConfig], end_time: int
) -> Iterator[tuple[int, int, list[str]]]:
    """Yields every cut-off, its horizon's end, and the placements that have rows there."""
    moments: dict[tuple[int, int], list[str]] = {}
    for name, config in wanted.items():
        horizon = int(timedelta(days=config.horizon_days).total_seconds())
        for place in range(config.cut_offs):
            start = end_time - (place + 1) * horizon
            moments.setdefault((start, start + horizon), []).append(name)
    for (start, end), names in sorted(moments.items()):
        yield start, end, names


def rows_at(
    dataset: Dataset,
    config: FitConfig,
    cut_off: int,
    horizon_end: int,
    placements: list[str],
) -> dict[str, Rows]:
    """Makes the rows of some placements at one cut-off.

    Args:
        dataset: events; those before the cut-off make features, those up to the horizon labels.
        config: what to fit.
        cut_off: Unix seconds.
        horizon_end: Unix seconds.
        placements: names of placements with a ranker.

    Returns:
        By placement; none where there are no events on one of the sides.
    """
    moment = datetime.fromtimestamp(cut_off, UTC)
    try:
        past = fit_first_stage(
            known_at(dataset, moment),
            needed(config, placements),
            end_time=moment,
            steps=Steps(),
        ).pipeline
    except DataError:
        return {}  # the shop is younger than this cut-off
    recommender = assemble(past, "cut-off")
    table = item_table(past.states, past.catalogue)
    found: dict[str, Rows] = {}
    for name, placement in past.config.placements.items():
        if placement.ranker is None:
            continue
        future = _future(dataset, past.catalogue, cut_off, horizon_end, placement.ranker)
        rows = _graded(recommender, table, name, future)
        if rows:
            found[name] = rows
    return found


def _graded(
    recommender: Recommender,
    table: FloatArray,
    placement: str,
    future: Iterable[tuple[CustomerId, NumArray, FloatArray]],
) -> Rows | None:
    """Asks for candidates at the cut-off and grades them; None where none was chosen later.

    Customers who chose no candidate are left out: their order teaches nothing.
    """
    config = recommender.placement_configs[placement].ranker
    if config is None:
        return None
    customer_ids, lists, parts, grades = [], [], [], []
    for customer_id, item_nums, gains in future:
        now = recommender.trained_until
        query = Query(placement, now, customer_id=customer_id, limit=1)
        request, pool, ranked = recommender.first_stage(query)
        best, rows = ranker_rows(config, request, ranked, pool, table)
        graded = _gains_of(best.item_nums, item_nums, gains)
        if graded.any():
            customer_ids.append(customer_id)
            lists.append(best.item_nums)
            parts.append(rows)
            grades.append(graded)
    if not parts:
        return None
    return Rows(
        customer_ids=tuple(customer_ids),
        sizes=np.array([len(part) for part in parts], dtype=np.int32),
        item_ids=tuple(recommender.catalogue.items.ids(np.concatenate(lists))),
        features=np.concatenate(parts),
        gains=np.concatenate(grades),
    )


def _future(
    dataset: Dataset, catalogue: Catalogue, cut_off: int, horizon_end: int, config: RankerConfig
) -> Iterator[tuple[CustomerId, NumArray, FloatArray]]:
    """Yields sampled customers of the horizon, the items they chose and what each is worth."""
    start, end = datetime.fromtimestamp(cut_off, UTC), datetime.fromtimestamp(horizon_end, UTC)
    within = (pl.col("event_time") >= start) & (pl.col("event_time") < end)
    try:
        log = Interactions.from_events(
            dataset.events.filter(within), items=catalogue.items, end_time=horizon_end
        )
    except DataError:
        return
    worth = (
        type_weight_array(config.labels)[log.event_types]
        * _values(catalogue, config)[log.item_nums]
    )
    best = (
        pl.DataFrame({"customer": log.customer_nums, "item": log.item_nums, "worth": worth})
        .filter(pl.col("worth") > 0)
        .group_by("customer", "item")
        .agg(pl.col("worth").max())
        .sort("customer", "item")
    )
    customers, starts = np.unique(best["customer"].to_numpy(), return_index=True)
    ends = np.append(starts[1:], len(best))
    rng = np.random.default_rng(config.seed)
    chosen = np.sort(rng.permutation(len(customers))[: config.customers])
    items, worths = best["item"].to_numpy(), best["worth"].to_numpy()
    for place in chosen.tolist():
        rows = slice(starts[place], ends[place])
        yield log.customers.id(int(customers[place])), items[rows], worths[rows]


def _values(catalogue: Catalogue, config: RankerConfig) -> FloatArray:
    """Returns what labels are multiplied by, shape (items,).

    An item whose price or cost the catalogue does not have is worth the mean of the others.
    """
    if config.value == "none":
        return np.ones(len(catalogue), dtype=np.float32)
    money = catalogue.frame["price"].cast(pl.Float64)
    if config.value == "margin":
        money = money - catalogue.frame["cost"].cast(pl.Float64)
    worth = np.log1p(np.maximum(money.to_numpy(), 0.0))
    unknown = np.isnan(worth)
    worth[unknown] = 1.0 if unknown.all() else worth[~unknown].mean()
    values: FloatArray = worth.astype(np.float32)
    return values


def _gains_of(candidates: NumArray, item_nums: NumArray, gains: FloatArray) -> FloatArray:
    """Returns the gain of each candidate, 0 where the customer did not choose it."""
    places = np.searchsorted(item_nums, candidates)
    places[places == len(item_nums)] = 0
    found: FloatArray = np.where(item_nums[places] == candidates, gains[places], 0)
    return found


def _fit_trees(config: RankerConfig, names: tuple[str, ...], parts: list[Rows]) -> Ranker:
    """Fits LambdaMART; the same rows give the same trees."""
    import lightgbm  # noqa: PLC0415

    gains = np.concatenate([part.gains for part in parts])
    top = float(gains.max())
    grades: NDArray[np.int32] = np.ceil(gains / top * (LEVELS - 1)).astype(np.int32)
    rows = lightgbm.Dataset(
        np.concatenate([part.features for part in parts]),
        label=grades,
        group=np.concatenate([part.sizes for part in parts]),
        feature_name=[f"f{place}" for place in range(len(names))],
    )
    trees = lightgbm.train(
        {
            "objective": "lambdarank",
            "lambdarank_truncation_level": 30,
            "label_gain": [level / (LEVELS - 1) for level in range(LEVELS)],
            "learning_rate": config.learning_rate,
            "num_leaves": config.leaves,
            "min_data_in_leaf": config.least_rows,
            "feature_fraction": 0.7,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "seed": config.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        },
        rows,
        num_boost_round=config.trees,
    )
    return Ranker(config, names, trees.model_to_string())
