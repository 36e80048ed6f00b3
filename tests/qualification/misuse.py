"""Requests that are wrong or unusual, and what the server must answer to each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from recsys.v1 import recommendation_service_pb2 as pb
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from tests.qualification.rows import Row, says

METHOD = "/recsys.v1.RecommendationService/Recommend"
TIMEOUT_S = 30
TOO_LARGE = 9 * 2**20
"""Bytes; the server takes 8 MiB."""


@dataclass(frozen=True, slots=True)
class Misuse:
    """A call, and what its outcome must say: code, reason and the essential words."""

    what: str
    call: Callable[[grpc.Channel], Any]
    words: tuple[str, ...]


def _asking(**fields: Any) -> Callable[[grpc.Channel], Any]:
    request = pb.RecommendRequest(**{"placement": "for_you", **fields})
    return lambda channel: RecommendationServiceStub(channel).Recommend(request, timeout=TIMEOUT_S)


def _raw(content: bytes) -> Callable[[grpc.Channel], Any]:
    def call(channel: grpc.Channel) -> Any:
        method: Any = channel.unary_unary(METHOD)
        return method(content, timeout=TIMEOUT_S)

    return call


def _in_time(seconds: float | None) -> Callable[[grpc.Channel], Any]:
    request = pb.RecommendRequest(placement="for_you")
    return lambda channel: RecommendationServiceStub(channel).Recommend(request, timeout=seconds)


MISUSES = (
    Misuse(
        "unknown customer",
        _asking(customer_id="nobody-has-this-id", page_size=20),
        ("OK", "20 items", "TIER_POPULAR"),
    ),
    Misuse(
        "unknown context item",
        _asking(placement="similar_items", context_item_ids=["gone"]),
        ("OK", "10 items", "missing: gone"),
    ),
    Misuse(
        "bad filter",
        _asking(filter="price < AND brand = 'x'"),
        ("INVALID_ARGUMENT INVALID_FILTER", "filter:", "at character"),
    ),
    Misuse(
        "filter on an unknown column",
        _asking(filter="colour = 'red'"),
        ("INVALID_ARGUMENT INVALID_FILTER", "there is no column 'colour'", "at character"),
    ),
    Misuse(
        "filter that reads a file",
        _asking(filter="price < (SELECT a FROM read_csv('/etc/passwd'))"),
        ("INVALID_ARGUMENT INVALID_FILTER", "at character"),
    ),
    Misuse("page_size 0", _asking(page_size=0), ("OK", "10 items", "page_size 10")),
    Misuse("page_size 1000", _asking(page_size=1000), ("OK", "500 items", "page_size 500")),
    Misuse(
        "page_size -1",
        _asking(page_size=-1),
        ("INVALID_ARGUMENT INVALID_QUERY", "page_size: must not be negative, is -1"),
    ),
    Misuse(
        "unknown placement",
        _asking(placement="nowhere"),
        ("NOT_FOUND UNKNOWN_PLACEMENT", "'nowhere' is not one of for_you, discover"),
    ),
    Misuse(
        "oversized request",
        _asking(exclude_item_ids=["x" * 500] * (TOO_LARGE // 500)),
        ("RESOURCE_EXHAUSTED", "larger than max"),
    ),
    Misuse(
        "malformed protobuf",
        _raw(b"\x0a\x05ab"),
        ("INVALID_ARGUMENT MALFORMED_REQUEST", "not the protobuf message"),
    ),
    Misuse("caller's deadline expired", _in_time(0.0001), ("DEADLINE_EXCEEDED",)),
    Misuse(
        "server's deadline expired",
        _in_time(None),
        ("DEADLINE_EXCEEDED DEADLINE_PASSED", "deadline passed before the call was answered"),
    ),
)
"""In this order, against a server whose own deadline has always passed."""


def outcomes(target: str) -> Iterator[Row]:
    """Makes all calls over a real port."""
    options = [("grpc.max_send_message_length", -1)]
    for misuse in MISUSES:
        with grpc.insecure_channel(target, options) as channel:
            grpc.channel_ready_future(channel).result(TIMEOUT_S)
            yield says(misuse.what, outcome(misuse, channel), *misuse.words)


def outcome(misuse: Misuse, channel: grpc.Channel) -> str:
    """Returns code, reason and message of a refusal, or what was answered."""
    try:
        answer = misuse.call(channel)
    except grpc.RpcError as error:
        refused: Any = error
        status = rpc_status.from_call(refused)
        info = ErrorInfo()
        known = status is not None and status.details[0].Unpack(info)
        reason = info.reason if known else "(no reason)"
        return f"{refused.code().name} {reason}: {refused.details()}"
    missing = f", missing: {' '.join(answer.missing_item_ids)}" if answer.missing_item_ids else ""
    tier = pb.Tier.Name(answer.tier)
    return f"OK: {len(answer.items)} items, page_size {answer.page_size}, {tier}{missing}"
