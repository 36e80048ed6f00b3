"""What the log tells of an error, and what it keeps to itself."""

import sys
from typing import Any

from recsys.errors import BundleError
from serving.logs import without_ids

CANARY = "canary-71c9"


def logged(error: Exception) -> list[dict[str, Any]]:
    try:
        try:
            {}[CANARY]
        except KeyError as cause:
            cause.add_note(CANARY)
            raise error from cause
    except type(error):
        found = sys.exc_info()
        assert found[0] is not None
        return without_ids(found)


def test_texts_that_may_hold_an_id_are_left_out() -> None:
    stacks = logged(ValueError(f"no such customer: {CANARY}"))
    assert CANARY not in repr(stacks)
    assert [stack["exc_type"] for stack in stacks] == ["ValueError", "KeyError"]
    assert all(stack["frames"][-1]["name"] == "logged" for stack in stacks)


def test_texts_of_our_own_errors_and_of_files_stay() -> None:
    for error in (BundleError("manifest.json: damaged"), FileNotFoundError("manifest.json")):
        stacks = logged(error)
        assert "manifest.json" in stacks[0]["exc_value"]
        assert CANARY not in repr(stacks)
