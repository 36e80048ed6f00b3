import numpy as np
import polars as pl
import pytest

from recsys.assembly import FitConfig, assemble
from recsys.config import validated
from recsys.data.dataset import Dataset
from recsys.fitting.first_stage import Steps, fit_first_stage
from recsys.fitting.fit import fit
from recsys.fitting.rankers import Rows, fit_rankers, rows_at
from recsys.pipeline.query import Query
from recsys.types import DAY_S
from tests.shops import START, Event, day, tiny_shop
from tests.street import CHEAP, CUSTOMERS, DAYS, DEAR, street


def config(**ranker: object) -> FitConfig:
    """One source that likes all items about as well, ranked."""
    settings = {"horizon_days": 21, "cut_offs": 2, "trees": 30, "leaves": 4, "least_rows": 20}
    weights = {"purchase": 1.0, "view": 1.0}
    parts = {
        "models": {"liked": {"kind": "popularity", "event_weights": weights}},
        "sources": {"liked": {"kind": "popular", "model": "liked"}},
        "placements": {
            "for_you": {
                "sources": [{"name": "liked", "weight": 1.0}],
                "fill": ["liked"],
                "ranker": {**settings, **ranker},
            }
        },
    }
    return validated(FitConfig, parts, where="test")


@pytest.fixture(scope="module")
def shop() -> Dataset:
    return street()


def firsts(shop: Dataset, **ranker: object) -> list[set[str]]:
    """Returns the first three items of everybody's list."""
    recommender = assemble(fit(shop, config(**ranker), end_time=day(DAYS)).pipeline, "test")
    now = int(day(DAYS).timestamp())
    found = recommender.recommend([Query("for_you", now, name, limit=6) for name in CUSTOMERS])
    return [{item.item_id for item in answer.items[:3]} for answer in found]


def share(lists: list[set[str]], wanted: tuple[str, ...]) -> float:
    return sum(len(found & set(wanted)) for found in lists) / sum(map(len, lists))


def test_labels_decide_what_comes_first(shop):
    assert share(firsts(shop), CHEAP) > 0.9
    assert share(firsts(shop, labels={"view": 1.0}), DEAR) > 0.9
    assert share(firsts(shop, labels={"view": 0.1, "purchase": 1.0}), CHEAP) > 0.9
    assert share(firsts(shop, labels={"view": 1.0, "purchase": 1.0}), DEAR) > 0.9


def test_value_decides_what_comes_first(shop):
    price, margin = firsts(shop, value="price"), firsts(shop, value="margin")
    assert share(price, DEAR) > 0.9
    assert share(margin, ("piano", "yacht")) > 0.6
    # Little is earned on the opal.
    assert share(margin, ("opal",)) < 0.7 * share(price, ("opal",))


def rows(shop: Dataset, cut_off: float = 90, until: float = 111, **ranker: object) -> Rows | None:
    seconds = int(START.timestamp())
    found = rows_at(
        shop,
        config(**ranker),
        seconds + int(cut_off * DAY_S),
        seconds + int(until * DAY_S),
        ["for_you"],
    )
    return found.get("for_you")


def test_the_best_event_of_a_customer_with_an_item_counts():
    shop = tiny_shop(
        [
            *(Event("anna", item, 1) for item in ("tea", "rum", "cake", "milk")),
            Event("anna", "tea", 92, "view"),
            Event("anna", "tea", 93),
            Event("anna", "tea", 94, "view"),
            Event("anna", "rum", 95, "view"),
            Event("anna", "cake", 95, "click"),
        ]
    )
    found = rows(shop, labels={"purchase": 1.0, "view": 0.25})
    assert found is not None
    graded = dict(zip(found.item_ids, found.gains.tolist(), strict=True))
    assert graded == {"tea": 1.0, "rum": 0.25, "cake": 0.0, "milk": 0.0}
    assert (found.customer_ids, found.sizes.tolist()) == (("anna",), [4])


def test_an_item_without_a_price_is_worth_the_mean_of_the_others(shop):
    known = shop.items.with_columns(
        price=pl.when(pl.col("item_id") != "milk").then(pl.col("price"))
    )
    found = rows(Dataset(shop.events, known, shop.customers, "x"), value="price")
    assert found is not None
    worth = {
        item: gain for item, gain in zip(found.item_ids, found.gains.tolist(), strict=True) if gain
    }
    mean = (2 * np.log1p(1.0) + 2 * np.log1p(900.0) + np.log1p(50.0)) / 5
    assert worth["milk"] == pytest.approx(mean)
    assert worth["bread"] == pytest.approx(np.log1p(1.0))
    nothing = shop.items.with_columns(price=pl.lit(None, pl.Float64))
    found = rows(Dataset(shop.events, nothing, shop.customers, "x"), value="price")
    assert found is not None
    assert set(found.gains.tolist()) == {0.0, 1.0}


def test_as_many_customers_as_wanted_are_drawn(shop):
    few, all_of_them = rows(shop, customers=7), rows(shop)
    assert few is not None
    assert all_of_them is not None
    assert len(few.customer_ids) == 7
    assert len(all_of_them.customer_ids) == 60
    assert set(few.customer_ids) < set(all_of_them.customer_ids)
    other = rows(shop, customers=7, seed=2)
    assert other is not None
    assert other.customer_ids != few.customer_ids


@pytest.mark.parametrize(("cut_off", "until"), [(-50.0, -20.0), (-10.0, 11.0), (130.0, 150.0)])
def test_a_cut_off_with_nothing_on_one_side_has_no_rows(shop, cut_off, until):
    assert rows(shop, cut_off, until) is None


def test_labels_that_never_happen_teach_nothing(shop):
    assert rows(shop, labels={"wishlist": 1.0}) is None
    assert fit(shop, config(labels={"wishlist": 1.0})).pipeline.rankers == {}


def test_every_cut_off_is_a_horizon_apart_and_told_of(shop):
    first = fit_first_stage(shop, config(cut_offs=3), end_time=day(DAYS), steps=Steps()).pipeline
    heard: list[str] = []
    steps = Steps(lambda name, done, total=None: heard.append(name) if done == total else None)
    assert set(fit_rankers(shop, first, steps=steps)) == {"for_you"}
    assert heard == [
        *(f"ranker rows at {day(DAYS - 21 * number):%Y-%m-%d}" for number in (3, 2, 1)),
        "ranker for_you",
    ]


def test_only_what_has_a_ranker_configured_gets_one(shop):
    plain = config()
    placement = plain.placements["for_you"].model_copy(update={"ranker": None})
    both = plain.model_copy(update={"placements": {**plain.placements, "popular": placement}})
    assert set(fit(shop, both, end_time=day(DAYS)).pipeline.rankers) == {"for_you"}
