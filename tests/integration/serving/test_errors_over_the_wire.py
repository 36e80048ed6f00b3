"""What a caller gets instead of an answer: code, reason, fields, and nothing that is internal."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from recsys.errors import BundleError, InvalidFilterError
from recsys.v1 import recommendation_service_pb2 as pb
from recsys.v1.event_pb2 import Event
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from tests.integration.serving.refusal import refusal
from tests.integration.serving.steered import RunningServer, ServerFactory

RECOMMEND = "/recsys.v1.RecommendationService/Recommend"


@pytest.fixture
def stub(channel: grpc.Channel) -> RecommendationServiceStub:
    return RecommendationServiceStub(channel)


def event(**changes: Any) -> Event:
    values: dict[str, Any] = {
        "item_id": "a",
        "event_type": "view",
        "event_time": Timestamp(seconds=1),
    }
    return Event(**(values | changes))


LONG = "x" * 513
WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"placement": ""}, "placement"),
    ({"page_size": -1}, "page_size"),
    ({"customer_id": LONG}, "customer_id"),
    ({"customer_id": "é" * 257}, "customer_id"),
    ({"customer_id": "a\nb"}, "customer_id"),
    ({"customer_id": "visitor/1"}, "customer_id"),
    ({"visitor_id": "\x7f"}, "visitor_id"),
    ({"customer_id": "c", "visitor_id": "v"}, "visitor_id"),
    ({"context_item_ids": ["a"] * 101}, "context_item_ids"),
    ({"context_item_ids": ["a", ""]}, "context_item_ids[1]"),
    ({"exclude_item_ids": ["a"] * 10_001}, "exclude_item_ids"),
    ({"exclude_item_ids": ["a", "b", LONG]}, "exclude_item_ids[2]"),
    ({"market": "\t"}, "market"),
    ({"events": [event()] * 501}, "events"),
    ({"events": [event(), event(event_type="")]}, "events[1].event_type"),
    ({"events": [event(event_type="x" * 65)]}, "events[0].event_type"),
    ({"events": [event(item_id=LONG)]}, "events[0].item_id"),
    ({"events": [*[event()] * 3, event(event_time=None)]}, "events[3].event_time"),
    ({"events": [event(event_time=Timestamp(seconds=-1))]}, "events[0].event_time"),
    ({"query_time": Timestamp(seconds=253_402_300_800)}, "query_time"),
    ({"query_time": Timestamp(nanos=-5)}, "query_time"),
    ({"item_fields": ["title", "colour"]}, "item_fields[1]"),
    ({"item_fields": ["markets"]}, "item_fields[0]"),
    ({"item_fields": ["title"] * 101}, "item_fields"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG_FIELDS, ids=lambda value: str(value)[:40])
def test_wrong_field_is_named(
    stub: RecommendationServiceStub, running: RunningServer, changes: dict[str, Any], field: str
) -> None:
    request = pb.RecommendRequest(**({"placement": "for_you"} | changes))
    refused = refusal(lambda: stub.Recommend(request, timeout=5))
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.reason == "INVALID_QUERY"
    assert refused.fields == [field]
    assert refused.message.startswith(f"{field}: must") or "not a catalogue" in refused.message
    assert not running.recommender.asked


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"customer_ids": []}, "customer_ids"),
        ({"customer_ids": ["c"] * 10_001}, "customer_ids"),
        ({"customer_ids": ["c", "visitor/1"]}, "customer_ids[1]"),
        ({"page_size": -3}, "page_size"),
        ({"exclude_item_ids": [""]}, "exclude_item_ids[0]"),
        ({"item_fields": ["colour"]}, "item_fields[0]"),
    ],
)
def test_wrong_field_of_a_batch_is_named(
    stub: RecommendationServiceStub, changes: dict[str, Any], field: str
) -> None:
    values = {"placement": "for_you", "customer_ids": ["c"]} | changes
    request = pb.RecommendBatchRequest(**values)
    refused = refusal(lambda: list(stub.RecommendBatch(request, timeout=5)))
    assert (refused.code, refused.fields) == (grpc.StatusCode.INVALID_ARGUMENT, [field])


def test_longest_allowed_values_pass(stub: RecommendationServiceStub) -> None:
    request = pb.RecommendRequest(
        placement="for_you",
        customer_id="é" * 256,
        context_item_ids=["a"] * 100,
        exclude_item_ids=["b"] * 10_000,
        events=[event()] * 500,
        query_time=Timestamp(seconds=253_402_300_799),
    )
    assert len(stub.Recommend(request, timeout=5).items) == 3


def test_unknown_placement_names_the_known_ones(stub: RecommendationServiceStub) -> None:
    request = pb.RecommendRequest(placement="nowhere")
    refused = refusal(lambda: stub.Recommend(request, timeout=5))
    assert refused.code is grpc.StatusCode.NOT_FOUND
    assert refused.reason == "UNKNOWN_PLACEMENT"
    assert refused.metadata["known"] == "for_you,popular"


def test_filter_error_has_its_position(
    stub: RecommendationServiceStub, running: RunningServer
) -> None:
    def refuse(_: Any) -> None:
        raise InvalidFilterError("colour is not a column", 7)

    running.recommender.before = refuse
    request = pb.RecommendRequest(placement="for_you", filter="x OR y colour")
    refused = refusal(lambda: stub.Recommend(request, timeout=5))
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert (refused.reason, refused.fields) == ("INVALID_FILTER", ["filter"])
    assert refused.metadata["position"] == "7"


@pytest.mark.parametrize("method", [RECOMMEND, RECOMMEND + "Batch"])
@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"\x0a\x05ab", b"\x0a\x02\xff\xfe"])
def test_malformed_bytes_are_the_callers_fault(
    channel: grpc.Channel, method: str, raw: bytes
) -> None:
    call: Any = channel.unary_stream(method)
    refused = refusal(lambda: list(call(raw, timeout=5)))
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.reason == "MALFORMED_REQUEST"


@pytest.mark.parametrize(
    "error",
    [
        ValueError("secret of /srv/bundles"),
        BundleError("/srv/bundles/x: damaged", file="/srv/bundles/x"),
    ],
)
def test_internal_errors_keep_their_text(
    stub: RecommendationServiceStub,
    running: RunningServer,
    log_lines: list[dict[str, Any]],
    error: Exception,
) -> None:
    def fail(_: Any) -> None:
        raise error

    running.recommender.before = fail
    request = pb.RecommendRequest(placement="for_you", customer_id="c-secret")
    metadata = (("x-request-id", "call-7"),)
    refused = refusal(lambda: stub.Recommend(request, timeout=5, metadata=metadata))
    assert refused.code is grpc.StatusCode.INTERNAL
    assert refused.reason == "INTERNAL"
    assert refused.metadata == {"request_id": "call-7"}
    assert "srv" not in refused.message
    [failed] = [line for line in log_lines if line["event"] == "rpc.failed"]
    assert failed["exc_info"] is error
    assert failed["request_id"] == "call-7"


def test_request_id_comes_back_on_success(stub: RecommendationServiceStub) -> None:
    request = pb.RecommendRequest(placement="for_you")
    _, given = stub.Recommend.with_call(request, timeout=5, metadata=(("x-request-id", "r.1"),))
    assert ("x-request-id", "r.1") in [tuple(pair) for pair in given.trailing_metadata()]
    for unsafe in ("", "x" * 65, 'a"b'):
        pairs = (("x-request-id", unsafe),)
        _, call = stub.Recommend.with_call(request, timeout=5, metadata=pairs)
        made = dict(call.trailing_metadata())["x-request-id"]
        assert made != unsafe
        assert len(made) == 32


def test_oversized_request_is_refused(start_server: ServerFactory) -> None:
    running = start_server(max_request_bytes=10_000)
    request = pb.RecommendRequest(placement="for_you", exclude_item_ids=["x" * 400] * 30)
    with grpc.insecure_channel(running.target) as channel, pytest.raises(grpc.RpcError) as caught:
        RecommendationServiceStub(channel).Recommend(request, timeout=5)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in error.details()


def test_longest_status_fits_the_headers(
    stub: RecommendationServiceStub, running: RunningServer
) -> None:
    def refuse(_: Any) -> None:
        raise InvalidFilterError("茶" * 5_000, 1)

    running.recommender.before = refuse
    request = pb.RecommendRequest(placement="for_you")
    refused = refusal(lambda: stub.Recommend(request, timeout=5))
    assert refused.reason == "INVALID_FILTER"


class Gate:
    """Holds every call until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()

    def __call__(self, _: Any) -> None:
        self.entered.release()
        assert self.opened.wait(20)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


def test_expired_call_does_no_work(start_server: ServerFactory, gate: Gate) -> None:
    running = start_server(threads=1)
    running.recommender.before = gate
    with grpc.insecure_channel(running.target) as channel, ThreadPoolExecutor(1) as pool:
        stub = RecommendationServiceStub(channel)
        request = pb.RecommendRequest(placement="for_you")
        first = pool.submit(stub.Recommend, request, timeout=20)
        assert gate.entered.acquire(timeout=10)
        with pytest.raises(grpc.RpcError) as caught:
            stub.Recommend(pb.RecommendRequest(placement="popular"), timeout=0.2)
        error: Any = caught.value
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        gate.opened.set()
        assert len(first.result(20).items) == 4
        stub.Recommend(request, timeout=20)
    assert [query.placement for query in running.recommender.asked] == ["for_you", "for_you"]


def test_server_has_its_own_deadline(start_server: ServerFactory, gate: Gate) -> None:
    running = start_server(threads=1, deadline_s=0.2)
    running.recommender.before = gate
    with grpc.insecure_channel(running.target) as channel, ThreadPoolExecutor(2) as pool:
        stub = RecommendationServiceStub(channel)
        first = pool.submit(stub.Recommend, pb.RecommendRequest(placement="for_you"), timeout=20)
        assert gate.entered.acquire(timeout=10)
        waiting = stub.Recommend.future(pb.RecommendRequest(placement="popular"))
        threading.Event().wait(0.5)
        gate.opened.set()
        refused = refusal(waiting.result)
        assert len(first.result(20).items) == 4
    assert refused.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert refused.reason == "DEADLINE_PASSED"
    assert len(running.recommender.asked) == 1


def test_batch_stops_at_the_servers_deadline(start_server: ServerFactory) -> None:
    running = start_server(batch_deadline_s=0.3)
    running.recommender.before = lambda _: threading.Event().wait(0.2)
    request = pb.RecommendBatchRequest(customer_ids=["c"] * 1_000, placement="for_you")
    with grpc.insecure_channel(running.target) as channel:
        call = RecommendationServiceStub(channel).RecommendBatch(request)
        refused = refusal(lambda: list(call))
    assert refused.reason == "DEADLINE_PASSED"
    assert 64 <= len(running.recommender.asked) <= 192


def test_overload_is_refused_at_once(start_server: ServerFactory, gate: Gate) -> None:
    running = start_server(threads=1, maximum_concurrent_rpcs=2)
    running.recommender.before = gate
    with grpc.insecure_channel(running.target) as channel, ThreadPoolExecutor(2) as pool:
        stub = RecommendationServiceStub(channel)
        request = pb.RecommendRequest(placement="for_you")
        first = pool.submit(stub.Recommend, request, timeout=20)
        assert gate.entered.acquire(timeout=10)
        second = stub.Recommend.future(request, timeout=20)
        codes = []
        while grpc.StatusCode.RESOURCE_EXHAUSTED not in codes:
            third = stub.Recommend.future(request, timeout=0.5)
            codes.append(third.code())
        gate.opened.set()
        assert len(first.result(20).items) == 4
        assert len(second.result(20).items) == 4


def test_batches_leave_threads_to_pages(start_server: ServerFactory, gate: Gate) -> None:
    running = start_server(threads=2, concurrent_batches=1)
    batch = pb.RecommendBatchRequest(customer_ids=["c"], placement="for_you")
    with grpc.insecure_channel(running.target) as channel:
        stub = RecommendationServiceStub(channel)
        running.recommender.before = gate
        held = stub.RecommendBatch(batch, timeout=20)
        assert gate.entered.acquire(timeout=10)
        refused = refusal(lambda: list(stub.RecommendBatch(batch, timeout=20)))
        assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert refused.reason == "OVERLOADED"
        gate.opened.set()
        assert len(list(held)) == 1
        assert len(list(stub.RecommendBatch(batch, timeout=20))) == 1


def test_not_ready_is_unavailable(start_server: ServerFactory) -> None:
    running = start_server(loaded=False)
    with grpc.insecure_channel(running.target) as channel:
        stub = RecommendationServiceStub(channel)
        request = pb.RecommendRequest(placement="for_you")
        refused = refusal(lambda: stub.Recommend(request, timeout=5))
    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "BUNDLE_NOT_READY")


def test_every_method_is_logged_once_without_ids(
    stub: RecommendationServiceStub, log_lines: list[dict[str, Any]]
) -> None:
    metadata = (("x-request-id", "r-1"),)
    request = pb.RecommendRequest(placement="for_you", customer_id="c-secret", page_size=2)
    stub.Recommend(request, timeout=5, metadata=metadata)
    batch = pb.RecommendBatchRequest(placement="for_you", customer_ids=["c-secret", "d"])
    list(stub.RecommendBatch(batch, timeout=5, metadata=metadata))
    refusal(lambda: stub.Recommend(pb.RecommendRequest(), timeout=5, metadata=metadata))
    lines = [line for line in log_lines if line["event"] == "rpc.finished"]
    assert [line["code"] for line in lines] == ["OK", "OK", "INVALID_ARGUMENT"]
    assert all(line["request_id"] == "r-1" and line["duration_ms"] > 0 for line in lines)
    assert lines[0]["method"] == RECOMMEND
    assert lines[0]["bundle_version"] == "20170101T000000-one"
    assert (lines[0]["placement"], lines[0]["items"]) == ("for_you", 2)
    assert (lines[1]["customers"], lines[1]["items"]) == (2, 8)
    assert lines[2]["reason"] == "INVALID_QUERY"
    assert "c-secret" not in json.dumps(lines)
