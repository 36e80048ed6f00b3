"""What a merchandiser sees of rules: the list, what moved, what gave way."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from recsys.errors import InvalidFilterError, InvalidQueryError
from recsys.live.deployment import Exploration
from recsys.live.filter_parameters import to_parameters
from recsys.live.rules import NamedFilter, Rule, RuleMove, RuleSet, Strictness, Tuning
from recsys.pipeline.diversity import likenesses
from recsys.pipeline.query import Query, Recommendations
from recsys.pipeline.recommender import Recommender
from recsys.types import CustomerId, ItemId
from tests.small_shop import END

NOW = int(END.timestamp())
_RULES: TypeAdapter[dict[str, Rule]] = TypeAdapter(dict[str, Rule])
QUERY = Query("for_you", NOW, CustomerId("customer-01"), limit=8)
TEA = "'Tea' IN category"


def ruled(query: Query = QUERY, **rules: dict[str, Any]) -> Query:
    """Returns the query with rules by name."""
    filters = {"cheap": NamedFilter(sql="price < :most")}
    return replace(query, rules=RuleSet(_RULES.validate_python(rules), filters))


def ids(told: Recommendations) -> list[str]:
    return [item.item_id for item in told.items]


def moves(told: Recommendations) -> dict[str, tuple[RuleMove, ...]]:
    return {item.item_id: item.moves for item in told.items if item.moves}


def test_rules_that_say_nothing_leave_the_list_as_it_is(recommender: Recommender) -> None:
    [plain, filters, later, untuned] = recommender.recommend(
        [
            QUERY,
            ruled(),
            ruled(no={"kind": "exclude", "filter": TEA, "start_time": "2030-01-01T00:00:00Z"}),
            replace(QUERY, tuning=Tuning(diversity=0, freshness=0, popularity=0)),
        ]
    )
    assert plain == filters == later == untuned


def test_a_pin_says_where_the_item_was(recommender: Recommender) -> None:
    [plain] = recommender.recommend([QUERY])
    fourth = plain.items[3].item_id
    told = recommender.recommend(
        [
            ruled(
                top={"kind": "pin", "item_id": fourth, "position": 1},
                new={"kind": "pin", "item_id": "item-41", "position": 3},
                gone={"kind": "pin", "item_id": "item-04", "position": 2},  # not available
                far={"kind": "pin", "item_id": "item-12", "position": 9},
            )
        ]
    )[0]
    rest = [item for item in ids(plain) if item != fourth]
    assert ids(told) == [fourth, rest[0], "item-41", *rest[1:6]]
    assert moves(told) == {
        fourth: (RuleMove("top", 4, 1),),
        "item-41": (RuleMove("new", 0, 3),),
    }
    assert told.items[0].source == plain.items[3].source
    assert told.items[0].reason == plain.items[3].reason


def test_a_pinned_item_that_no_source_gave_is_the_shops_choice(recommender: Recommender) -> None:
    query = replace(QUERY, placement="buy_again")
    tea = replace(query, filter=TEA)
    assert recommender.recommend([tea])[0].items == ()
    told = recommender.recommend(
        [
            ruled(
                replace(QUERY, filter="price < 4"),
                p={"kind": "pin", "item_id": "item-00", "position": 5},
            )
        ]
    )[0]
    pinned = told.items[-1]
    assert (pinned.item_id, pinned.rank) == ("item-00", len(told.items))


def test_moves_follow_an_item_through_the_rules(recommender: Recommender) -> None:
    [plain] = recommender.recommend([QUERY])
    second, third = plain.items[1].item_id, plain.items[2].item_id
    told = recommender.recommend(
        [
            ruled(
                up={"kind": "boost", "item_ids": [third], "factor": 20},
                down={"kind": "bury", "item_ids": [second], "factor": 500},
                pinned={"kind": "pin", "item_id": ids(plain)[4], "position": 1},
            )
        ]
    )[0]
    assert ids(told)[:2] == [ids(plain)[4], third]
    assert moves(told)[third] == (RuleMove("up", 3, 1),)
    assert moves(told)[ids(plain)[4]] == (RuleMove("pinned", 4, 1),)
    assert second not in ids(told)


def test_bounds_name_whom_they_let_up(recommender: Recommender) -> None:
    [plain] = recommender.recommend([QUERY])
    told = recommender.recommend(
        [ruled(few={"kind": "at-most", "column": "brand", "count": 2, "strict": True})]
    )[0]
    brands = dict(recommender.catalogue.frame.select("item_id", "brand").iter_rows())
    counted = [brands[item] for item in ids(told) if brands[item] is not None]
    assert max(counted.count(brand) for brand in counted) == 2
    for item in told.items:
        was = ids(plain).index(item.item_id) + 1 if item.item_id in ids(plain) else 0
        expected = () if was == item.rank else (RuleMove("few", was, item.rank),)
        assert item.moves == expected


def test_a_list_stays_full_unless_it_must_not(recommender: Recommender) -> None:
    near = {"kind": "price-band", "least": 0.9, "most": 1.1}
    soft = recommender.recommend([ruled(near=near)])[0]
    strict = recommender.recommend([ruled(near={**near, "strict": True})])[0]
    asked = recommender.recommend([replace(ruled(near=near), strictness=Strictness.STRICT)])[0]
    forced = recommender.recommend(
        [replace(ruled(near={**near, "strict": True}), strictness=Strictness.FILL)]
    )[0]
    assert len(soft.items) == 8
    assert soft.relaxed_rules == ("near",)
    assert forced == soft
    assert 0 < len(strict.items) < 8
    assert strict == asked
    assert ids(soft)[: len(strict.items)] == ids(strict)
    assert strict.relaxed_rules == ()
    for item in soft.items[len(strict.items) :]:
        assert item.moves == (RuleMove("near", 0, item.rank),)
        assert item.score == 0


def test_diversity_puts_unlike_items_next_to_each_other(recommender: Recommender) -> None:
    [plain] = recommender.recommend([QUERY])
    varied = [
        recommender.recommend([replace(QUERY, tuning=Tuning(diversity=level))])[0]
        for level in (0.25, 0.5, 0.75, 1.0)
    ]

    alike = likenesses(recommender.catalogue, recommender.sources, ())

    def likeness(told: Recommendations) -> float:
        nums = np.array([item.item_num for item in told.items], dtype=np.int32)
        among = alike.among(nums)
        return float(np.mean([among.to(row).sum() - 1 for row in range(len(nums))]))

    assert ids(varied[0])[0] == ids(plain)[0]
    assert likeness(plain) > likeness(varied[1]) > likeness(varied[3])
    assert any(move.rule == "diversity" for item in varied[-1].items for move in item.moves)
    assert len({tuple(ids(told)) for told in (plain, *varied)}) >= 3


def test_popularity_leans_both_ways(recommender: Recommender) -> None:
    frame = recommender.resolver.states.rows
    buyers = np.bincount(frame.item_nums, minlength=len(recommender.catalogue))

    def mean(level: float) -> float:
        query = replace(QUERY, placement="discover", tuning=Tuning(popularity=level))
        told = recommender.recommend([query])[0]
        return float(np.mean([buyers[item.item_num] for item in told.items]))

    assert mean(-1) < mean(0) < mean(1)


def test_a_query_overrules_the_tuning_of_the_file(recommender: Recommender) -> None:
    query = ruled(vary={"kind": "tuning", "diversity": "high"})
    told, off = recommender.recommend([query, replace(query, tuning=Tuning(diversity=0))])
    plain = recommender.recommend([QUERY])[0]
    assert ids(told) != ids(plain)
    assert ids(off) == ids(plain)


@pytest.mark.parametrize(
    "tuning", [Tuning(diversity=-0.1), Tuning(freshness=1.1), Tuning(popularity=float("nan"))]
)
def test_tuning_out_of_range_is_refused(recommender: Recommender, tuning: Tuning) -> None:
    with pytest.raises(InvalidQueryError, match="tuning"):
        recommender.recommend([replace(QUERY, tuning=tuning)])


def test_a_named_filter_is_asked_with_parameters(recommender: Recommender) -> None:
    def asked(**parameters: object) -> Recommendations:
        bound = to_parameters(parameters)
        named = replace(ruled(), filter_name="cheap", filter_parameters=bound)
        return recommender.recommend([named])[0]

    written = recommender.recommend([replace(QUERY, filter="price < 9")])[0]
    assert ids(asked(most=9)) == ids(written)
    with pytest.raises(InvalidFilterError, match=r"cheap: .*'9' is compared") as error:
        asked(most="9")
    assert (error.value.field, error.value.position) == ("filter_name", 8)
    with pytest.raises(InvalidFilterError, match="has no value"):
        asked()
    with pytest.raises(InvalidQueryError, match="no filter of the query has it"):
        asked(most=9, least=1)
    for query in (replace(ruled(), filter_name="dear"), replace(QUERY, filter_name="cheap")):
        with pytest.raises(InvalidQueryError, match="filter_name"):
            recommender.recommend([query])


def test_exploration_keeps_pins_bounds_and_shares(recommender: Recommender) -> None:
    query = ruled(
        replace(QUERY, exploration=Exploration(temperature=100, candidates=30)),
        top={"kind": "pin", "item_id": "item-12", "position": 8},
        few={"kind": "at-most", "column": "brand", "count": 3, "strict": True},
        half={"kind": "at-least", "filter": TEA, "share": 0.5, "strict": True},
    )
    frame = recommender.catalogue.frame
    brands = dict(frame.select("item_id", "brand").iter_rows())
    paths = dict(frame.select("item_id", "category").iter_rows())
    plain = recommender.recommend([replace(query, exploration=None)])[0]
    drawn = set()
    for number in range(60):
        told = recommender.recommend([replace(query, seed=f"{number}")])[0]
        [explored] = [item for item in told.items if item.propensity is not None]
        assert explored.rank == 7
        assert told.items[7].item_id == "item-12"
        assert ids(told)[:6] == ids(plain)[:6]
        counted = [brands[item] for item in ids(told) if brands[item] is not None]
        assert max(counted.count(brand) for brand in counted) <= 3
        assert sum("Tea" in (paths[item] or ()) for item in ids(told)) >= 4
        drawn.add(explored.item_id)
    assert len(drawn) > 3


def test_given_items_are_ordered_by_rules(recommender: Recommender) -> None:
    given = tuple(ItemId(f"item-{number:02}") for number in (2, 31, 9, 41, 40, 5))
    query = replace(QUERY, only_item_ids=given, limit=6)
    plain = recommender.recommend([query])[0]
    assert ids(plain)[0] == "item-31"
    told = recommender.recommend(
        [
            ruled(
                query,
                no={"kind": "exclude", "item_ids": ["item-09"]},
                top={"kind": "pin", "item_id": "item-40", "position": 1},
                out={"kind": "pin", "item_id": "item-12", "position": 2},
                few={"kind": "at-most", "filter": TEA, "count": 1},
            )
        ]
    )[0]
    assert ids(told)[:2] == ["item-40", "item-31"]
    assert sorted(ids(told)) == ["item-02", "item-31", "item-40", "item-41"]


def test_lists_by_rules_are_the_same_in_any_batch(recommender: Recommender) -> None:
    rules = {
        "vary": {"kind": "tuning", "diversity": 0.4, "popularity": 0.3},
        "half": {"kind": "at-least", "filter": TEA, "share": 0.5},
        "late": {"kind": "hide-bought", "days": 20},
    }
    queries = [
        ruled(replace(QUERY, customer_id=CustomerId(f"customer-{number:02}")), **rules)
        for number in range(10)
    ]
    assert recommender.recommend(queries) == [recommender.recommend([q])[0] for q in queries]
