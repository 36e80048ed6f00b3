"""The one place that decides what a caller learns about an error.

`CATALOGUE` maps the reason of each domain error to a status code and says whether its text and
metadata may leave the server; a test holds it complete.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from recsys.errors import RecsysError

DOMAIN = "recsys"
HIDDEN_TEXT = "internal error; the server's log has it under this request id"
MAX_TEXT = 300
"""Characters of any text in a status: it travels in headers, of which a client accepts 8 KiB."""
MAX_VIOLATIONS = 50
MAX_VIOLATIONS_BYTES = 4_500
"""Of all violations together: base64 makes 6,000 of them, and the rest needs room too."""


class MalformedRequestError(RecsysError):
    """The bytes of a request are not the protobuf message that the method takes."""

    reason = "MALFORMED_REQUEST"


class DeadlinePassedError(RecsysError):
    """The call's deadline passed before its work began, or between two messages of a stream."""

    reason = "DEADLINE_PASSED"


class OverloadedError(RecsysError):
    """The server does as much of this work as it may; the call may be repeated later."""

    reason = "OVERLOADED"


class StartError(RecsysError):
    """The server cannot start, for a reason that is neither its settings nor its bundle."""

    reason = "CANNOT_START"


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """What a caller learns about one kind of error."""

    code: grpc.StatusCode
    public: bool
    """Whether text and metadata leave the server; otherwise only the reason INTERNAL does."""


_HIDDEN = ErrorSpec(grpc.StatusCode.INTERNAL, public=False)

CATALOGUE: Mapping[str, ErrorSpec] = {
    "BUNDLE_NOT_READY": ErrorSpec(grpc.StatusCode.UNAVAILABLE, public=True),
    "CANNOT_START": _HIDDEN,
    "CONTACT_TAKEN": ErrorSpec(grpc.StatusCode.FAILED_PRECONDITION, public=True),
    "DEADLINE_PASSED": ErrorSpec(grpc.StatusCode.DEADLINE_EXCEEDED, public=True),
    "INTERNAL": _HIDDEN,
    "INVALID_BATCH": ErrorSpec(grpc.StatusCode.INVALID_ARGUMENT, public=True),
    "INVALID_BUNDLE": _HIDDEN,
    "INVALID_CONFIG": _HIDDEN,
    "INVALID_DATA": _HIDDEN,
    "INVALID_EVENT": ErrorSpec(grpc.StatusCode.INVALID_ARGUMENT, public=True),
    "INVALID_FILTER": ErrorSpec(grpc.StatusCode.INVALID_ARGUMENT, public=True),
    "INVALID_ITEM": ErrorSpec(grpc.StatusCode.INVALID_ARGUMENT, public=True),
    "INVALID_OFFER": ErrorSpec(grpc.StatusCode.INVALID_ARGUMENT, public=True),
    "INVALID_QUERY": ErrorSpec(grpc.StatusCode.INVALID_ARGUMENT, public=True),
    "MALFORMED_REQUEST": ErrorSpec(grpc.StatusCode.INVALID_ARGUMENT, public=True),
    "OVERLOADED": ErrorSpec(grpc.StatusCode.RESOURCE_EXHAUSTED, public=True),
    "STORE_FULL": ErrorSpec(grpc.StatusCode.RESOURCE_EXHAUSTED, public=True),
    "STORE_NOT_CONFIGURED": ErrorSpec(grpc.StatusCode.FAILED_PRECONDITION, public=True),
    "STORE_REFUSED": _HIDDEN,
    "STORE_SCHEMA": _HIDDEN,
    "STORE_UNAVAILABLE": ErrorSpec(grpc.StatusCode.UNAVAILABLE, public=True),
    "UNKNOWN_ITEM": ErrorSpec(grpc.StatusCode.NOT_FOUND, public=True),
    "UNKNOWN_OFFER": ErrorSpec(grpc.StatusCode.NOT_FOUND, public=True),
    "UNKNOWN_PLAN": ErrorSpec(grpc.StatusCode.NOT_FOUND, public=True),
    "UNKNOWN_PLACEMENT": ErrorSpec(grpc.StatusCode.NOT_FOUND, public=True),
    "VISITOR_TAKEN": ErrorSpec(grpc.StatusCode.FAILED_PRECONDITION, public=True),
}


def is_public(error: Exception) -> TypeGuard[RecsysError]:
    """Says whether the text of this error may leave the server."""
    return isinstance(error, RecsysError) and CATALOGUE.get(error.reason, _HIDDEN).public


def to_status(error: Exception, request_id: str) -> grpc.Status:
    """Returns what the caller is told: a `google.rpc.Status` with `ErrorInfo` and violations."""
    details: list[any_pb2.Any] = []
    metadata = {"request_id": request_id}
    if is_public(error):
        spec, reason, text = CATALOGUE[error.reason], error.reason, _short(str(error))
        metadata |= {key: _short(value) for key, value in error.metadata.items()}
        details += _violations(error)
    else:
        spec, reason, text = _HIDDEN, "INTERNAL", HIDDEN_TEXT
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata)
    details.insert(0, _packed(info))
    code = code_pb2.Code.Value(spec.code.name)
    status = status_pb2.Status(code=code, message=text, details=details)
    answer: grpc.Status = rpc_status.to_status(status)
    return answer


def _violations(error: RecsysError) -> list[any_pb2.Any]:
    """Returns as many of the wrong fields as fit, as one detail; none without any."""
    bad = error_details_pb2.BadRequest()
    for field, description in error.violations[:MAX_VIOLATIONS]:
        bad.field_violations.add(field=_short(field), description=_short(description))
        if bad.ByteSize() > MAX_VIOLATIONS_BYTES:
            del bad.field_violations[-1]
            break
    return [_packed(bad)] if bad.field_violations else []


def _packed(detail: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
