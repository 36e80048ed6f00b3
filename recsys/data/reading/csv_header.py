"""Finds the header of a CSV file, names the columns, and tells headers from data and titles."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from recsys.data.event_names import bare
from recsys.data.reading.csv_records import CsvFormat, RecordJoiner
from recsys.data.reading.guess import CUSTOMER_NAMES, EVENT_NAMES, ITEM_NAMES

_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad\x00"
_EDGES = re.compile(rf"^[\s{_INVISIBLE}]+|[\s{_INVISIBLE}]+$")
_QUOTED = re.compile(r"""^(["'])(.*)\1$""", re.DOTALL)
_SEPARATOR_LINE = re.compile(r'^"?sep=(.)"?$', re.IGNORECASE)
_NUMBER = re.compile(r"^[-+]?\d[\d.,' ]*%?$")
_DATE = re.compile(r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}\b")
_UUID = re.compile(r"^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$", re.IGNORECASE)
_MAIL_OR_LINK = re.compile(r"^[^\s@]+@[^\s@]+\.\w+$|^https?://")
_DATA = (_NUMBER, _DATE, _UUID, _MAIL_OR_LINK)
_NAMES = frozenset(
    name
    for names in (EVENT_NAMES, ITEM_NAMES, CUSTOMER_NAMES)
    for ours, others in names.items()
    for name in (bare(ours), *others)
)
_ROWS_LIKE = 0.8
_FIRST_ROWS = 2


def separator_line(line: str) -> str | None:
    """Returns the delimiter that a line `sep=;` sets, as Excel writes and reads it."""
    found = _SEPARATOR_LINE.match(line)
    return None if found is None else found[1]


def has_usual_name(cells: Sequence[str]) -> bool:
    """Says whether one of the cells is what a column is usually called."""
    return any(bare(cell) in _NAMES for cell in cells)


def looks_like_data(cells: Sequence[str]) -> bool:
    """Says whether the first line of a file is a row of data rather than a header.

    It is if a cell is a number, a date, a UUID, an e-mail or a web address, and none is a usual
    name of a column.
    """
    if has_usual_name(cells):
        return False
    return any(pattern.match(cell.strip()) for cell in cells for pattern in _DATA)


def column_names(cells: Sequence[str]) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Returns the names of the columns, and what the later ones of a name are called.

    A name without text becomes `column_<place>`. Of equal names the first stays, the others become
    `name (2)`, `name (3)`.
    """
    bases = [_clean(cell) or f"column_{place}" for place, cell in enumerate(cells, start=1)]
    names: list[str] = []
    later: dict[str, tuple[str, ...]] = {}
    for base in bases:
        name, number = base, 1
        while name in names or (number > 1 and name in bases):
            number += 1
            name = f"{base} ({number})"
        names.append(name)
        if number > 1:
            later[base] = (*later.get(base, ()), name)
    return tuple(names), later


def repeated_notes(later: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Says of each name that stands several times what its later columns are called."""
    return tuple(
        f"column {base!r} stands twice: the second is {names[0]!r}"
        if len(names) == 1
        else f"column {base!r} stands {len(names) + 1} times: the others are "
        + ", ".join(map(repr, names))
        for base, names in later.items()
    )


def _clean(cell: str) -> str:
    name = _EDGES.sub("", cell)
    quoted = _QUOTED.match(name)
    name = _EDGES.sub("", quoted[2]) if quoted is not None else name
    return re.sub(r"\s*[\r\n]+\s*", " ", name)


def title_above(
    first: Sequence[str], lines: Sequence[str], form: CsvFormat
) -> tuple[int, list[str]] | None:
    """Finds the header below a title.

    Args:
        first: cells of the line that would be the header.
        lines: the lines below it, empty ones too.
        form: how cells are written; the width is not looked at.

    Returns:
        The place of the header among `lines` and its cells; None: `first` is the header.
    """
    rows = [(place, form.cells(line) or []) for place, line in enumerate(lines)]
    rows = [(place, row) for place, row in rows if sum(map(bool, row)) > 1]
    if len(rows) < _FIRST_ROWS or has_usual_name(first):
        return None
    width, count = Counter(len(row) for _, row in rows).most_common(1)[0]
    place, header = next((place, row) for place, row in rows if len(row) == width)
    filled = sum(bool(cell.strip()) for cell in first)
    if width < len(first) or count < _ROWS_LIKE * len(rows):
        return None
    # A title fills fewer cells than the names below it; a row of data may hold a usual name.
    if filled < sum(map(bool, header)) and has_usual_name(header):
        return place, header
    return (place, header) if filled == len(first) == 1 else None


def ends_with_separator(lines: Sequence[str], form: CsvFormat) -> bool:
    """Says whether nearly all rows have one cell more than the header, which is empty."""
    joiner = RecordJoiner(replace(form, trailing=True))
    records = [*joiner.records(pl.Series("line", lines, pl.String)), *joiner.rest()]
    rows = [form.cells(record) or [] for record in records]
    longer = sum(len(row) == form.width + 1 and not row[-1] for row in rows)
    return bool(rows) and longer >= _ROWS_LIKE * len(rows)
