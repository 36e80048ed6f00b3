"""All four kinds of calls pass the boundary; methods of others pass it untouched."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
import structlog
from google.protobuf.message import DecodeError

from recsys.errors import InvalidQueryError
from serving.servicers.boundary import Boundary


def decode(raw: bytes) -> int:
    if not raw.isdigit():
        raise DecodeError("internal text")
    return int(raw)


def encode(number: int) -> bytes:
    return str(number).encode()


def double(number: int, _: Any) -> int:
    if number == 0:
        raise InvalidQueryError("number", "must not be 0")
    return 2 * number


def count(number: int, context: Any) -> Iterator[int]:
    yield from range(double(number, context))


def total(numbers: Iterator[int], context: Any) -> int:
    return sum(double(number, context) for number in numbers)


def doubles(numbers: Iterator[int], context: Any) -> Iterator[int]:
    for number in numbers:
        yield double(number, context)


def handlers(service: str, **codec: Any) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        service,
        {
            "uu": grpc.unary_unary_rpc_method_handler(double, **codec),
            "us": grpc.unary_stream_rpc_method_handler(count, **codec),
            "su": grpc.stream_unary_rpc_method_handler(total, **codec),
            "ss": grpc.stream_stream_rpc_method_handler(doubles, **codec),
            "raw": grpc.unary_unary_rpc_method_handler(lambda raw, _: raw),
        },
    )


@pytest.fixture
def channel() -> Iterator[grpc.Channel]:
    server = grpc.server(
        ThreadPoolExecutor(2),
        interceptors=[Boundary(unary_deadline_s=0.2, stream_deadline_s=0.5)],
    )
    codec = {"request_deserializer": decode, "response_serializer": encode}
    server.add_generic_rpc_handlers((handlers("recsys.t", **codec), handlers("other.t", **codec)))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    server.stop(None).wait()


def call(channel: grpc.Channel, method: str, requests: list[bytes]) -> list[bytes]:
    kind = method.rpartition("/")[2]
    makers: dict[str, Any] = {
        "uu": channel.unary_unary,
        "us": channel.unary_stream,
        "su": channel.stream_unary,
        "ss": channel.stream_stream,
        "raw": channel.unary_unary,
    }
    argument = iter(requests) if kind.startswith("s") else requests[0]
    answer = makers[kind](method)(argument, timeout=5)
    return list(answer) if kind.endswith("s") else [answer]


@pytest.mark.parametrize(
    ("kind", "requests", "answers"),
    [
        ("uu", [b"2"], [b"4"]),
        ("us", [b"2"], [b"0", b"1", b"2", b"3"]),
        ("su", [b"1", b"2"], [b"6"]),
        ("ss", [b"1", b"2"], [b"2", b"4"]),
        ("raw", [b"as it is"], [b"as it is"]),
    ],
)
def test_every_kind_is_answered(
    channel: grpc.Channel, kind: str, requests: list[bytes], answers: list[bytes]
) -> None:
    assert call(channel, f"/recsys.t/{kind}", requests) == answers


@pytest.mark.parametrize("kind", ["uu", "us", "su", "ss"])
@pytest.mark.parametrize(("bad", "text"), [(b"x", "not the protobuf message"), (b"0", "number")])
def test_every_kind_is_refused(channel: grpc.Channel, kind: str, bad: bytes, text: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(channel, f"/recsys.t/{kind}", [bad])
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert text in error.details()
    assert "internal text" not in error.details()


def test_methods_of_others_are_left_alone(channel: grpc.Channel) -> None:
    assert call(channel, "/other.t/uu", [b"2"]) == [b"4"]
    with pytest.raises(grpc.RpcError) as caught:
        call(channel, "/other.t/uu", [b"x"])
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.INTERNAL


def test_unknown_method_is_unimplemented(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(channel, "/recsys.t/none/uu", [b"2"])
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def finished(logged: list[Any]) -> Any:
    """Waits for the line of the call that ended last."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if lines := [line for line in logged if line["event"] == "rpc.finished"]:
            return lines[-1]
        time.sleep(0.01)
    raise AssertionError("no call ended")


@pytest.mark.parametrize("kind", ["su", "ss"])
def test_silent_callers_are_cancelled_at_the_servers_deadline(
    channel: grpc.Channel, kind: str, logged: list[Any]
) -> None:
    asked = threading.Event()

    def silent() -> Iterator[bytes]:
        yield b"1"
        asked.wait(10)

    makers = {"su": channel.stream_unary, "ss": channel.stream_stream}
    began = time.monotonic()
    call: Any = makers[kind](f"/recsys.t/{kind}")
    with pytest.raises(grpc.RpcError) as caught:
        list(call(silent())) if kind == "ss" else call(silent())
    asked.set()
    error: Any = caught.value
    # Whichever is first: the server's cancellation, or what the handler says of it.
    assert error.code() in {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
    assert time.monotonic() - began < 5
    assert finished(logged)["code"] in {"DEADLINE_EXCEEDED", "CANCELLED"}
    assert [line for line in logged if line["event"] == "rpc.failed"] == []


def test_slow_streams_end_at_the_servers_deadline(channel: grpc.Channel) -> None:
    def slow() -> Iterator[bytes]:
        while True:
            yield b"1"
            time.sleep(0.02)

    method: Any = channel.stream_unary("/recsys.t/su")
    with pytest.raises(grpc.RpcError) as caught:
        method(slow())
    error: Any = caught.value
    codes = {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
    assert error.code() in codes


def test_callers_who_leave_are_no_failure(channel: grpc.Channel, logged: list[Any]) -> None:
    left = threading.Event()

    def leaving() -> Iterator[bytes]:
        yield b"1"
        left.wait(10)

    method: Any = channel.stream_unary("/recsys.t/su")
    call = method.future(leaving(), timeout=9)
    time.sleep(0.1)
    call.cancel()
    try:
        # Not before: a stream that ends may overtake the cancellation.
        # On a busy machine the server's deadline may come before the caller leaves, and gRPC may
        # tell the end of the stream before it tells why.
        assert finished(logged)["code"] in {"CANCELLED", "DEADLINE_EXCEEDED", "OK"}
    finally:
        left.set()
    assert [line for line in logged if line["event"] == "rpc.failed"] == []
