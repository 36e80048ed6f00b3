"""Which kept bundles know a customer, and what they know."""

import shutil
from pathlib import Path

import pytest

from recsys.bundle import current
from recsys.errors import BundleError
from serving.state.held_bundles import holding, records

KNOWN = "customer-02"


@pytest.fixture
def root(bundle_root: Path, tmp_path: Path) -> Path:
    """Three bundles, the middle one current."""
    bundle = current(bundle_root)
    for number in range(3):
        shutil.copytree(bundle, tmp_path / f"2026010{number}T000000Z-abc")
    (tmp_path / "current").write_text("20260101T000000Z-abc\n")
    return tmp_path


def test_bundles_that_know_a_customer_are_listed_with_their_end(root: Path) -> None:
    held = holding(root, ["nobody", KNOWN], "store")
    assert [each.current for each in held] == [False, True, False]
    assert [each.newer_until_removed for each in held] == [3, 4, 5]
    assert {each.position for each in held} == {0}
    assert holding(root, ["nobody"], "store") == []
    assert holding(root / "none", [KNOWN], "store") == []


def test_a_bundle_that_cannot_be_read_may_hold_anybody(root: Path) -> None:
    damaged = root / "20260102T000000Z-abc"
    (damaged / "customers" / "offsets.npy").write_bytes(b"not an array")
    assert [each.bundle_version for each in holding(root, ["nobody"], "store")] == [damaged.name]
    with pytest.raises(BundleError, match="damaged"):
        list(records(root, [KNOWN]))


def test_what_bundles_know_is_told_row_by_row(root: Path) -> None:
    told = list(records(root, [KNOWN]))
    first, second, *rows = [each for each in told if each["bundle_version"].startswith("20260100")]
    assert first["attributes"]
    assert any(label.startswith("rfm=") for label in second["segments"])
    assert {row["event_type"] for row in rows} == {"view", "purchase"}
    assert all(row["days"] >= 1 and row["first_time"] <= row["last_time"] for row in rows)
    assert len(told) == 3 * (len(rows) + 2)
    assert list(records(root, ["nobody"])) == []
