"""Check 7 of the live qualification, small: fitted, archived, served, erased, imported again."""

from pathlib import Path

from tests.qualification.live.check_07_erasure import Shop, erased
from tests.qualification.room import Room


def test_no_byte_of_an_erased_customer_is_left(tmp_path: Path) -> None:
    shop = Shop(tmp_path, f"store://{tmp_path / 'store'}", customers=60, events=1_500)
    rows = list(erased(Room(commit="", folder=tmp_path / "room"), shop, "SQLite"))
    # A busy machine is not a wrong answer.
    assert [row for row in rows if not row.holds and "seconds" not in row.check] == []
    assert len(rows) > 15
