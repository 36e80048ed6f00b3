"""The table of misuses in docs/errors.md is what is really said."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.client import RecsysClient
from recsys.store.open import open_store
from tests.integration.serving.shop_server import shop_client
from tests.misuses import CALLS, COMMANDS, call, command, room, table

DOCUMENT = Path(__file__).parents[2] / "docs" / "errors.md"
BEGIN, END = "<!-- misuses: {} -->", "<!-- end -->"


@pytest.fixture
def client(bundle_root: Path, tmp_path: Path) -> Iterator[RecsysClient]:
    store = open_store(f"store://{tmp_path / 'store'}")
    with shop_client(bundle_root, store) as client:
        yield client
    store.close()


def hold_equal(name: str, rows: list[tuple[str, str]]) -> None:
    """Holds the table of this name equal to the rows; writes it where that is asked for."""
    assert all(told for _, told in rows), "each of them is refused"
    assert not any("Traceback" in told or "\n" in told for _, told in rows)
    before, begin, rest = DOCUMENT.read_text("utf-8").partition(BEGIN.format(name) + "\n")
    assert begin
    written, end, after = rest.partition("\n" + END)
    if os.environ.get("WRITE_MISUSES"):
        DOCUMENT.write_text(f"{before}{begin}{table(rows)}{end}{after}", "utf-8")
    else:
        assert written == table(rows)


def test_calls_of_the_client(client: RecsysClient) -> None:
    hold_equal("calls", [(slip.shown, call(slip, client)) for slip in CALLS])


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    room(tmp_path)
    rows = [(f"python -m {words}", command(words)) for words in COMMANDS]
    sys.modules.pop("own_sources", None)
    hold_equal("commands", [(done, told.replace(f"{tmp_path}/", "")) for done, told in rows])


def test_there_are_enough() -> None:
    assert len(CALLS) + len(COMMANDS) >= 24
