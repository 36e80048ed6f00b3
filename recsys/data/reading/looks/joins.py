"""Looks at whether the ids of the events are those of the catalogue and the customer table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os.path import commonprefix
from pathlib import Path

import polars as pl

from recsys.data.reading.looks.evidence import Evidence
from recsys.data.reading.looks.facts import IdFacts
from recsys.data.reading.looks.look import Look, note, of, warning
from recsys.types import VISITOR_PREFIX

_FEW_JOIN = {"items": 0.5, "customers": 0.01}
"""A smaller share is probably wrong. Tables of customers often have the members of a club only."""
_MOST_JOIN = 0.95
_TRIED_IDS = 100_000
_MENDS = 0.5
"""A change that makes this share of the ids join that did not is worth saying."""
_DECIMAL = r"\.0+$"
_DIGITS = r"^\d+$"
_MARKS = "\"'`\u00a0\u200b\ufeff \t"
_SHORTEST_PREFIX = 2
_WHOSE = {
    "items": ("item_id", "item ids", "catalogue"),
    "customers": ("customer_id", "customer ids", "customer table"),
}


@dataclass(frozen=True, slots=True)
class Mend:
    """A change of the ids of one side, after which they join."""

    words: str
    joined: int
    """Of the ids that were tried, those that join after it."""
    mapping: str | None


def joins(evidence: Evidence) -> Iterator[Look]:
    """Looks at both tables."""
    if evidence.items is not None:
        yield from _joins(evidence, "items", evidence.items, evidence.facts.items)
    if evidence.customers is not None:
        yield from _joins(evidence, "customers", evidence.customers, evidence.facts.customers)


def _joins(evidence: Evidence, table: str, rows: pl.DataFrame, ids: IdFacts) -> Iterator[Look]:
    column, plural, name = _WHOSE[table]
    whole = ids.ids - ids.visitors
    if whole == 0 or ids.joined >= _MOST_JOIN * whole:
        return
    unjoined = _unjoined(evidence.events_file, column, rows)
    best = best_mend(unjoined, rows[column], column, table)
    text = f"{of(ids.joined, whole)} {plural} of the events are in the {name}"
    advice = "check that both files use the same ids, and that the table is complete"
    if best is not None:
        text += f"; {best.words}, {of(best.joined, len(unjoined))} of the others are"
        advice = (
            "make the ids alike in both files" if best.mapping is None else "add the lines below"
        )
    few = ids.joined < _FEW_JOIN[table] * whole
    yield (warning if few or best is not None else note)(
        f"{table}-do-not-join", table, text, advice, None if best is None else best.mapping
    )


def _unjoined(events_file: Path, column: str, rows: pl.DataFrame) -> pl.Series:
    """Returns ids of events that a table does not have, sorted, visitors apart."""
    ids = pl.scan_parquet(events_file, glob=False).select(pl.col(column).drop_nulls().unique())
    other = ids.join(rows.lazy().select(column), on=column, how="anti")
    named = other.filter(~pl.col(column).str.starts_with(VISITOR_PREFIX))
    return named.collect(engine="streaming")[column].sort().head(_TRIED_IDS)


def best_mend(ids: pl.Series, known: pl.Series, column: str, table: str) -> Mend | None:
    """Returns the change that makes the most ids join, of equal ones the simplest.

    Args:
        ids: distinct ids of events that the table does not have.
        known: distinct ids of the table.
        column: our name of the id.
        table: `items` or `customers`.
    """
    mends = [
        mend
        for change in (_zeros, _decimals, _marks, _case, _prefixes)
        for mend in change(ids, known, column, table)
        if mend.joined and mend.joined >= _MENDS * len(ids)
    ]
    return max(mends, key=lambda mend: mend.joined, default=None)


def _joined(ids: pl.Series, known: pl.Series) -> int:
    return int(ids.is_in(known.unique().implode()).sum())


def _width(ids: pl.Series) -> int:
    """Returns the length that all ids have, if they are digits; else 0."""
    lengths = ids.str.len_chars().unique()
    alike = len(lengths) == 1 and bool(ids.str.contains(_DIGITS).all())
    return int(lengths.item()) if alike else 0


def _zeros(ids: pl.Series, known: pl.Series, column: str, table: str) -> Iterator[Mend]:
    """Puts zeros in front, to the width of the other side's ids."""
    for part, width in (("events", _width(known)), (table, _width(ids))):
        if width:
            padded = ids.str.zfill(width) if part == "events" else ids
            others = known if part == "events" else known.str.zfill(width)
            yield Mend(
                f"with leading zeros ({width} digits)",
                _joined(padded, others),
                f"[{part}]\nid_width = {{ {column} = {width} }}",
            )


def _decimals(ids: pl.Series, known: pl.Series, column: str, table: str) -> Iterator[Mend]:
    """Drops the `.0` of whole numbers."""
    for part, side in (("events", ids), (table, known)):
        plain = side.str.replace(_DECIMAL, "")
        pair = (plain, known) if part == "events" else (ids, plain)
        yield Mend(
            f"without the .0 of the {part}",
            _joined(*pair),
            f'[{part}]\nwhole_number_ids = ["{column}"]',
        )


def _alike(words: str, change: Callable[[pl.Series], pl.Series]) -> Callable[..., Iterator[Mend]]:
    def both(ids: pl.Series, known: pl.Series, column: str, table: str) -> Iterator[Mend]:
        del column, table
        yield Mend(words, _joined(change(ids), change(known)), None)

    return both


_case = _alike("ignoring upper and lower case", lambda ids: ids.str.to_lowercase())
_marks = _alike("without the quotes around them", lambda ids: ids.str.strip_chars(_MARKS))


def _prefixes(ids: pl.Series, known: pl.Series, column: str, table: str) -> Iterator[Mend]:
    """Drops what all ids of a side begin with."""
    del column
    for part, side in (("events", ids), (table, known)):
        ordered = side.sort()
        ends = [str(ordered[0]), str(ordered[-1])] if len(ordered) else [""]
        prefix = commonprefix(ends)  # noqa: RUF071 - no paths
        # Digits at the end of what all begin with may be part of the ids themselves.
        prefix = prefix.rstrip("0123456789")
        if len(prefix) >= _SHORTEST_PREFIX:
            plain = side.str.strip_prefix(prefix)
            pair = (plain, known) if part == "events" else (ids, plain)
            yield Mend(f"without {prefix!r} in front, as the {part} have it", _joined(*pair), None)
