import numpy as np
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.state import CustomerStates
from recsys.pipeline.features import (
    ITEM_FEATURES,
    feature_names,
    features,
    item_table,
    schema_hash,
)
from recsys.pipeline.query import Query, Ranked
from recsys.pipeline.request import Request
from recsys.types import DAY_S, Tier
from tests.shops import START, Event, day, tiny_shop

END = int(day(100).timestamp())
SHOP = tiny_shop(
    [
        Event("anna", "tea", 10),
        Event("anna", "tea", 30),
        Event("anna", "tea", 70),
        Event("anna", "cake", 95),
        Event("anna", "milk", 90, "view"),
        Event("anna", "milk", 92, "add-to-cart"),
        Event("berta", "tea", 98),
        Event("clara", "rum", 5, "view"),
    ],
    created={"new": 0},
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.from_frame(SHOP.items)


@pytest.fixture(scope="module")
def log(catalogue) -> Interactions:
    return Interactions.from_events(SHOP.events, items=catalogue.items, end_time=END)


@pytest.fixture(scope="module")
def states(log) -> CustomerStates:
    return CustomerStates.from_interactions(log, (30.0, 120.0))


def seen_of(customer: str, catalogue, log, states, now: int = END) -> dict[str, dict[str, float]]:
    """Returns every feature of every item for a customer."""
    num = log.customers.number(customer)
    request = Request(
        query=Query("for_you", now, customer_id=customer),
        rows=states.empty() if num is None else states.of(num),
        scale=states.scale,
        history_tier=Tier.PERSONALISED,
        label_nums=np.zeros(0, np.int32),
        context_nums=np.zeros(0, np.int32),
        use_context=False,
        allowed=np.ones(len(catalogue), bool),
    )
    nums = np.arange(len(catalogue), dtype=np.int32)
    scores = np.linspace(1, 0.2, len(nums), dtype=np.float32)
    ranked = Ranked(nums, scores, scores[:, None])
    rows = features(request, ranked, scores[:, None], item_table(states, catalogue), (30.0,))
    names = feature_names(["only"], (30.0,))
    assert rows.shape == (len(nums), len(names))
    return {
        catalogue.items.id(int(num)): dict(zip(names, row.tolist(), strict=True))
        for num, row in zip(nums, rows, strict=True)
    }


def test_what_a_customer_did_with_an_item(catalogue, log, states):
    seen = seen_of("anna", catalogue, log, states)
    tea = seen["tea"]
    assert tea["bought_days"] == 3
    assert tea["bought_share"] == pytest.approx(3 / 4)
    assert (tea["bought_since"], tea["bought_span"]) == (30, 60)
    assert (tea["bought_gap"], tea["bought_due"]) == (30, 1)
    assert tea["bought_decayed_30d"] == pytest.approx(2**-3 + 2 ** (-70 / 30) + 2**-1)
    assert seen["cake"]["bought_days"] == 1
    assert np.isnan(seen["cake"]["bought_gap"])
    milk = seen["milk"]
    assert (milk["bought_days"], milk["touched_days"], milk["touched_since"]) == (0, 2, 8)
    assert np.isnan(milk["bought_since"])
    assert (tea["touched_days"], np.isnan(tea["touched_since"])) == (0, True)


def test_what_is_known_of_the_customer_is_in_every_row(catalogue, log, states):
    for row in seen_of("anna", catalogue, log, states).values():
        assert row["customer_items"] == pytest.approx(np.log1p(2))
        assert row["customer_repeaters"] == 0.5
        assert (row["customer_days_since"], row["customer_span_days"]) == (5, 85)


@pytest.mark.parametrize("customer", ["clara", "nobody"])
def test_who_never_bought_has_nothing_to_count(catalogue, log, states, customer):
    for row in seen_of(customer, catalogue, log, states).values():
        assert (row["customer_items"], row["bought_days"], row["bought_share"]) == (0, 0, 0)
        assert np.isnan([row["customer_days_since"], row["bought_since"], row["bought_gap"]]).all()


def test_ages_are_counted_from_the_query(catalogue, log, states):
    later = seen_of("anna", catalogue, log, states, END + 30 * DAY_S)
    assert later["tea"]["bought_since"] == 60
    now = seen_of("anna", catalogue, log, states)
    halved = now["tea"]["bought_decayed_30d"] / 2
    assert later["tea"]["bought_decayed_30d"] == pytest.approx(halved)


def test_what_is_known_of_items(catalogue, states):
    table = item_table(states, catalogue)
    assert table.shape == (len(catalogue), len(ITEM_FEATURES))
    assert table.dtype == np.float32
    rows = {
        item: dict(zip(ITEM_FEATURES, table[catalogue.items.number(item)].tolist(), strict=True))
        for item in ("tea", "cake", "rum", "new")
    }
    assert rows["tea"]["item_buyers"] == pytest.approx(np.log1p(2))
    assert rows["tea"]["item_buyers_7d"] == pytest.approx(np.log1p(1))
    assert rows["tea"]["item_gap_days"] == 30
    assert rows["tea"]["item_age_days"] == 90
    assert rows["tea"]["item_repeaters"] > rows["cake"]["item_repeaters"]
    assert rows["rum"]["item_age_days"] == 95
    assert (rows["rum"]["item_buyers"], np.isnan(rows["rum"]["item_gap_days"])) == (0, True)
    assert np.isnan(rows["new"]["item_age_days"])
    assert np.isnan(rows["new"]["item_price"])


def test_the_hash_tells_names_and_order_apart():
    names = feature_names(["a", "b"], (30.0,))
    assert schema_hash(names) == schema_hash(list(names))
    assert schema_hash(names) != schema_hash(feature_names(["b", "a"], (30.0,)))
    assert schema_hash(names) != schema_hash(feature_names(["a", "b"], (60.0,)))
    assert len(schema_hash(names)) == 64


def test_the_reference_is_the_end_of_the_data(states):
    assert states.scale.reference_time == END
    assert int(START.timestamp()) + 100 * DAY_S == END
