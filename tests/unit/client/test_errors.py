"""The client raises what the server raised, where the contract says what that was."""

import pytest

from recsys.client import CallError, DeadlineExceededError, OverloadedError, RejectedError
from recsys.client.errors import to_error
from recsys.errors import (
    BundleNotReadyError,
    FieldViolation,
    InvalidBatchError,
    InvalidEventError,
    InvalidFilterError,
    InvalidQueryError,
    RecsysError,
    StoreFullError,
    StoreNotConfiguredError,
    StoreUnavailableError,
    UnknownPlacementError,
    VisitorTakenError,
)
from serving.errors import (
    DeadlinePassedError,
    MalformedRequestError,
    to_status,
)
from serving.errors import OverloadedError as ServerOverloadedError


def sent(error: RecsysError) -> RecsysError:
    status = to_status(error, "r-1")
    return to_error(status.code, status.details, dict(status.trailing_metadata or ()))


@pytest.mark.parametrize(
    "error",
    [
        InvalidQueryError("page_size", "must not be negative"),
        InvalidFilterError("unknown column", 7),
        UnknownPlacementError("nowhere", ("for_you", "popular")),
        BundleNotReadyError("still loading"),
        InvalidBatchError("events", "must have 1 to 10,000 elements, has 0"),
        InvalidEventError([FieldViolation("events[3].quantity", "must be above 0")]),
        InvalidEventError([FieldViolation(f"events[{n}].item_id", "must be") for n in range(9)]),
        StoreFullError("the disk is full"),
        StoreNotConfiguredError("no store"),
        StoreUnavailableError("cannot be used just now"),
        VisitorTakenError("another customer's"),
    ],
)
def test_domain_errors_arrive_as_they_were(error: RecsysError) -> None:
    received = sent(error)
    assert type(received) is type(error)
    assert str(received) == str(error)
    assert received.violations == error.violations
    assert received.metadata == {**error.metadata, "request_id": "r-1"}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MalformedRequestError("not a message"), RejectedError),
        (DeadlinePassedError("too late"), DeadlineExceededError),
        (ServerOverloadedError("too much"), OverloadedError),
    ],
)
def test_the_servers_own_errors_become_call_errors(
    error: RecsysError, kind: type[CallError]
) -> None:
    received = sent(error)
    assert type(received) is kind
    assert str(received) == str(error)
    assert received.metadata["request_id"] == "r-1"
