"""What a call can end with, as exceptions of the library."""

from collections.abc import Mapping

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from recsys.errors import (
    BundleNotReadyError,
    InvalidFilterError,
    InvalidQueryError,
    RecsysError,
    UnknownPlacementError,
)

STATUS_KEY = "grpc-status-details-bin"


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


def to_error(
    code: grpc.StatusCode, text: str | None, trailing: Mapping[str, str | bytes]
) -> RecsysError:
    """Returns the error of a call: the server's own where it says which, else by status code."""
    text = text or code.name
    info = _error_info(trailing)
    if info is None:
        return _BY_CODE.get(code, ServerError)(text)
    metadata = dict(info.metadata)
    match info.reason:
        case InvalidQueryError.reason if "field" in metadata:
            return InvalidQueryError(metadata["field"], metadata.get("description", text))
        case InvalidFilterError.reason if "position" in metadata:
            return InvalidFilterError(metadata.get("description", text), int(metadata["position"]))
        case UnknownPlacementError.reason if "placement" in metadata:
            known = tuple(metadata.get("known", "").split(","))
            return UnknownPlacementError(metadata["placement"], known)
        case BundleNotReadyError.reason:
            return BundleNotReadyError(text, **metadata)
        case _:
            return _BY_CODE.get(code, ServerError)(text, **metadata)


def _error_info(trailing: Mapping[str, str | bytes]) -> ErrorInfo | None:
    packed = trailing.get(STATUS_KEY)
    if not isinstance(packed, bytes):
        return None
    for detail in Status.FromString(packed).details:
        info = ErrorInfo()
        if detail.Unpack(info):
            return info
    return None
