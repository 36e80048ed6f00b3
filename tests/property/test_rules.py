"""Lists by rules are what plain Python finds, item by item over the whole catalogue."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.live.rules import NamedFilter, Strictness, Tuning
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.types import CustomerId, ItemId
from tests.random_rules import Words, random_rules
from tests.rule_ground import Ground, Row
from tests.rule_oracle import Oracle
from tests.small_shop import CUSTOMERS, END, ITEMS, shop_events

NOW = int(END.timestamp())
SETS, SEED = 200, 11
PLACEMENTS = ("for_you", "discover", "buy_again", "similar_items", "bought_together", "popular")


def cheap(most: float, row: Row) -> bool:
    return row["price"] is not None and row["price"] < most


FILTERS = {
    "'Tea' IN category": lambda row: "Tea" in (row["category"] or ()),
    "'organic' IN tags": lambda row: "organic" in row["tags"],
    "caffeine": lambda row: row["caffeine"],
    "brand = 'brand-1' OR brand IS NULL": lambda row: row["brand"] in (None, "brand-1"),
    "price BETWEEN 10 AND 30": lambda row: row["price"] is not None and 10 <= row["price"] <= 30,
    "NOT price > 8": lambda row: row["price"] is not None and not row["price"] > 8,
    "price > 1000": lambda row: row["price"] is not None and row["price"] > 1000,
    "title LIKE '%4%'": lambda row: "4" in row["title"],
    **{f"cheap {{'most': {most}}}": lambda row, most=most: cheap(most, row) for most in (6, 25)},
    **{
        f"of {{'brands': {brands}}}": lambda row, brands=brands: row["brand"] in brands
        for brands in (("brand-0",), ("brand-1", "brand-2"))
    },
}
NAMED = {"cheap": NamedFilter(sql="price < :most"), "of": NamedFilter(sql="brand IN :brands")}
WORDS = Words(
    filters=[text for text in FILTERS if not text.endswith("}")],
    named=NAMED,
    parameters={
        "cheap": [{"most": 6}, {"most": 25}],
        "of": [{"brands": ["brand-0"]}, {"brands": ["brand-1", "brand-2"]}],
    },
    columns=[
        ("brand", None),
        ("category", None),
        ("category", 1),
        ("tags", None),
        ("price", None),
    ],
    item_ids=[f"item-{number:02}" for number in range(ITEMS)] + ["item-99"],
    stock=("list_price", "cost"),
    now=NOW,
)


def random_query(random: np.random.Generator) -> Query:
    """Returns a query of any placement, customer and size."""
    number = int(random.integers(0, CUSTOMERS + 4))
    customer = CustomerId(f"customer-{number:02}") if random.random() < 0.9 else None
    context = [f"item-{each:02}" for each in random.integers(0, ITEMS, int(random.integers(0, 3)))]
    return Query(
        placement=str(random.choice(PLACEMENTS)),
        query_time=NOW,
        customer_id=customer,
        limit=int(random.choice([1, 2, 5, 8, 12, 30, 60])),
        context_item_ids=tuple(ItemId(each) for each in context),
        market="de" if random.random() < 0.2 else None,
        filter="caffeine" if random.random() < 0.1 else "",
    )


@pytest.fixture(scope="module")
def ground(recommender: Recommender) -> Ground:
    return Ground(recommender, shop_events(), FILTERS)


@pytest.mark.parametrize("part", range(10))
def test_random_rule_sets_equal_brute_force(ground: Ground, part: int) -> None:
    random = np.random.default_rng([SEED, part])
    for _ in range(SETS // 10):
        rules = random_rules(WORDS, random)
        for _ in range(3):
            query = random_query(random)
            strictness = Strictness(str(random.choice(list(Strictness))))
            tuning = Tuning(diversity=0.4) if random.random() < 0.1 else Tuning()
            oracle = Oracle(ground, query, rules.rules, strictness, tuning)
            expected = oracle.expected()
            asked = replace(query, rules=rules, strictness=strictness, tuning=tuning)
            told = ground.recommender.recommend([asked])[0]
            assert [item.item_id for item in told.items] == expected.item_ids, (rules.rules, query)
            assert list(told.relaxed_rules) == expected.relaxed, (rules.rules, query)
            assert [item.rank for item in told.items] == list(range(1, len(told.items) + 1))
