"""What a call can end with, as exceptions of the library."""

from collections.abc import Mapping, Sequence

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from recsys.errors import (
    BundleNotReadyError,
    ContactTakenError,
    FieldViolation,
    InvalidBatchError,
    InvalidEventError,
    InvalidFilterError,
    InvalidItemError,
    InvalidOfferError,
    InvalidQueryError,
    RecsysError,
    StoreFullError,
    StoreNotConfiguredError,
    StoreUnavailableError,
    UnknownItemError,
    UnknownOfferError,
    UnknownPlacementError,
    UnknownPlanError,
    VisitorTakenError,
)

STATUS_KEY = "grpc-status-details-bin"


class ArgumentError(InvalidQueryError, ValueError):
    """An argument of a call is wrong, or there is none of this name; nothing was sent."""

    reason = "INVALID_ARGUMENT"


class CallError(RecsysError):
    """A call got no answer. `metadata` has the server's `request_id`, if it got that far."""

    reason = "CALL_FAILED"


class UnavailableError(CallError):
    """No server could be reached, or none has loaded its bundle; retries were in vain."""

    reason = "UNAVAILABLE"


class DeadlineExceededError(CallError):
    """No answer came in time."""

    reason = "DEADLINE_EXCEEDED"


class OverloadedError(CallError):
    """The server refused for load, or for the size of the request or of the answer."""

    reason = "RESOURCE_EXHAUSTED"


class RejectedError(CallError):
    """The server does not understand the call: its contract is another version."""

    reason = "REJECTED"


class ServerError(CallError):
    """The server failed; its log says why under the `request_id` in `metadata`."""

    reason = "SERVER_FAILED"


_BY_CODE: Mapping[grpc.StatusCode, type[CallError]] = {
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: OverloadedError,
    grpc.StatusCode.UNIMPLEMENTED: RejectedError,
    grpc.StatusCode.INVALID_ARGUMENT: RejectedError,
}


_HINTS: Mapping[grpc.StatusCode, str] = {
    grpc.StatusCode.UNAVAILABLE: (
        ". Is a server running there? `recsys serve --bundles FOLDER --port PORT` starts "
        "one; wait_until_ready() waits until it has loaded its bundle"
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: (
        ": no answer came within timeout_s. Allow more seconds, in the call or in the client, or "
        "ask for less"
    ),
}
"""What a caller can do, where gRPC and not a server speaks."""

_AS_THEY_ARE: Mapping[str, type[RecsysError]] = {
    kind.reason: kind
    for kind in (
        BundleNotReadyError,
        ContactTakenError,
        StoreFullError,
        StoreNotConfiguredError,
        StoreUnavailableError,
        UnknownItemError,
        UnknownOfferError,
        UnknownPlanError,
        VisitorTakenError,
    )
}
"""Errors that are made of a text and metadata alone."""
_OF_FIELDS: Mapping[str, type[InvalidEventError | InvalidItemError | InvalidOfferError]] = {
    kind.reason: kind for kind in (InvalidEventError, InvalidItemError, InvalidOfferError)
}


def not_ready(targets: str, timeout_s: float) -> UnavailableError:
    """Returns the error of waiting in vain for a server."""
    hint = _HINTS[grpc.StatusCode.UNAVAILABLE].partition(";")[0]
    text = f"no server was ready within {timeout_s:g} s at {targets}"
    return UnavailableError(f"{text}{hint}. Or it is still loading: its log says so")


def from_rpc_error(error: grpc.RpcError) -> RecsysError:
    """Returns the library's error for gRPC's, of threads or of asyncio."""
    if not isinstance(error, grpc.Call | grpc.aio.AioRpcError):
        raise TypeError("gRPC raised an error that is not a call") from error
    return to_error(error.code(), error.details(), dict(error.trailing_metadata() or ()))


def to_error(
    code: grpc.StatusCode, text: str | None, trailing: Mapping[str, str | bytes]
) -> RecsysError:
    """Returns the error of a call: the server's own where it says which, else by status code."""
    text = text or code.name
    info, violations = _details(trailing)
    if info is None:
        return _BY_CODE.get(code, ServerError)(text + _HINTS.get(code, ""))
    metadata = dict(info.metadata)
    error = _domain_error(info.reason, text, metadata, violations)
    error = error or _BY_CODE.get(code, ServerError)(text)
    error.metadata = {**error.metadata, **metadata}
    return error


def _domain_error(
    reason: str, text: str, metadata: Mapping[str, str], violations: Sequence[FieldViolation]
) -> RecsysError | None:
    match reason:
        case InvalidQueryError.reason if "field" in metadata:
            return InvalidQueryError(metadata["field"], metadata.get("description", text))
        case InvalidBatchError.reason if "field" in metadata:
            return InvalidBatchError(metadata["field"], metadata.get("description", text))
        case _ if reason in _OF_FIELDS and violations:
            return _OF_FIELDS[reason](violations)
        case InvalidFilterError.reason if "position" in metadata:
            return InvalidFilterError(
                metadata.get("description", text),
                int(metadata["position"]),
                field=metadata.get("field", "filter"),
            )
        case UnknownPlacementError.reason if "placement" in metadata:
            known = tuple(metadata.get("known", "").split(","))
            return UnknownPlacementError(metadata["placement"], known)
        case _:
            kind = _AS_THEY_ARE.get(reason)
            return None if kind is None else kind(text)


def _details(
    trailing: Mapping[str, str | bytes],
) -> tuple[ErrorInfo | None, list[FieldViolation]]:
    """Returns what a status says besides its code: the reason, and which fields are wrong."""
    packed = trailing.get(STATUS_KEY)
    if not isinstance(packed, bytes):
        return None, []
    info, bad, found = ErrorInfo(), BadRequest(), None
    for detail in Status.FromString(packed).details:
        if detail.Unpack(info):
            found = info
        detail.Unpack(bad)
    return found, [FieldViolation(each.field, each.description) for each in bad.field_violations]
