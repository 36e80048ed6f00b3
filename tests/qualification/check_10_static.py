"""Check 10: `make check` is clean, and the tests cover at least nine tenths."""

from collections.abc import Iterator

from tests.qualification.check_01_bare_machine import COVERAGE, coverage_of
from tests.qualification.commands import checked
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, equal, figure

LEAST = 90.0


def run(room: Room) -> Iterator[Row]:
    """Checks a clone; the coverage is that of check 1 where it has run on this commit."""
    measured = {
        row.check.partition(": ")[2]: float(row.value)
        for row in room.known.of(1)
        if row.check.partition(": ")[2] in COVERAGE
    }
    with room.clone() as clone:
        outcome = room.make(clone, "10-check", "check")
        yield equal("make check, exit status", outcome.status, 0)
        yield figure("make check, seconds with its installation", outcome.seconds)
        if len(measured) < len(COVERAGE):
            checked(room.make(clone, "10-test", "test"), "make test")
            measured = coverage_of(clone)
    whole, branches = COVERAGE
    yield at_least(whole, measured[whole], LEAST)
    yield figure(branches, measured[branches])
