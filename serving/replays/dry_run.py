"""What another deployment file would have changed about lists that were logged, and at what cost.

Both lists of a request are made again from what was there then, without experiments and draws:
they differ by the two files alone. What an item is worth to a customer is its score by the
placement's sources and ranker before any rule; a list's predicted relevance sums them, each
divided by log2(rank + 1) (Järvelin and Kekäläinen, Cumulated gain-based evaluation, 2002).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from math import log2
from typing import Any

from recsys.errors import RecsysError, StoreError
from recsys.live.deployment import Deployment
from recsys.live.rules import UNTUNED
from recsys.pipeline.arrangement import arrange
from recsys.pipeline.query import Query, Recommendations, RecommendedItem
from recsys.pipeline.recommender import Recommender
from recsys.store.impressions import Impression
from recsys.types import ItemId
from serving.answering.answers import recommended
from serving.replays.past import GoneError, Moment, Past

EXAMPLES = 5
"""Changed lists that a report shows."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One request answered by the file of then and by the other."""

    request_id: str
    placement: str
    without: Sequence[RecommendedItem]
    """By the file of then."""
    given: Sequence[RecommendedItem]
    """By the other."""
    relaxed: Sequence[str]
    """Rules of the other that gave way."""
    kept: float | None
    """Predicted relevance of the other's list as a share of the first's; None: it has none."""
    facts: Mapping[ItemId, tuple[str, float | None, float | None]]
    """Category, price and margin of the items."""


def compare(moment: Moment, deployment: Deployment) -> Compared:
    """Answers one logged request by both files.

    Raises:
        GoneError: something is gone that the answer was made from.
        RecsysError: one of the files cannot answer it.
    """
    (asked, control, without), (_, _, given) = (
        _answered(moment, each) for each in (moment.deployment, deployment)
    )
    ids = list(dict.fromkeys(item.item_id for item in (*without.items, *given.items)))
    worth = _worth(control, asked, ids)
    before, after = _relevance(without.items, worth), _relevance(given.items, worth)
    return Compared(
        moment.logged.request_id,
        moment.logged.placement,
        without.items,
        given.items,
        given.relaxed_rules,
        after / before if before > 0 else None,
        _facts(control, (*without.items, *given.items)),
    )


def _answered(
    moment: Moment, deployment: Deployment
) -> tuple[Query, Recommender, Recommendations]:
    plain = deployment.model_copy(update={"experiments": {}, "exploration": {}})
    arrangement = arrange(plain, moment.control, {})
    known = moment.known(arrangement)
    [told] = recommended([known], [moment.logged.request_id])
    return known.query, known.choice.recommender, told


def _worth(control: Recommender, asked: Query, ids: Sequence[ItemId]) -> Mapping[ItemId, float]:
    """Returns the scores of items by the placement, whatever rules and filters say."""
    if not ids:
        return {}
    plain = replace(
        asked,
        filter="",
        filter_name="",
        filter_parameters=(),
        rules=None,
        tuning=UNTUNED,
        exploration=None,
        only_item_ids=tuple(ids),
        exclude_item_ids=(),
        limit=len(ids),
    )
    [told] = control.recommend([plain])
    return {item.item_id: item.score for item in told.items}


def _relevance(items: Sequence[RecommendedItem], worth: Mapping[ItemId, float]) -> float:
    return sum(worth.get(item.item_id, 0.0) / log2(item.rank + 1) for item in items)


def _facts(
    control: Recommender, items: Iterable[RecommendedItem]
) -> Mapping[ItemId, tuple[str, float | None, float | None]]:
    nums = {item.item_id: item.item_num for item in items}
    rows = control.catalogue.frame.select("category", "price", "cost")[list(nums.values())]
    found = {}
    for item_id, (path, price, cost) in zip(nums, rows.iter_rows(), strict=True):
        margin = None if price is None or cost is None else price - cost
        found[item_id] = (" > ".join(path or ()), price, margin)
    return found


@dataclass(slots=True)
class DryRun:
    """What comes of all requests together."""

    answers: int = 0
    """Requests that were answered by both files."""
    changed: int = 0
    """Of these, with another list."""
    added: int = 0
    removed: int = 0
    moved: int = 0
    """Items in both lists, at another rank."""
    places: int = 0
    """Of all first lists."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Requests that could not be answered again, by what is gone or refused."""
    kept: list[float] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)
    """Items that a rule of the other file put, moved or took, by rule."""
    relaxed: Counter[str] = field(default_factory=Counter)
    """Lists for which a rule gave way."""
    categories: tuple[Counter[str], Counter[str]] = field(
        default_factory=lambda: (Counter(), Counter())
    )
    prices: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    margins: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    examples: list[Compared] = field(default_factory=list)

    def add(self, one: Compared) -> None:
        """Counts one request."""
        ranks = [{item.item_id: item.rank for item in items} for items in (one.without, one.given)]
        self.answers += 1
        self.places += len(one.without)
        if ranks[0] != ranks[1]:
            self.changed += 1
            if len(self.examples) < EXAMPLES:
                self.examples.append(one)
        self.added += len(ranks[1].keys() - ranks[0].keys())
        self.removed += len(ranks[0].keys() - ranks[1].keys())
        both = ranks[0].keys() & ranks[1].keys()
        self.moved += sum(ranks[0][item_id] != ranks[1][item_id] for item_id in both)
        if one.kept is not None:
            self.kept.append(one.kept)
        self.rules.update(move.rule for item in one.given for move in item.moves)
        self.relaxed.update(one.relaxed)
        for side, items in enumerate((one.without, one.given)):
            for item in items:
                category, price, margin = one.facts[item.item_id]
                self.categories[side][category] += 1
                self.prices[side].extend([] if price is None else [price])
                self.margins[side].extend([] if margin is None else [margin])

    @property
    def relevance_lost(self) -> float | None:
        """Mean share of a list's predicted relevance that goes; below 0: it grows."""
        return 1 - sum(self.kept) / len(self.kept) if self.kept else None

    def document(self) -> dict[str, Any]:
        """Returns all figures in the words of JSON."""
        names = sorted(
            self.categories[0].keys() | self.categories[1].keys(),
            key=lambda name: (-abs(self.categories[1][name] - self.categories[0][name]), name),
        )
        return {
            "answers": self.answers,
            "changed": self.changed,
            "skipped": dict(self.skipped),
            "places": self.places,
            "items": {"added": self.added, "removed": self.removed, "moved": self.moved},
            "relevance_lost": self.relevance_lost,
            "rules": dict(self.rules.most_common()),
            "relaxed_rules": dict(self.relaxed.most_common()),
            "mean_price": _means(self.prices),
            "mean_margin": _means(self.margins),
            "categories": [
                {
                    "category": name,
                    "without": self.categories[0][name],
                    "with": self.categories[1][name],
                }
                for name in names
            ],
            "examples": [_example(one) for one in self.examples],
        }


def dry_run(past: Past, logged: Iterable[Impression], deployment: Deployment) -> DryRun:
    """Answers logged requests by the file of then and by another.

    Raises:
        StoreError: the store cannot be read.
    """
    found = DryRun()
    for each in logged:
        try:
            found.add(compare(past.moment(each), deployment))
        except GoneError as error:
            found.skipped[error.part] += 1
        except StoreError:
            raise
        except RecsysError as error:
            found.skipped[error.reason] += 1
    return found


def _means(sides: tuple[list[float], list[float]]) -> dict[str, float | None]:
    without, given = (sum(side) / len(side) if side else None for side in sides)
    return {"without": without, "with": given}


def _example(one: Compared) -> dict[str, Any]:
    return {
        "request_id": one.request_id,
        "placement": one.placement,
        "relevance_lost": None if one.kept is None else 1 - one.kept,
        "places": [
            {
                "rank": rank,
                "without": old.item_id if old else None,
                "with": new.item_id if new else None,
                "rules": [move.rule for move in new.moves] if new else [],
            }
            for rank, (old, new) in enumerate(zip_longest(one.without, one.given), start=1)
        ],
    }
