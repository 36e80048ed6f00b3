"""Where the files are that tests share with the project but that are not in it."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("RECSYS_SHARED", "../shared"))
CASES = SHARED / "cases"
"""Exports in the exact shape of well-known systems, with `expected.toml` beside them."""

needs_cases = pytest.mark.skipif(
    not (CASES / "expected.toml").is_file(),
    reason=f"the handed exports are not at {CASES}: RECSYS_SHARED says where they are",
)
