"""Check 3: FAISS under filters against brute force, on the vectors of the demo bundle."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recsys.assembly import load_recommender
from recsys.bundle import current
from recsys.data.catalogue import Catalogue
from recsys.data.state import item_weights, type_weight_array
from recsys.index.build import build_index
from recsys.index.config import IndexConfig
from recsys.index.hnsw import EXACT_SHARE
from recsys.index.protocol import VectorIndex
from recsys.models.als import AlsModel
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.sources import VectorSource
from recsys.types import UNKNOWN, BoolArray, FloatArray, NumArray
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, at_most, equal, figure

FILTERS, K = 1_000, 20
NARROWEST, WIDEST = 0.001, 0.9
TIE, RECALL = 1e-6, 0.98
SEED = 3


@dataclass(slots=True)
class Found:
    """What searches of one kind found, against brute force in double precision."""

    worst_gap: float = 0.0
    """Largest distance of a score from that of the same rank, relative to scores above 1."""
    worst_score: float = 0.0
    """Largest distance of a returned score from the item's own, in the same measure."""
    recalls: list[float] = field(default_factory=list)
    short: int = 0
    """Lists that are not full, or hold an item twice or one that the filter refuses."""


def run(room: Room) -> Iterator[Row]:
    """Asks a flat and a graph index for the same customers under the same filters."""
    recommender = load_recommender(current(room.demo_bundles()))
    model = next(s.model for s in recommender.sources.values() if isinstance(s, VectorSource))
    random = np.random.default_rng(SEED)
    queries = trained_queries(recommender, model, random)
    masks = [mask for _ in range(FILTERS // 2) for mask in filters(recommender.catalogue, random)]
    yield figure("items with a vector", len(model.item_nums))
    yield figure("filters", len(masks))
    for kind in ("flat", "hnsw"):
        room.step(f"build {kind}")
        config = IndexConfig(kind=kind)
        index = build_index(model.vectors, model.item_nums, queries[:50], config).index
        room.step(f"search {kind}")
        exact, graph = compared(index, model, queries, masks)
        yield equal(f"{kind}: wrong or short lists", exact.short + graph.short, 0)
        yield figure(f"{kind}: lists by exact scan", len(exact.recalls))
        yield at_most(f"{kind}: largest gap to brute force", exact.worst_gap, TIE)
        error = max(exact.worst_score, graph.worst_score)
        yield at_most(f"{kind}: largest error of a returned score", error, TIE)
        if graph.recalls:
            yield figure(f"{kind}: lists by graph", len(graph.recalls))
            yield at_least(f"{kind}: recall@{K} by graph", float(np.mean(graph.recalls)), RECALL)
            yield figure(f"{kind}: lowest recall@{K} by graph", min(graph.recalls))


def trained_queries(
    recommender: Recommender, model: AlsModel, random: np.random.Generator
) -> FloatArray:
    """Returns the vectors of customers drawn at random, one for each filter."""
    states, config = recommender.resolver.states, model.config
    weights = type_weight_array(config.event_weights)
    found: list[FloatArray] = []
    while len(found) < FILTERS:
        rows = states.of(int(random.integers(len(states))))
        vector = model.fold_in(*item_weights(rows, weights, config.half_life_days, states.scale))
        if vector is not None:
            found.append(vector)
    return np.array(found)


def filters(catalogue: Catalogue, random: np.random.Generator) -> Iterator[BoolArray]:
    """Yields a filter over random items, then one over whole categories, of one random width."""
    wanted = round(len(catalogue) * NARROWEST * (WIDEST / NARROWEST) ** random.random())
    scattered = np.zeros(len(catalogue), np.bool_)
    scattered[random.choice(len(catalogue), wanted, replace=False)] = True
    yield scattered
    # Whole categories in random order: what a shop filters by lies close together.
    order = random.permutation(catalogue.category_nums.max() + 1)
    places = np.argsort(order)[catalogue.category_nums]
    clustered = np.zeros(len(catalogue), np.bool_)
    clustered[np.argsort(places, kind="stable")[:wanted]] = True
    yield clustered


def compared(
    index: VectorIndex, model: AlsModel, queries: FloatArray, masks: list[BoolArray]
) -> tuple[Found, Found]:
    """Returns what was found by exact scan and what by the graph."""
    exact, graph = Found(), Found()
    vectors = model.vectors.astype(np.float64)
    for query, mask in zip(queries, masks, strict=True):
        nums, values = index.search(query[None], K, mask)
        rows = mask[model.item_nums]
        scanned = index.kind != "hnsw" or rows.mean() < EXACT_SHARE
        scores = vectors @ query.astype(np.float64)
        _judge(exact if scanned else graph, (nums[0], values[0]), scores, rows, model)
    return exact, graph


def _judge(
    found: Found,
    answer: tuple[NumArray, FloatArray],
    scores: NDArray[np.float64],
    allowed: BoolArray,
    model: AlsModel,
) -> None:
    best = np.sort(scores[allowed])[::-1][:K]
    nums, values = (part[answer[0] != UNKNOWN] for part in answer)
    places = np.searchsorted(model.item_nums, nums)
    real = allowed[places] & (model.item_nums[places] == nums)
    if len(nums) != len(best) or len(set(nums.tolist())) != len(nums) or not real.all():
        found.short += 1
        return
    mine = np.sort(scores[places])[::-1]
    if len(best):
        size = np.maximum(1.0, np.abs(best))
        found.worst_gap = max(found.worst_gap, float((np.abs(mine - best) / size).max()))
        error = np.abs(values - scores[places]) / np.maximum(1.0, np.abs(scores[places]))
        found.worst_score = max(found.worst_score, float(error.max()))
        floor = best[-1] - TIE * max(1.0, abs(best[-1]))
        found.recalls.append(float((mine >= floor).mean()))
