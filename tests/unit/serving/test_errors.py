"""The catalogue of errors is complete and lets out only what it says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from recsys.errors import (
    BundleError,
    FieldViolation,
    InvalidEventError,
    InvalidFilterError,
    InvalidQueryError,
    RecsysError,
)
from serving.errors import CATALOGUE, MAX_TEXT, MAX_VIOLATIONS, to_status

ROOT = Path(__file__).parents[3]


def error_classes(*packages: str) -> Iterator[tuple[str, str]]:
    """The file and the reason of each error, read from the sources: no import needs an extra."""
    files = [file for package in packages for file in sorted((ROOT / package).rglob("*.py"))]
    classes = [
        (str(file.relative_to(ROOT)), statement)
        for file in files
        for statement in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(statement, ast.ClassDef)
    ]
    errors = {RecsysError.__name__}
    while True:
        children = {
            one.name
            for _, one in classes
            if errors & {ast.unparse(base).rpartition(".")[2] for base in one.bases}
        }
        if children <= errors:
            break
        errors |= children
    for file, statement in classes:
        if statement.name in errors:
            yield file, reason_of(statement)


def reason_of(statement: ast.ClassDef) -> str:
    """What an error's own line `reason = "..."` says."""
    [reason] = [
        ast.literal_eval(line.value)
        for line in statement.body
        if isinstance(line, ast.Assign | ast.AnnAssign)
        and ast.unparse(line.targets[0] if isinstance(line, ast.Assign) else line.target)
        == "reason"
    ]
    return reason


def test_catalogue_has_exactly_the_errors_there_are() -> None:
    kinds = error_classes("recsys", "serving")
    assert set(CATALOGUE) == {
        reason for file, reason in kinds if file != "recsys/client/errors.py"
    }


def test_reasons_are_upper_snake_and_distinct() -> None:
    reasons = [
        reason for _, reason in error_classes("recsys", "serving", "training", "evaluation")
    ]
    assert len(set(reasons)) == len(reasons)
    for reason in reasons:
        assert reason.replace("_", "").isalpha()
        assert reason.isupper()
        assert len(reason) <= 63


def unpacked(status: grpc.Status) -> tuple[Status, ErrorInfo, BadRequest | None]:
    packed = dict(status.trailing_metadata or ())["grpc-status-details-bin"]
    assert isinstance(packed, bytes)
    message = Status.FromString(packed)
    info, bad = ErrorInfo(), BadRequest()
    assert message.details[0].Unpack(info)
    if len(message.details) == 1:
        return message, info, None
    assert message.details[1].Unpack(bad)
    return message, info, bad


def test_public_error_has_text_metadata_and_violation() -> None:
    status = to_status(InvalidQueryError("page_size", "must not be negative"), "r-1")
    message, info, bad = unpacked(status)
    assert status.code is grpc.StatusCode.INVALID_ARGUMENT
    assert message.message == status.details == "page_size: must not be negative"
    assert (info.reason, info.domain) == ("INVALID_QUERY", "recsys")
    assert info.metadata["request_id"] == "r-1"
    assert bad is not None
    assert bad.field_violations[0].field == "page_size"
    assert bad.field_violations[0].description == "must not be negative"


@pytest.mark.parametrize(
    "error", [BundleError("/srv/x: damaged", file="/srv/x"), KeyError("/srv/x")]
)
def test_hidden_error_says_only_that_there_was_one(error: Exception) -> None:
    message, info, bad = unpacked(to_status(error, "r-1"))
    assert info.reason == "INTERNAL"
    assert dict(info.metadata) == {"request_id": "r-1"}
    assert bad is None
    assert "srv" not in str(message)


def test_long_texts_are_cut() -> None:
    _, info, bad = unpacked(to_status(InvalidFilterError("x" * 10_000, 3), "r-1"))
    assert bad is not None
    assert len(bad.field_violations[0].description) == MAX_TEXT
    assert all(len(value) <= MAX_TEXT for value in info.metadata.values())


def test_many_violations_are_told_as_far_as_headers_go() -> None:
    usual = [FieldViolation(f"events[{n}].item_id", "must be given") for n in range(80)]
    _, info, bad = unpacked(to_status(InvalidEventError(usual), "r-1"))
    assert bad is not None
    told = [FieldViolation(each.field, each.description) for each in bad.field_violations]
    assert told == usual[:MAX_VIOLATIONS]
    assert info.metadata["field"] == "events[0].item_id"

    wordy = [FieldViolation("x" * 200, "y" * 400)] * 80
    status = to_status(InvalidEventError(wordy), "r-1")
    packed = dict(status.trailing_metadata or ())["grpc-status-details-bin"]
    assert len(packed) * 4 / 3 < 8_000
    _, _, bad = unpacked(status)
    assert bad is not None
    assert 5 < len(bad.field_violations) < 20
