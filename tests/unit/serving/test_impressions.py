"""The log of what was shown: nothing twice, nothing silently lost, and nobody waits for it."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest
import structlog

from recsys.errors import StoreFullError, StoreUnavailableError
from recsys.pipeline.query import Query, Reason, RecentEvent, Recommendations, RecommendedItem
from recsys.store.impressions import Impression, Loss
from recsys.types import CustomerId, EventType, ItemId, Tier
from serving.answering.answers import Answer
from serving.answering.impression_rows import to_impression
from serving.answering.impressions import ImpressionLog
from tests.integration.serving.steered import catalogue

SOON_S = 10.0
CATALOGUE = catalogue()


@dataclass
class FakeStore:
    """Takes writes while it is up; may fail after a write was done, as a broken line does."""

    up: bool = True
    fails_after: bool = False
    error: type[Exception] = StoreUnavailableError
    shown: dict[str, Impression] = field(default_factory=dict)
    lost: dict[str, Loss] = field(default_factory=dict)
    calls: list[int] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def log_impressions(
        self, impressions: Sequence[Impression], *, losses: Sequence[Loss], **_: Any
    ) -> int:
        self.gate.wait()
        self.calls.append(len(impressions))
        if not self.up:
            raise self.error("away")
        self.shown |= {each.request_id: each for each in impressions}
        self.lost |= {each.loss_id: each for each in losses}
        if self.fails_after:
            self.fails_after = False
            raise StoreUnavailableError("the line broke")
        return len(impressions)

    @property
    def lost_count(self) -> int:
        return sum(loss.lost for loss in self.lost.values())


def answer(items: int = 2, customer_id: str | None = "anna", **changes: Any) -> Answer:
    listed = [
        RecommendedItem(ItemId(f"i{n}"), n, 1 / (n + 3), n + 1, "taste", Reason("popular"))
        for n in range(items)
    ]
    told = Recommendations("for_you", tuple(listed), Tier.POPULAR, "b1", 0)
    query = Query("for_you", 1_700_000_000, customer_id and CustomerId(customer_id), **changes)
    return Answer(query, told, uuid4().hex, time.time_ns() // 1_000, CATALOGUE)


@contextmanager
def logging(store: FakeStore, **settings: Any) -> Iterator[ImpressionLog]:
    log = ImpressionLog(store, **{"interval_s": 0.001, "retry_s": 0.001, **settings})  # type: ignore[arg-type]
    log.start()
    try:
        yield log
    finally:
        store.gate.set()
        log.stop()


def soon(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_all_answers_arrive_in_batches_and_the_last_at_the_stop() -> None:
    store = FakeStore()
    answers = [answer() for _ in range(250)]
    with logging(store, interval_s=60) as log:
        log.add(answers[:1])
        log.add(answers[1:])
    assert list(store.shown) == [each.request_id for each in answers]
    assert store.calls == [100, 100, 50]
    assert not store.lost


def test_what_waits_for_the_store_is_written_when_it_is_back() -> None:
    store = FakeStore(up=False, error=StoreFullError)
    with logging(store) as log:
        log.add([answer() for _ in range(5)])
        soon(lambda: len(store.calls) > 2)
        store.up = True
        soon(lambda: len(store.shown) == 5)
    assert not store.lost


def test_a_write_whose_end_was_not_heard_is_sent_again_as_it_was() -> None:
    store = FakeStore(fails_after=True)
    with logging(store) as log:
        log.add([answer(), answer()])
        soon(lambda: len(store.calls) >= 2)
    assert len(store.shown) == 2
    assert store.calls == [2, 2]


def test_what_has_no_room_is_counted_and_the_count_is_stored() -> None:
    store = FakeStore(up=False)
    with logging(store, capacity=30) as log:
        log.add([answer(items=2) for _ in range(25)])
        soon(lambda: len(store.calls) > 1)
        log.add([answer(items=2) for _ in range(40)])
        store.up = True
        soon(lambda: len(store.shown) + store.lost_count == 65)
    assert store.lost_count >= 35
    [loss] = {(each.placement, each.bundle_version, each.arm) for each in store.lost.values()}
    assert loss == ("for_you", "b1", "")
    assert all(each.first_time <= each.last_time for each in store.lost.values())


def test_the_room_is_free_again_after_a_write() -> None:
    store = FakeStore()
    with logging(store, capacity=30) as log:
        for _ in range(10):
            log.add([answer(items=2) for _ in range(10)])
            soon(lambda: len(store.shown) % 10 == 0 and not log._items)
    assert len(store.shown) == 100
    assert not store.lost


def test_long_questions_count_and_make_batches_short() -> None:
    store = FakeStore()
    excluded = tuple(ItemId(f"x{place}") for place in range(9_000))
    with logging(store, interval_s=60, capacity=60_000) as log:
        log.add([answer(exclude_item_ids=excluded) for _ in range(7)])
    assert store.calls == [3, 3]
    assert store.lost_count == 1


def test_nobody_waits_for_a_slow_store() -> None:
    store = FakeStore()
    store.gate.clear()
    with logging(store, capacity=300) as log:
        began = time.monotonic()
        for _ in range(1_000):
            log.add([answer()])
        assert time.monotonic() - began < SOON_S / 2
    assert len(store.shown) + store.lost_count == 1_000


def test_a_stop_without_a_store_says_how_many_are_lost() -> None:
    store = FakeStore(up=False)
    with structlog.testing.capture_logs() as said, logging(store, capacity=30) as log:
        log.add([answer(items=2) for _ in range(12)])
    [lost] = [each for each in said if each["event"] == "impressions.lost"]
    assert lost["count"] == 12
    assert not store.shown


def test_a_record_has_what_is_needed_to_answer_again() -> None:
    asked = answer(
        limit=3,
        context_item_ids=(ItemId("cup"),),
        events=(RecentEvent(ItemId("tea"), EventType.VIEW, 1_699_999_999),),
        filter="price < 5",
        exclude_item_ids=(ItemId("pot"),),
        market="de",
    )
    shown = to_impression(asked)
    assert json.loads(json.dumps(shown.query)) == {
        "query_time": 1_700_000_000,
        "limit": 3,
        "context_item_ids": ["cup"],
        "events": [["tea", "view", 1_699_999_999, 1.0]],
        "filter": "price < 5",
        "exclude_item_ids": ["pot"],
        "market": "de",
    }
    assert (shown.customer_id, shown.item_ids, shown.sources) == (
        "anna",
        ["i0", "i1"],
        ["taste"] * 2,
    )
    assert shown.scores == pytest.approx([1 / 3, 1 / 4], abs=1e-8)
    assert (shown.explored_rank, shown.propensity) == (None, None)
    assert to_impression(answer(customer_id=None)).customer_id is None


def test_a_record_says_what_the_store_added() -> None:
    told = replace(answer(), last_position=7, live_state_missing=True)
    asked = to_impression(told).query
    assert (asked["last_position"], asked["live_state_missing"]) == (7, True)


def test_without_consent_a_record_names_nobody() -> None:
    events = (RecentEvent(ItemId("tea"), EventType.VIEW, 1_699_999_999),)
    shown = to_impression(replace(answer(events=events), consent_refused=True))
    assert shown.customer_id is None
    assert "anna" not in json.dumps(shown)
    assert shown.query == {"query_time": 1_700_000_000, "limit": 10, "consent_refused": True}
