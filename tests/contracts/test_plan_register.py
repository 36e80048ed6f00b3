"""A big plan is registered beside live calls, in every driver."""

import threading
from itertools import count

import polars as pl
import pytest

from recsys.store.offers import Offers
from recsys.store.plans import Plans
from recsys.store.store import Store
from recsys.store.tables.plans import contact_id
from tests.stores import NOON, log_event
from training.plan_register import AT_ONCE, register

PLAN = "plan-a"
BATCHES = 8
FACTS = {
    "plan_id": PLAN,
    "create_time": NOON,
    "contact_time": NOON,
    "gap": 0.0,
    "bound": 1.0,
    "seen": 0,
    "purposes": {"email": "use_in_email"},
    "costs": {"tea": [0, 0]},
    "hold_out_share": 0.0,
    "values_version": "",
}


def draft(batches: int) -> pl.DataFrame:
    numbers = range(1, batches * AT_ONCE + 1)
    same = {"channel": "email", "offer_id": "tea", "hold_out": False, "basis": "affinity"}
    return pl.DataFrame(
        {
            "contact_id": [contact_id(PLAN, number) for number in numbers],
            "customer_id": [f"customer-{number}" for number in numbers],
        }
    ).with_columns(
        *(pl.lit(value).alias(name) for name, value in same.items()),
        expected_value=pl.lit(1.0),
        probability=pl.lit(0.5),
        cost_micros=pl.lit(7),
    )


@pytest.fixture
def plans(store: Store) -> Plans:
    Offers(store).upsert([("tea", "{}", None, None)])
    return Plans(store)


def test_events_are_written_while_a_plan_registers(store: Store, plans: Plans) -> None:
    """Who writes waits for a batch, never for the plan, which nobody sees before its end."""
    positions: list[int] = []
    ended = threading.Event()

    def write() -> None:
        for number in count():
            if ended.is_set():
                return
            positions.append(store.append([log_event(f"e{number}")]).last_position)

    between: list[int] = []

    def progress(_: str, done: int, total: int) -> None:
        between.append(len(positions))
        assert plans.find(PLAN) is None
        assert (done, total) == (len(between) * AT_ONCE, BATCHES * AT_ONCE)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        assert register(plans, draft(BATCHES), FACTS, progress) == []
    finally:
        ended.set()
        writing.join()
    assert len(between) == BATCHES
    assert between[-1] - between[0] >= BATCHES // 2
    found = plans.find(PLAN)
    assert found is not None
    assert found.row_count == BATCHES * AT_ONCE
    assert Offers(store).of(["tea"])["tea"].spent == 7 * BATCHES * AT_ONCE
