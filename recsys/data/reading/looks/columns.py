"""Looks at columns and settings that went nowhere."""

from collections.abc import Iterator

from recsys.data.events import CUSTOMER_SCHEMA, ITEM_SCHEMA
from recsys.data.reading.looks.evidence import Evidence
from recsys.data.reading.looks.look import Look, listed, note, warning


def unused_columns(evidence: Evidence) -> Iterator[Look]:
    """Looks for columns of the events that nothing uses, and names the attributes."""
    watched = evidence.watch.tables.get("events")
    if watched is not None and watched.unused:
        yield note(
            "columns-not-used",
            "events",
            f"columns that are not used ({len(watched.unused):,}): {listed(watched.unused)}",
            "name the ones that matter; `properties` keeps what no model needs",
        )
    for table, frame, ours in (
        ("items", evidence.items, ITEM_SCHEMA),
        ("customers", evidence.customers, CUSTOMER_SCHEMA),
    ):
        names = [] if frame is None else [name for name in frame.columns if name not in ours]
        if names and table in evidence.watch.tables:
            yield note(
                "columns-became-attributes",
                table,
                f"columns kept as attributes ({len(names):,}): {listed(names)}",
                "filters and segments can use them; `drop` leaves out what should not be kept, "
                "such as names and addresses",
            )


def reading(evidence: Evidence) -> Iterator[Look]:
    """Passes on what readers, joins and links have to say of how the files were understood."""
    for table, notes in evidence.watch.notes.items():
        for text in dict.fromkeys(notes):
            yield note("reading", table, text)


def idle_settings(evidence: Evidence) -> Iterator[Look]:
    """Looks for settings of the mapping that had no effect on any row, or left no row."""
    for table in evidence.watch.tables:
        idle = list(_idle_rules(evidence, table))
        if not getattr(evidence.mapping, table).optional:
            # What a profile says is for every export of its kind, and needs no effect on one.
            idle = [*evidence.watch.effects.idle(table), *idle]
        for setting in idle:
            yield warning(
                "setting-without-effect",
                table,
                f"the mapping's [{table}] {setting} had no effect on any row",
                "correct it (the name of a column, the text of a value), or leave it out",
            )
        counts = evidence.tables.get(table)
        if counts is not None and counts.rows and not counts.kept and table != "events":
            yield warning(
                "no-row-left",
                table,
                f"none of {counts.rows:,} rows is left",
                "correct what `require` and `exclude` say, or leave the file out",
            )


def _idle_rules(evidence: Evidence, table: str) -> Iterator[str]:
    """Yields the rules that no row was left out by."""
    part = getattr(evidence.mapping, table)
    reasons = list(evidence.rejects.by_reason.get(table, ()))
    for setting in ("require", "exclude"):
        for column in (name for name in getattr(part, setting) if name not in part.optional):
            begin = f"{column}: left out by {setting}"
            if not any(reason.startswith(begin) for reason in reasons):
                yield f"{setting}.{column}"
