"""Reads of test parts, each noted in `docs/test-reads.csv`."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from evaluation.benchmark.command import DOCS
from evaluation.benchmark.results import append_read
from tests.qualification.rows import Row


def note(command: str, name: str, rows: Iterable[Row]) -> Iterator[Row]:
    """Passes rows on, and notes that the test part of a set was read for them.

    Args:
        command: what was run, such as `qualify-quality`.
        name: of the set.
        rows: what was found.
    """
    told = []
    for row in rows:
        told.append(f"{row.check} {row.value}")
        yield row
    append_read(DOCS / "test-reads.csv", name, f"{command}: {'; '.join(told)}", datetime.now(UTC))
