"""What may be drawn for the explored place, and how it is told."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from recsys.assembly import assemble
from recsys.data.catalogue import Catalogue
from recsys.fitting.fit import Fitted
from recsys.live.deployment import Exploration
from recsys.pipeline.exploration import EXPLORED, Candidates, propensities, uniform
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.types import DAY_S, UNKNOWN, CustomerId, ItemId
from tests.small_shop import END

NOW = int(END.timestamp())
ASKED: Any = {
    "placement": "similar_items",
    "query_time": NOW,
    "customer_id": CustomerId("customer-01"),
    "context_item_ids": (ItemId("item-03"),),
    "limit": 3,
}
"""A list whose sources know nothing but what customers chose together."""


def candidates_of(scores: list[float], new: list[bool]) -> Candidates:
    return Candidates(
        np.arange(len(scores), dtype=np.int32),
        np.array(scores, np.float32),
        np.array(new),
        np.arange(len(scores)),
    )


def test_propensities_are_the_documented_softmax() -> None:
    settings = Exploration(temperature=0.5, new_item_days=7, new_item_boost=1.0)
    found = propensities(settings, candidates_of([0.2, 0.1, 0.0], [False, False, True]))
    odds = np.exp([1 / 0.5, 0.5 / 0.5, 0 + 1.0])
    assert found == pytest.approx(odds / odds.sum())


def test_items_without_any_score_are_drawn_evenly() -> None:
    assert propensities(Exploration(), candidates_of([0, 0], [False, False])).tolist() == [0.5] * 2


def test_seeds_are_spread_evenly() -> None:
    draws = np.array([uniform(f"{number:032x}") for number in range(10_000)])
    assert ((draws >= 0) & (draws < 1)).all()
    counts = np.histogram(draws, 10, (0, 1))[0]
    assert (np.abs(counts - 1_000) < 150).all()


@pytest.fixture(scope="module")
def with_new_items(fitted: Fitted) -> Recommender:
    """The shop with two new items that nobody has bought: 46 and 47, variants of one product."""
    plain = assemble(fitted.pipeline, "in-memory")
    times = plain.catalogue.created_times.copy()
    times[:] = NOW - 100 * DAY_S
    times[46:] = [NOW - 2 * DAY_S, NOW - DAY_S]
    times[0] = UNKNOWN
    catalogue = replace(plain.catalogue, created_times=times)
    return replace(plain, resolver=replace(plain.resolver, catalogue=catalogue))


def explored(recommender: Recommender, exploration: Exploration, **changes: object) -> set[str]:
    query = Query(**(ASKED | changes), exploration=exploration)
    answers = recommender.recommend([replace(query, seed=str(seed)) for seed in range(40)])
    return {item.item_id for each in answers for item in each.items if item.propensity}


def test_new_items_are_drawn_although_no_source_knows_them(with_new_items: Recommender) -> None:
    favour = Exploration(new_item_days=7, new_item_boost=50)
    query = Query(**ASKED, exploration=favour, seed="s")
    [answer] = with_new_items.recommend([query])
    item = answer.items[-1]
    assert item.item_id == "item-47", "the newest of its product"
    assert (item.source, item.reason.code) == (EXPLORED, "new-in-catalogue")
    assert (item.rank, item.score) == (3, 0.0)
    assert item.propensity == pytest.approx(1)
    assert answer.tier == with_new_items.recommend([replace(query, exploration=None)])[0].tier


def test_new_items_stay_behind_filters_and_age(with_new_items: Recommender) -> None:
    favour = Exploration(new_item_days=7, new_item_boost=50)
    assert explored(with_new_items, favour) == {"item-47"}
    assert "item-47" not in explored(with_new_items, favour, filter="price < 40")
    assert explored(with_new_items, favour, exclude_item_ids=("item-47",)) == {"item-46"}
    old = Exploration(new_item_days=0.5, new_item_boost=50)
    assert not explored(with_new_items, old) & {"item-46", "item-47"}
    assert not explored(with_new_items, Exploration(temperature=100)) & {"item-46", "item-47"}


def test_a_list_of_nothing_but_new_items(with_new_items: Recommender) -> None:
    favour = Exploration(new_item_days=7, candidates=2, temperature=100)
    query = Query("for_you", NOW, None, 1, exploration=favour)
    asked = [replace(query, seed=str(seed)) for seed in range(60)]
    answers = with_new_items.recommend(asked)
    assert {"item-47"} < {answer.items[0].item_id for answer in answers}
    assert all(len(answer.items) == 1 for answer in answers)


def test_one_candidate_is_not_drawn(recommender: Recommender) -> None:
    config = recommender.placement_configs["for_you"]
    query = Query("for_you", NOW, CustomerId("customer-01"), limit=500)
    request = recommender.resolver.resolve(query, config)
    groups = len(np.unique(recommender.catalogue.group_nums[request.allowed]))
    whole = replace(query, limit=groups, exploration=Exploration(), seed="s")
    [answer] = recommender.recommend([whole])
    assert len(answer.items) == groups
    assert all(item.propensity is None for item in answer.items)


def test_nothing_to_show_is_nothing_to_draw(recommender: Recommender) -> None:
    query = Query("buy_again", NOW, None, exploration=Exploration(new_item_days=500), seed="s")
    assert recommender.recommend([query])[0].items == ()


def test_catalogue_knows_when_items_came(recommender: Recommender) -> None:
    frame = recommender.catalogue.frame
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert (recommender.catalogue.created_times == int(moment.timestamp())).all()
    unknown = frame.with_columns(created_at=None).cast({"created_at": frame.schema["created_at"]})
    assert (Catalogue.from_frame(unknown).created_times == UNKNOWN).all()
