"""The journal: what is tried next does not depend on who was killed on the way."""

import pytest

from recsys.errors import ConfigError
from recsys.tuning.folder import alone, mend
from recsys.tuning.journal import FILE, STARTUP, Journal
from recsys.tuning.spaces import Range

pytestmark = pytest.mark.extra(name="tune")
RANGES = {"size": Range(low=8, high=64, log=True), "power": Range(low=0, high=1)}
WHOLE = {"size"}


def tell(journal: Journal, times: int) -> list[dict[str, float]]:
    found = []
    for _ in range(times):
        proposal = journal.propose("a", RANGES, WHOLE)
        found.append(proposal.drawn)
        proposal.tell(-abs(proposal.drawn["power"] - 0.3), {"name": "x"})
    return found


def test_interruptions_change_nothing(tmp_path):
    whole = tell(Journal(tmp_path, seed=1), STARTUP + 6)
    assert len({each["power"] for each in whole}) == len(whole)
    other = tmp_path / "other"
    other.mkdir()
    parts = []
    for _ in range(STARTUP + 6):
        journal = Journal(other, seed=1)
        journal.propose("a", RANGES, WHOLE)  # and killed: nothing is told
        parts += tell(Journal(other, seed=1), 1)
    assert parts == whole
    assert all(isinstance(each["size"], int) and 8 <= each["size"] <= 64 for each in whole)


def test_another_seed_and_another_line_draw_others(tmp_path):
    journal = Journal(tmp_path, seed=1)
    one, line = journal.propose("a", RANGES, WHOLE), journal.propose("b", RANGES, WHOLE)
    other = tmp_path / "other"
    other.mkdir()
    seed = Journal(other, seed=2).propose("a", RANGES, WHOLE)
    assert len({one.drawn["power"], line.drawn["power"], seed.drawn["power"]}) == 3


def test_the_search_goes_where_it_is_good(tmp_path):
    drawn = [each["power"] for each in tell(Journal(tmp_path, seed=1), 40)]
    late = [abs(power - 0.3) for power in drawn[-15:]]
    assert sum(late) / len(late) < 0.15


def test_what_was_told_is_there_again(tmp_path):
    journal = Journal(tmp_path, seed=1)
    journal.add("a", {"size": 9, "power": 0.5}, RANGES, 0.7, {"name": "menu"})
    journal.propose("a", RANGES, WHOLE).tell(None, {"name": "far", "given_up": "far below"})
    menu, given_up = Journal(tmp_path, seed=1).tried("a")
    assert (menu.figure, menu.outcome, menu.from_menu) == (0.7, {"name": "menu"}, True)
    assert (given_up.figure, given_up.outcome["name"], given_up.from_menu) == (None, "far", False)


def test_the_first_is_what_it_should_be_even_after_a_kill(tmp_path):
    first = {"size": 31, "power": 0.05}
    for _ in range(2):
        proposal = Journal(tmp_path, seed=1).propose("a", RANGES, WHOLE, first=first)
        assert proposal.drawn == first
    proposal.tell(0.1, {"name": "first"})
    assert Journal(tmp_path, seed=1).propose("a", RANGES, WHOLE, first=first).drawn != first


def test_a_torn_line_and_a_left_lock_are_mended(tmp_path):
    tell(Journal(tmp_path, seed=1), 2)
    file = tmp_path / FILE
    with file.open("a") as out:
        out.write('{"op_code": 4, "stu')
    (tmp_path / f"{FILE}.lock").symlink_to(file)
    journal = Journal(tmp_path, seed=1)
    assert len(journal.tried("a")) == 2
    tell(journal, 1)
    assert len(Journal(tmp_path, seed=1).tried("a")) == 3


def test_a_file_without_a_fault_stays_as_it_is(tmp_path):
    file = tmp_path / "log"
    mend(file)
    assert not file.exists()
    file.write_text("one\ntwo\n")
    mend(file)
    assert file.read_text() == "one\ntwo\n"


def test_one_process_at_a_time(tmp_path):
    folder = tmp_path / "new" / "study"
    wrong = pytest.raises(ConfigError, match="another tuning is at work")
    with alone(folder), wrong, alone(folder):
        pass
    with alone(folder):
        assert folder.is_dir()
