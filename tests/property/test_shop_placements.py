"""What the placements of a shop show, through the one path and nothing else."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.assembly import assemble
from recsys.data.dataset import Dataset
from recsys.errors import InvalidQueryError
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit
from recsys.fitting.reduce import needed
from recsys.pipeline.catalogue_follower import CatalogueFollower
from recsys.pipeline.labels import recommend_labels
from recsys.pipeline.query import Query, RecentEvent
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.weeks import WEEK_S, week_start
from recsys.types import DAY_S, CustomerId, EventType, ItemId
from tests.catalogue_changes import Changes
from tests.small_shop import CUSTOMERS, END, shop_customers, shop_events, shop_items

NOW = int(END.timestamp())
ANNA = CustomerId("customer-02")
MONDAY = week_start(NOW) + WEEK_S
CUSTOMER = st.integers(0, CUSTOMERS - 1).map(lambda n: CustomerId(f"customer-{n:02}"))


@pytest.fixture(scope="module")
def shop() -> Recommender:
    """Items 30 and on came in the last weeks, every third item is reduced."""
    items = shop_items().with_columns(
        created_at=pl.Series(
            [END - timedelta(days=400 if n < 30 else 3 * (48 - n)) for n in range(48)]
        ).dt.cast_time_unit("us"),
        list_price=pl.col("price") + pl.Series([1.0 if n % 3 == 0 else 0.0 for n in range(48)]),
    )
    data = Dataset(shop_events().lazy(), items, shop_customers(), "placements")
    return assemble(fit(data, load_config(), end_time=END).pipeline, "bundle")


def asked(_: Recommender, placement: str, **changes: object) -> Query:
    return replace(Query(placement, NOW, ANNA), **changes)  # type: ignore[arg-type]


def ids(shop: Recommender, query: Query) -> list[str]:
    return [item.item_id for item in shop.recommend([query])[0].items]


def view(number: int, before_s: int) -> RecentEvent:
    return RecentEvent(ItemId(f"item-{number:02}"), EventType.VIEW, NOW - before_s)


# ------------------------------------------------------------------ every placement


def test_no_placement_that_says_so_is_ever_short(shop: Recommender) -> None:
    from recsys.pipeline.listing import placement_listings  # noqa: PLC0415

    whole = {
        each.name
        for each in placement_listings(shop)
        if each.answers == "items" and not each.may_be_short
    }
    assert {"trending", "new_arrivals", "weekly_picks", "because_you_bought"} <= whole
    assert not {"on_sale", "recently_viewed", "buy_again"} & whole
    for placement in whole:
        for customer_id in (None, ANNA, CustomerId("nobody")):
            query = asked(shop, placement, customer_id=customer_id, limit=20)
            assert len(ids(shop, query)) == 20, placement


@pytest.mark.parametrize("placement", ["categories_for_you", "customers_for_item"])
def test_what_answers_with_no_items_is_no_list(shop: Recommender, placement: str) -> None:
    with pytest.raises(InvalidQueryError, match="answers with"):
        shop.recommend([asked(shop, placement)])


# ------------------------------------------------------------------ weekly_picks


@given(customer_id=CUSTOMER, second=st.integers(0, WEEK_S - 1), number=st.integers(0, 39))
def test_picks_stay_for_a_week_whatever_happens(
    shop: Recommender, customer_id: CustomerId, second: int, number: int
) -> None:
    first = asked(shop, "weekly_picks", customer_id=customer_id, query_time=MONDAY, limit=5)
    bought = RecentEvent(ItemId(f"item-{number:02}"), EventType.PURCHASE, MONDAY + second // 2)
    later = replace(first, query_time=MONDAY + second, events=(bought,))
    assert shop.recommend([later])[0].items == shop.recommend([first])[0].items


@given(customer_id=CUSTOMER, week=st.integers(0, 50))
def test_no_pick_comes_again_before_its_turn(
    shop: Recommender, customer_id: CustomerId, week: int
) -> None:
    # The shop has 42 products to show, of which each week has about a quarter.
    shown: list[set[str]] = []
    for turn in range(4):
        time = MONDAY + (week + turn) * WEEK_S
        query = asked(shop, "weekly_picks", customer_id=customer_id, query_time=time, limit=3)
        shown.append(set(ids(shop, query)))
    assert len(set.union(*shown)) == 12


def test_picks_differ_between_customers(shop: Recommender) -> None:
    lists = {
        tuple(ids(shop, asked(shop, "weekly_picks", customer_id=CustomerId(f"customer-{n:02}"))))
        for n in range(0, 40, 2)
    }
    assert len(lists) > 15


# ------------------------------------------------------------------ new_arrivals


def test_arrivals_come_first_and_say_since_when(shop: Recommender) -> None:
    told = shop.recommend([asked(shop, "new_arrivals", limit=20)])[0]
    fresh = [int(item.item_id[-2:]) >= 30 for item in told.items]
    assert fresh == sorted(fresh, reverse=True)
    assert sum(fresh) == 14  # 18, in pairs of variants from 40 on
    dates = [item.reason.date for item in told.items if item.reason.code == "new-in-catalogue"]
    assert dates
    assert all(date is not None and NOW - 60 * DAY_S < date < NOW for date in dates)


def test_without_news_the_shop_shows_what_is_popular(shop: Recommender) -> None:
    later = asked(shop, "new_arrivals", query_time=NOW + 400 * DAY_S)
    codes = {item.reason.code for item in shop.recommend([later])[0].items}
    assert codes <= {"popular", "popular-in-segment"}


# ------------------------------------------------------------------ on_sale


def test_nothing_that_is_not_reduced_is_on_sale(shop: Recommender) -> None:
    shown = ids(shop, asked(shop, "on_sale", limit=48))
    assert {int(item_id[-2:]) % 3 for item_id in shown} == {0}
    assert len(shown) == 16
    market = ids(shop, asked(shop, "on_sale", market="de", limit=48))
    # In the market everything costs a unit less than the item itself says.
    assert {int(item_id[-2:]) for item_id in market} == {
        n
        for n in range(24)
        if n % 4 and n != 11  # of which nobody knows a price
    }


# ------------------------------------------------------------------ recently_viewed


def test_views_of_the_visit_come_first(shop: Recommender) -> None:
    events = (view(9, 30), view(3, 60), view(9, 90))
    told = shop.recommend([asked(shop, "recently_viewed", events=events, limit=48)])[0]
    assert [item.item_id for item in told.items[:2]] == ["item-09", "item-03"]
    assert told.items[0].reason.code == "viewed-before"
    assert told.items[0].reason.date == NOW - 30
    nobody = asked(shop, "recently_viewed", customer_id=None)
    assert ids(shop, nobody) == []


# ------------------------------------------------------------------ because_you_bought


@given(customer_id=CUSTOMER)
def test_a_list_is_titled_by_a_purchase_that_it_does_not_show(
    shop: Recommender, customer_id: CustomerId
) -> None:
    told = shop.recommend([asked(shop, "because_you_bought", customer_id=customer_id)])[0]
    assert told.title is not None
    assert told.title.code == "because-you-bought"
    [anchor] = told.title.item_ids
    customer_num = shop.resolver.customers.number(customer_id)
    assert customer_num is not None
    bought = shop.catalogue.items.ids(shop.resolver.states.of(customer_num).item_nums)
    assert anchor in bought
    assert anchor not in {item.item_id for item in told.items}
    about = {item.reason.item_ids for item in told.items if item.source == "same_customers"}
    assert about == {(anchor,)}


def test_without_a_purchase_there_is_a_list_and_no_title(shop: Recommender) -> None:
    for customer_id in (None, CustomerId("newcomer")):
        told = shop.recommend([asked(shop, "because_you_bought", customer_id=customer_id)])[0]
        assert told.title is None
        assert len(told.items) == 10


def test_a_purchase_of_the_visit_can_be_the_anchor(shop: Recommender) -> None:
    bought = RecentEvent(ItemId("item-09"), EventType.PURCHASE, NOW - 5)
    query = asked(shop, "because_you_bought", customer_id=None, events=(bought,))
    title = shop.recommend([query])[0].title
    assert title is not None
    assert (title.item_ids, title.date) == (("item-09",), NOW - 5)


# ------------------------------------------------------------------ bought_together


def test_four_bags_say_more_of_two_items_than_five_trolleys() -> None:
    bags = [(f"bag-{n}", ["item-02", "item-06"]) for n in range(4)]
    others = [f"item-{n:02}" for n in range(10, 46)]
    trolleys = [(f"trolley-{n}", ["item-02", "item-08", *others]) for n in range(5)]
    events = shop_events().filter(pl.col("event_type") == "purchase").head(1)
    rows = [
        events.with_columns(
            event_id=pl.lit(f"{basket} {item}"),
            basket_id=pl.lit(basket),
            customer_id=pl.lit(basket),
            item_id=pl.lit(item),
        )
        for basket, items in (*bags, *trolleys)
        for item in items
    ]
    data = Dataset(pl.concat(rows).lazy(), shop_items(), shop_customers(), "baskets")
    config = needed(load_config(), ["bought_together"])
    recommender = assemble(fit(data, config, end_time=END).pipeline, "bundle")
    query = Query("bought_together", NOW, context_item_ids=(ItemId("item-02"),))
    first = recommender.recommend([query])[0].items[0]
    assert (first.item_id, first.reason.code) == ("item-06", "often-bought-with")


# ------------------------------------------------------------------ trending, viewed_together


def test_what_rises_has_more_customers_than_its_past() -> None:
    events = shop_events()
    rise = events.filter(pl.col("event_time") > END - timedelta(days=14)).with_columns(
        item_id=pl.lit("item-39"),
        event_id=pl.lit("rise-") + pl.col("event_id"),
        event_type=pl.lit("purchase"),
    )
    data = Dataset(
        pl.concat([events, rise]).sort("event_time", "event_id").lazy(),
        shop_items(),
        shop_customers(),
        "rise",
    )
    shop = assemble(fit(data, load_config(), end_time=END).pipeline, "bundle")
    first = shop.recommend([Query("trending", NOW)])[0].items[0]
    assert (first.item_id, first.reason.code) == ("item-39", "rising")
    lifts = shop.sources["rising"].model  # type: ignore[attr-defined]
    for item in shop.recommend([Query("trending", NOW, limit=40)])[0].items:
        assert (item.reason.code == "rising") == bool(lifts.scores[item.item_num] > 1)


def test_sessions_say_what_is_viewed_together(shop: Recommender) -> None:
    query = asked(shop, "viewed_together", context_item_ids=(ItemId("item-02"),))
    told = shop.recommend([query])[0]
    assert told.items[0].reason.code == "often-viewed-with"
    assert np.mean([int(item.item_id[-2:]) % 2 == 0 for item in told.items]) == 1


# ------------------------------------------------------------------ the catalogue of now


def test_lists_follow_what_changes_in_the_catalogue(shop: Recommender) -> None:
    changes = Changes()
    changes.upsert("fresh", title="Tea no. 99", category=["Drinks", "Tea"], price=3.0)
    changes.upsert("item-01", replaces=False, price=1.0)
    changes.upsert("item-30", replaces=False, price=99.0)
    changes.upsert("item-02", replaces=False, category=["Gifts"])
    laid = CatalogueFollower(shop).follow(list(changes.rows.values()))
    told = laid.recommend([asked(laid, "new_arrivals", limit=20)])[0].items
    [fresh] = [item for item in told if item.item_id == "fresh"]
    assert (fresh.source, fresh.reason.code, fresh.reason.date) == (
        "newest",
        "new-in-catalogue",
        NOW,
    )
    reduced = ids(laid, asked(laid, "on_sale", limit=48))
    assert "item-01" in reduced
    assert "item-30" not in reduced
    seen = RecentEvent(ItemId("fresh"), EventType.VIEW, NOW - 1)
    assert ids(laid, asked(laid, "recently_viewed", events=(seen,)))[0] == "fresh"
    bought = RecentEvent(ItemId("fresh"), EventType.PURCHASE, NOW - 1)
    because = asked(laid, "because_you_bought", customer_id=None, events=(bought,))
    title = laid.recommend([because])[0].title
    assert title is not None
    assert title.item_ids == ("fresh",)
    assert "fresh" not in ids(laid, because)
    labels = recommend_labels(laid, [asked(laid, "categories_for_you", limit=48)])[0].labels
    assert ("Gifts",) in {each.label for each in labels}


# ------------------------------------------------------------------ labels


@given(customer_id=CUSTOMER, limit=st.integers(1, 10))
def test_labels_are_those_of_the_best_items(
    shop: Recommender, customer_id: CustomerId, limit: int
) -> None:
    query = asked(shop, "categories_for_you", customer_id=customer_id, limit=limit)
    told = recommend_labels(shop, [query])[0]
    _, _, ranked = shop.first_stage(query)
    sums: dict[tuple[str, ...], float] = {}
    paths = shop.catalogue.frame["category"].to_list()
    for num, score in zip(ranked.item_nums.tolist(), ranked.scores.tolist(), strict=True):
        if paths[num]:
            sums[tuple(paths[num])] = sums.get(tuple(paths[num]), 0.0) + score
    expected = sorted(sums, key=lambda label: -sums[label])[:limit]
    assert [each.label for each in told.labels] == expected
    for each in told.labels:
        assert each.score == pytest.approx(sums[each.label], rel=1e-5)
        [first, *_] = each.reason.item_ids
        assert first in shop.catalogue.frame["item_id"]


def test_labels_without_a_candidate_fill_the_list(shop: Recommender) -> None:
    tea = asked(shop, "categories_for_you", filter="'Tea' IN category OR brand IS NULL")
    told = recommend_labels(shop, [tea])[0]
    assert {each.label for each in told.labels} == {("Drinks", "Tea"), ("Drinks", "Coffee")}


def test_a_depth_cuts_paths(shop: Recommender) -> None:
    wide = shop.catalogue.labels("category", 1)
    assert wide.labels == (("Drinks",),)
    assert wide.label_nums.tolist() == [-1 if n == 7 else 0 for n in range(48)]
    assert shop.catalogue.labels("category", 1) is wide
    brands = shop.catalogue.labels("brand")
    assert brands.labels == (("brand-0",), ("brand-1",), ("brand-2",))
