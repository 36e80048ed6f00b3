"""Check 3: explanations add up, for customers and items drawn at random."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from recsys.assembly import load_recommender
from recsys.bundle import current
from recsys.pipeline.explanation import Explanation
from recsys.pipeline.query import Query, RecommendedItem
from recsys.pipeline.recommender import Recommender
from recsys.types import CustomerId, ItemId
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, at_most, equal

PAIRS = 1_000
MOST = 1e-5
RANKED = """
[models.taste]
kind = "{kind}"

[placements.for_you]
sources = [
  {{ name = "repurchase", weight = 1.0 }},
  {{ name = "taste", weight = 0.2 }},
  {{ name = "popular", weight = 0.1 }},
  {{ name = "same_customers", weight = 0.05 }},
]
fill = ["popular_in_segment", "popular"]
ranker = {{ customers = 300, cut_offs = 1 }}
"""


class Pair(NamedTuple):
    """A customer and an item, and how far its sums are from what they explain."""

    features: float
    sources: float
    history: float
    has_history: bool


@dataclass(slots=True)
class Sums:
    """What was found of all pairs."""

    pairs: list[Pair] = field(default_factory=list)

    def worst(self, name: str) -> float:
        return max(getattr(pair, name) for pair in self.pairs)


def run(room: Room) -> Iterator[Row]:
    """Explains items drawn at random, and those of lists, over both models of taste vectors."""
    with TemporaryDirectory(prefix="recsys-3-") as folder:
        for kind in ("als", "ials"):
            loaded = fitted(room, Path(folder), kind)
            room.step(f"{kind}: {PAIRS:,} customers and items")
            drawn, listed = drawn_pairs(loaded), listed_pairs(loaded)
            for name, found in (("drawn", drawn), ("of lists", listed)):
                what = f"{kind}, items {name}"
                yield equal(f"{what}: pairs", len(found.pairs), PAIRS)
                for part in ("features", "sources", "history"):
                    yield at_most(f"{what}: {part}: worst", found.worst(part), MOST)
            shares = np.mean([pair.has_history for pair in listed.pairs])
            yield at_least(f"{kind}: share of list items with a history", float(shares), 0.5)


def fitted(room: Room, folder: Path, kind: str) -> Recommender:
    """Fits the demo data with trees in for_you."""
    config, bundles = folder / f"{kind}.toml", folder / kind
    config.write_text(RANKED.format(kind=kind), encoding="utf-8")
    words = ["-m", "training", "run", "--no-choose", "--data", room.demo_data()]
    room.must(f"explained-{kind}", *words, "--config", config, "--bundles", bundles)
    return load_recommender(current(bundles))


def drawn_pairs(recommender: Recommender) -> Sums:
    """Explains one item of the shop to each customer, whatever a list would show."""
    random, found = np.random.default_rng(17), Sums()
    shown = np.flatnonzero(recommender.resolver.eligibility.mask("", None))
    for customer_id in customers(recommender, random):
        item_id = recommender.catalogue.items.id(int(random.choice(shown)))
        found.pairs.append(sums(recommender, customer_id, (item_id,)))
    return found


def listed_pairs(recommender: Recommender) -> Sums:
    """Explains one item of each customer's list."""
    random, found = np.random.default_rng(18), Sums()
    for customer_id in customers(recommender, random):
        found.pairs.append(sums(recommender, customer_id, (), int(random.integers(0, 10))))
    return found


def customers(recommender: Recommender, random: np.random.Generator) -> list[CustomerId]:
    """Returns customers drawn at random."""
    known = recommender.resolver.customers
    return [known.id(int(num)) for num in random.integers(0, len(known), PAIRS)]


def sums(
    recommender: Recommender, customer_id: CustomerId, given: tuple[ItemId, ...], place: int = 0
) -> Pair:
    """Holds the explanation of one item against scores that are computed without it."""
    query = Query(
        "for_you", recommender.trained_until, customer_id, only_item_ids=given, explain=True
    )
    [told] = recommender.recommend([query])
    item = told.items[place]
    explanation = item.explanation
    if explanation is None:
        raise AssertionError("an explanation was asked for")
    return Pair(
        _features(item, explanation),
        abs(sum(part.value for part in explanation.sources) - explanation.blend_score),
        _history(recommender, query, item, explanation),
        has_history=bool(explanation.history),
    )


def _features(item: RecommendedItem, told: Explanation) -> float:
    """Returns how far base and features are from the trees' score, and that from the item's."""
    if not told.features:
        return 0.0
    total = told.ranker_base + sum(part.value for part in told.features)
    squashed = 1 / (1 + np.exp(-total))
    return max(abs(total - told.ranker_score), abs(float(squashed) - item.score))


def _history(
    recommender: Recommender, query: Query, item: RecommendedItem, told: Explanation
) -> float:
    """Returns how far the history is from the score that the taste source serves."""
    request = recommender.resolver.resolve(query, recommender.placement_configs["for_you"])
    served = recommender.sources["taste"].scores(request).of(np.array([item.item_num], np.int32))
    return abs(sum(part.value for part in told.history) - float(served[0]))
