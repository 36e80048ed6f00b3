"""From a list over the wire to its place in the report: token, log, event, figures."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from recsys.assembly import load_recommender
from recsys.bundle import current
from recsys.live.attribution import TOKEN_CHARACTERS, Tokens
from recsys.online.report import OnlineReport, report
from recsys.store.database import Row
from recsys.store.open import open_store
from recsys.store.store import Store
from recsys.store.tables import impressions
from recsys.v1 import recommendation_service_pb2 as pb
from recsys.v1.customer_service_pb2 import Consent, SetConsentRequest
from recsys.v1.customer_service_pb2_grpc import CustomerServiceStub
from recsys.v1.event_pb2 import Event
from recsys.v1.event_service_pb2 import IdentifyCustomerRequest, WriteEventsRequest
from recsys.v1.event_service_pb2_grpc import EventServiceStub
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from serving.server import Server
from serving.settings import ServingSettings

WAIT_S = 30


class Stubs(NamedTuple):
    lists: RecommendationServiceStub
    events: EventServiceStub
    customers: CustomerServiceStub


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"store://{tmp_path / 'store'}")
    yield opened
    opened.close()


@contextmanager
def serving(bundles: Path, store: Store | None, **settings: Any) -> Iterator[Stubs]:
    """Lends stubs of a server; what it answered is all in the store afterwards."""
    values = ServingSettings(bundles=bundles, drain_s=0, **settings)
    server = Server(values, current=current, load=load_recommender, store=store)
    port = server.listen(0)
    server.load()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            kinds = RecommendationServiceStub, EventServiceStub, CustomerServiceStub
            yield Stubs(*(kind(channel) for kind in kinds))
    finally:
        server.stop()


def asked(stubs: Stubs, **fields: Any) -> pb.RecommendResponse:
    request = pb.RecommendRequest(**{"placement": "for_you", "page_size": 3, **fields})
    return stubs.lists.Recommend(request, timeout=WAIT_S)


def logged(store: Store) -> list[dict[str, Any]]:
    with store.read() as session:
        rows: list[Row] = impressions.rows_of(session, impressions.COLUMNS, 0, 10**9, 10**9)
    return [dict(zip(impressions.COLUMNS, row, strict=True)) for row in rows]


def reported(store: Store) -> OnlineReport:
    now = time.time_ns() // 1_000 + 60_000_000
    return report(store, since=0, until=now, now=now)


def test_what_follows_from_a_list_is_in_the_report(bundle_root: Path, store: Store) -> None:
    with serving(bundle_root, store) as stubs:
        first = asked(stubs, customer_id="c-1", filter="price > 0", context_item_ids=["none"])
        other = asked(stubs, visitor_id="v-1")
        later = Timestamp()
        later.GetCurrentTime()
        item = other.items[0].item_id
        clicked = Event(
            customer_id="somebody",
            item_id="whatever",
            event_type="click",
            event_time=later,
            attribution_token=first.attribution_token,
        )
        bought = Event(
            customer_id="c-2", item_id=item, event_type="purchase", event_time=later, unit_price=5
        )
        stubs.events.WriteEvents(WriteEventsRequest(events=[clicked, bought]), timeout=WAIT_S)
        login = IdentifyCustomerRequest(visitor_id="v-1", customer_id="c-2")
        stubs.events.IdentifyCustomer(login, timeout=WAIT_S)
    [figures] = reported(store).figures
    assert figures.group == ("for_you", first.bundle_version, "", "")
    assert (figures.impressions, figures.customers, figures.lost) == (2, 2, 0)
    assert figures.click_through_rate.value == 0.5
    assert figures.conversion_rate.value == 0.5
    assert figures.revenue_per_thousand.value == 2_500
    row, _ = logged(store)
    query = json.loads(row["query"])
    assert query.pop("query_time") == first.query_time.seconds
    assert query.pop("basis")["control"] == first.bundle_version
    assert query == {"limit": 3, "filter": "price > 0", "context_item_ids": ["none"]}
    assert json.loads(row["item_ids"]) == [each.item_id for each in first.items]
    assert json.loads(row["scores"]) == pytest.approx([each.score for each in first.items])
    assert json.loads(row["sources"]) == [each.source for each in first.items]


def test_a_token_says_which_answer_it_was(bundle_root: Path, store: Store) -> None:
    before = time.time_ns() // 1_000_000
    with serving(bundle_root, store) as stubs:
        told = asked(stubs, customer_id="c-1")
        batch = pb.RecommendBatchRequest(customer_ids=["c-1", "c-2"], placement="popular")
        results = [
            result
            for message in stubs.lists.RecommendBatch(batch, timeout=WAIT_S)
            for result in message.results
        ]
    for answer, placement in ((told, "for_you"), *((each, "popular") for each in results)):
        assert 0 < len(answer.attribution_token) <= TOKEN_CHARACTERS
        shown = Tokens(store.secret).read(answer.attribution_token)
        assert shown is not None
        assert (shown.request_id, shown.placement) == (answer.request_id, placement)
        assert shown.bundle_version == told.bundle_version
        assert before <= shown.answer_time_ms <= time.time_ns() // 1_000_000
    assert [bytes(row["request_id"]).hex() for row in logged(store)] == [
        told.request_id,
        *(each.request_id for each in results),
    ]
    assert [row["customer_id"] for row in logged(store)] == ["c-1", "c-1", "c-2"]


def test_the_log_can_be_turned_off_and_tokens_stay(bundle_root: Path, store: Store) -> None:
    with serving(bundle_root, store, impressions=False) as stubs:
        token = asked(stubs, customer_id="c-1").attribution_token
    assert Tokens(store.secret).read(token) is not None
    assert logged(store) == []


def test_without_a_store_there_is_no_token(bundle_root: Path) -> None:
    with serving(bundle_root, None) as stubs:
        told = asked(stubs, customer_id="c-1")
    assert told.attribution_token == ""
    assert len(told.request_id) == 32


def test_without_consent_nobody_is_named(bundle_root: Path, store: Store) -> None:
    with serving(bundle_root, store) as stubs:
        refusal = SetConsentRequest(customer_id="c-1", consent=Consent(recommend_on_site=False))
        stubs.customers.SetConsent(refusal, timeout=WAIT_S)
        told = asked(stubs, customer_id="c-1")
        asked(stubs, customer_id="c-2")
    assert told.consent_refused
    assert [row["customer_id"] for row in logged(store)] == [None, "c-2"]
    assert "c-1" not in str(logged(store)[0])
