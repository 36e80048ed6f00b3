"""A written event moves the next list of whoever asks, whatever the list is made of."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from recsys.assembly import FitConfig, assemble
from recsys.config import validated
from recsys.data.dataset import Dataset
from recsys.fitting.fit import Fitted, fit
from recsys.pipeline.recommender import Recommender
from recsys.store.store import Store
from recsys.types import LogPosition
from recsys.v1.event_pb2 import Event
from recsys.v1.event_service_pb2 import IdentifyCustomerRequest, WriteEventsRequest
from recsys.v1.event_service_pb2_grpc import EventServiceStub
from recsys.v1.recommendation_service_pb2 import (
    TIER_PERSONALISED,
    TIER_SESSION,
    RecommendBatchRequest,
    RecommendRequest,
    RecommendResponse,
)
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from tests.integration.serving.steered import ServerFactory, SteeredRecommender
from tests.small_shop import END

NOW = int(END.timestamp()) + 3600
BOTH = {"event_weights": {"purchase": 1.0, "view": 0.2}}
MODELS: dict[str, dict[str, Any]] = {
    "als": {"kind": "als", "embedding_size": 8, **BOTH},
    "ials": {"kind": "ials", "embedding_size": 8, **BOTH},
    "item-item": {"kind": "item-item", **BOTH},
    "ease": {"kind": "ease", **BOTH},
    "neighbours": {"kind": "customer-neighbours", **BOTH},
    "markov": {"kind": "markov", **BOTH},
    "repurchase": {"kind": "repurchase", "half_life_days": 30.0},
    "content": {"kind": "content", **BOTH},
    "popular": {"kind": "popularity", "half_life_days": None},
}
KINDS = {
    "als": "vectors",
    "ials": "vectors",
    "markov": "next-item",
    "repurchase": "repurchase",
    "sequence": "sequence",
    "popular": "popular",
}
PERSONAL = [name for name in MODELS if name != "popular"]


def config(models: dict[str, dict[str, Any]]) -> FitConfig:
    """One placement for each model, and one that leaves out what was bought."""
    sources = {name: {"kind": KINDS.get(name, "neighbours"), "model": name} for name in models}
    placements: dict[str, Any] = {
        name: {"sources": [{"name": name, "weight": 1.0}]} for name in models
    }
    placements["new"] = {**placements["popular"], "exclude": "bought"}
    parts = {"models": models, "sources": sources, "placements": placements}
    return validated(FitConfig, parts, where="test")


@pytest.fixture(scope="module")
def all_kinds(shop: Dataset) -> Fitted:
    return fit(shop, config(MODELS), end_time=END)


class Shop:
    """A server with a store, and what its callers do."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._lists = RecommendationServiceStub(channel)
        self._events = EventServiceStub(channel)
        self._written = 0

    def ask(self, placement: str, **who: str) -> RecommendResponse:
        request = RecommendRequest(placement=placement, page_size=8, **who)
        return self._lists.Recommend(request, timeout=20)

    def ids(self, placement: str, **who: str) -> list[str]:
        return [item.item_id for item in self.ask(placement, **who).items]

    def batch(self, placement: str, *customer_ids: str) -> list[list[str]]:
        request = RecommendBatchRequest(
            placement=placement, page_size=8, customer_ids=customer_ids
        )
        return [
            [item.item_id for item in result.items]
            for message in self._lists.RecommendBatch(request, timeout=20)
            for result in message.results
        ]

    def write(self, *item_ids: str, kind: str = "purchase", time: int = NOW, **who: str) -> None:
        events = []
        for item_id in item_ids:
            self._written += 1
            moment = Timestamp(seconds=time + self._written)
            events.append(Event(item_id=item_id, event_type=kind, event_time=moment, **who))
        self._events.WriteEvents(WriteEventsRequest(events=events), timeout=20)

    def log_in(self, visitor_id: str, customer_id: str) -> None:
        request = IdentifyCustomerRequest(visitor_id=visitor_id, customer_id=customer_id)
        self._events.IdentifyCustomer(request, timeout=20)


@contextmanager
def opened(start: ServerFactory, recommender: Recommender, store: Store | None) -> Iterator[Shop]:
    running = start(
        answers=cast("SteeredRecommender", recommender), event_store=store, now=NOW + 3600.0
    )
    with grpc.insecure_channel(running.target) as channel:
        yield Shop(channel)


@pytest.fixture
def live(store: Store, start_server: ServerFactory, all_kinds: Fitted) -> Iterator[Shop]:
    recommender = assemble(all_kinds.pipeline, "one", LogPosition(store.id, 0))
    with opened(start_server, recommender, store) as shop:
        yield shop


def test_a_written_event_moves_the_list_of_every_kind_of_source(live: Shop) -> None:
    for place, placement in enumerate(PERSONAL):
        visitor, customer = f"v{place}", f"customer-{2 * place:02}"
        assert live.ids(placement, visitor_id=visitor) == []
        live.write("item-08", "item-20", visitor_id=visitor)
        told = live.ask(placement, visitor_id=visitor)
        assert (told.tier, told.live_event_count) == (TIER_SESSION, 2)
        live.write("item-11", "item-13", "item-09", visitor_id=visitor)
        assert list(live.ask(placement, visitor_id=visitor).items) != list(told.items) != []
        # A customer whom the bundle knows is moved as well.
        before = live.ask(placement, customer_id=customer)
        live.write("item-13", "item-09", "item-31", customer_id=customer)
        after = live.ask(placement, customer_id=customer)
        assert (before.tier, after.tier) == (TIER_PERSONALISED, TIER_PERSONALISED)
        assert (before.live_event_count, after.live_event_count) == (0, 3)
        assert list(before.items) != list(after.items)
        listed = [item.item_id for item in after.items]
        assert live.batch(placement, customer, "nobody") == [listed, []]


@pytest.mark.extra(name="torch")
def test_a_written_event_moves_the_list_of_a_sequence_model(
    store: Store, start_server: ServerFactory, shop: Dataset
) -> None:
    reader = {"kind": "sequence", "embedding_size": 8, "epochs": 2, "batch_size": 16, **BOTH}
    models = {"sequence": reader, "popular": MODELS["popular"]}
    fitted = fit(shop, config(models), end_time=END)
    with opened(start_server, assemble(fitted.pipeline, "one"), store) as live:
        assert live.ids("sequence", visitor_id="v") == []
        live.write("item-08", visitor_id="v")
        first = live.ids("sequence", visitor_id="v")
        live.write("item-11", visitor_id="v")
        assert first != live.ids("sequence", visitor_id="v") != []


def test_what_was_bought_a_moment_ago_is_left_out(live: Shop) -> None:
    first = live.ids("new", customer_id="customer-04")
    live.write(*first[:3], customer_id="customer-04")
    assert not set(first[:3]) & set(live.ids("new", customer_id="customer-04"))
    live.write(first[0], kind="return", time=NOW + 60, customer_id="customer-04")
    assert first[0] in live.ids("new", customer_id="customer-04")


def test_a_visitor_who_logs_in_is_the_customer(live: Shop) -> None:
    live.write("item-08", "item-20", visitor_id="v")
    anonymous = live.ask("item-item", visitor_id="v")
    customer = live.ask("item-item", customer_id="customer-05")
    live.log_in("v", "customer-05")
    told = live.ask("item-item", visitor_id="v")
    assert (anonymous.tier, told.tier) == (TIER_SESSION, TIER_PERSONALISED)
    same = live.ask("item-item", customer_id="customer-05")
    assert list(told.items) == list(same.items) != list(customer.items)
    live.write("item-30", visitor_id="v")
    assert live.ask("item-item", customer_id="customer-05").live_event_count == 3


def test_events_that_no_model_knows_change_nothing(live: Shop) -> None:
    before = live.ids("item-item", customer_id="customer-04")
    live.write("never-heard-of", customer_id="customer-04")
    live.write("item-08", kind="looked-at-in-the-dark", customer_id="customer-04")
    assert live.ids("item-item", customer_id="customer-04") == before


def test_a_bundle_of_the_log_counts_each_event_once(
    store: Store, start_server: ServerFactory, all_kinds: Fitted
) -> None:
    """What lies up to the bundle's position is in the bundle, and in no tail."""
    position = LogPosition(store.id, 2)
    with opened(start_server, assemble(all_kinds.pipeline, "one", position), store) as live:
        before = live.ids("item-item", customer_id="customer-04")
        live.write("item-08", "item-11", customer_id="customer-04")
        told = live.ask("item-item", customer_id="customer-04")
        assert [item.item_id for item in told.items] == before
        assert told.live_event_count == 0
        live.write("item-08", "item-11", customer_id="customer-04")
        assert live.ask("item-item", customer_id="customer-04").live_event_count == 2
        # Of whom the bundle knows nothing, everything is news.
        live.write("item-08", customer_id="somebody-new")
        assert live.ask("item-item", customer_id="somebody-new").live_event_count == 1


def test_without_the_store_the_bundle_answers_and_says_so(
    store: Store,
    start_server: ServerFactory,
    all_kinds: Fitted,
    log_lines: list[dict[str, Any]],
) -> None:
    recommender = assemble(all_kinds.pipeline, "one", LogPosition("another", 7))
    with opened(start_server, recommender, store) as live:
        before = live.ask("item-item", customer_id="customer-04")
        assert not before.live_state_missing
        with store.database.transaction() as session:
            session.execute("ALTER TABLE visitors RENAME TO gone")
        told = [live.ask("item-item", customer_id="customer-04") for _ in range(3)]
        assert all(each.live_state_missing for each in told)
        assert [list(each.items) for each in told] == [list(before.items)] * 3
        assert not live.ask("popular").live_state_missing
    events = [line["event"] for line in log_lines]
    assert events.count("live_state.missing") == 1
    assert events.count("live_state.foreign_bundle") == 1
