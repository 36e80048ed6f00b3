"""The log of what was shown gets shorter from a command line, and nothing else does."""

import time
from pathlib import Path

from recsys.store.open import open_store
from recsys.store.tables import impressions
from tests.integration.training.commands import in_process
from tests.shown import DAY, event, impression
from tests.stores import NOON


def test_old_lists_go_and_events_stay(tmp_path: Path) -> None:
    url = f"store://{tmp_path / 'store'}"
    store = open_store(url)
    recent = time.time_ns() // 1_000 - 2 * DAY - NOON
    store.log_impressions(
        [impression(f"old {place}", "anna", "tea") for place in range(1_500)]
        + [impression("recent", "anna", "tea", at=recent)]
    )
    store.append([event("view", "anna", "tea", at=1)])
    store.close()
    said = in_process("store", "trim", url, "--older-than", "30")
    assert said.status == 0
    assert "1,500 lists" in said.output
    with open_store(url, role="reader").read() as session:
        assert impressions.rows_of(session, ("number",), 0, 9_999, 9) == [(1_501,)]
        assert session.rows("SELECT COUNT(*) FROM events") == [(1,)]
    assert "0 lists" in in_process("store", "trim", url, "--older-than", "30").output


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    said = in_process("store", "trim", f"store://{tmp_path / 'none'}", "--older-than", "30")
    assert said.status == 1
    assert not (tmp_path / "none").exists()
