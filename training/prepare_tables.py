"""Shows a load on the terminal: where columns came from, and the data report."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from recsys.data.reading.columns import MappedColumn
from recsys.data.reading.looks.look import Look, Severity
from recsys.data.reading.report import DataReport

WIDTH = 80
"""Columns of a usual terminal, which tables fit; report.json has everything."""
_SHOWN_TYPES = 6
_SHOWN_UNKNOWN = 5
_SHOWN_COLUMNS = 5
_MOST_MONTHS = 36
_SEVERITY_WIDTH = len(Severity.WARNING.value) + 1
_TABLE_WIDTH = len("customers") + 1
_FRAME = 3
"""Characters of a table beside each column."""


def column_table(name: str, notes: Iterable[MappedColumn]) -> Table:
    """Returns the table of where each of our columns comes from."""
    table = Table("our column", "from", "how", title=f"{name}: columns", title_justify="left")
    for note in notes:
        table.add_row(note.ours, escape(_cut(note.source)), note.how)
    return table


def _cut(source: str) -> str:
    """Returns the names of columns, the last of many as a count."""
    for between in (" + ", ", else "):
        names = source.split(between)
        rest = len(names) - _SHOWN_COLUMNS
        if rest > 1:
            return f"{between.join(names[:_SHOWN_COLUMNS])} and {rest} more"
    return source


def report_tables(report: DataReport) -> Iterator[Table]:
    """Yields the tables of the data report, the longest ones shortened to what matters."""
    yield _rows(report)
    if report.rejects:
        yield _rejects(report)
    yield _content(report)
    yield _periods(report)


def print_looks(console: Console, looks: Sequence[Look]) -> None:
    """Prints a list of looks: how bad each is, of which table, what was seen, and what to do.

    Lines for the mapping file stand alone and are never wrapped, so that they can be copied.
    """
    for look in looks:
        colour = "yellow" if look.severity is Severity.WARNING else "cyan"
        line = Table.grid(padding=(0, 1, 0, 0))
        line.add_column(width=_SEVERITY_WIDTH)
        line.add_column(width=_TABLE_WIDTH)
        line.add_column()
        line.add_row(Text(look.severity.value, colour), look.table, Text(look.text))
        if look.advice:
            line.add_row("", "", Text(f"> {look.advice}", "dim"))
        console.print()
        console.print(line)
        if look.mapping is not None:
            console.print()
        for setting in (look.mapping or "").splitlines():
            console.print(Text(f"    {setting}"), soft_wrap=True)


def look_count(looks: Sequence[Look]) -> str:
    """Returns how many looks there are of each severity, such as ` (1 warning, 2 notes)`."""
    counts = [
        f"{count} {severity.value}{'' if count == 1 else 's'}"
        for severity in Severity
        if (count := sum(look.severity is severity for look in looks))
    ]
    return f" ({', '.join(counts)})" if counts else ""


def _rows(report: DataReport) -> Table:
    titles = ["table", "files", "rows", "kept", "rejected", "duplicates"]
    if any(counts.left_out for counts in report.tables.values()):
        titles.append("left out")
    table = _numbers("Rows", titles[0], titles[1:])
    for name, counts in report.tables.items():
        numbers = (
            *(counts.files, counts.rows, counts.kept),
            *(counts.rejected, counts.duplicates, counts.left_out),
        )
        shown = numbers[: len(titles) - 1]
        table.add_row(name, *(f"{number:,}" for number in shown))
    return table


def _content(report: DataReport) -> Table:
    table = Table(title="Content", title_justify="left", show_header=False)
    table.add_row("period", f"{_minute(report.first_time)} to {_minute(report.last_time)} UTC")
    table.add_row("customers", f"{report.customers:,}")
    table.add_row("visitors", f"{report.visitors:,}")
    table.add_row("items with events", f"{report.items:,}")
    table.add_row("items without a row of their own", f"{report.tables['items'].bare:,}")
    table.add_row("customers with one event", f"{report.one_event_share:.1%}")
    for reason, count in report.left_out.items():
        table.add_row(f"left out: {reason}", f"{count:,}")
    if report.log is not None:
        table.add_row("log of the store read up to position", f"{report.log['position']:,}")
    unknown = list(report.unknown_event_types.items())
    for kind, count in unknown[:_SHOWN_UNKNOWN]:
        table.add_row(escape(f"event type {kind!r} (used by no model)"), f"{count:,}")
    if rest := unknown[_SHOWN_UNKNOWN:]:
        counted = sum(count for _, count in rest)
        table.add_row(f"{len(rest):,} more event types (used by no model)", f"{counted:,}")
    return table


def _minute(time: str | None) -> str:
    """Returns a time in ISO 8601 as a person writes it, `2025-01-02 01:48`."""
    return "" if time is None else datetime.fromisoformat(time).strftime("%Y-%m-%d %H:%M")


def _periods(report: DataReport) -> Table:
    """Returns the events by month; of a long history by year."""
    period, counted = "month", report.events_by_month
    if len(counted) > _MOST_MONTHS:
        period, counted = "year", _by_year(counted)
    kinds = _shown_types(report)
    titles = [escape(kind) for kind in kinds]
    if len(kinds) < len(report.events_by_type):
        titles.append("others")
    table = _numbers(f"Events by {period}", period, titles)
    for name, counts in counted.items():
        shown = [counts.get(kind, 0) for kind in kinds]
        if len(titles) > len(kinds):
            shown.append(sum(counts.values()) - sum(shown))
        table.add_row(name, *(f"{count:,}" for count in shown))
    return table


def _by_year(months: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    years: dict[str, dict[str, int]] = {}
    for month, counts in months.items():
        year = years.setdefault(month[:4], {})
        for kind, count in counts.items():
            year[kind] = year.get(kind, 0) + count
    return years


def _shown_types(report: DataReport) -> list[str]:
    """Returns the most frequent event types, as many as a terminal is wide enough for."""
    kinds = list(report.events_by_type)
    shown: list[str] = []
    # The period, the frame's end, and a column for the others.
    left = WIDTH - 1 - 2 * _FRAME - len("2024-03") - len("9,999,999")
    for kind in kinds[:_SHOWN_TYPES]:
        left -= _FRAME + max(len(kind), len(f"{report.events_by_type[kind]:,}"))
        if left < 0 and shown:
            break
        shown.append(kind)
    return shown


def _numbers(title: str, first: str, others: Iterable[str]) -> Table:
    """Returns a table whose columns hold numbers, but for the first."""
    table = Table(first, title=title, title_justify="left")
    for name in others:
        table.add_column(name, justify="right")
    return table


def _rejects(report: DataReport) -> Table:
    table = Table("table", "rejected because", title="Rejects", title_justify="left")
    table.add_column("rows", justify="right")
    for name, reasons in report.rejects.items():
        for reason, count in reasons.items():
            table.add_row(name, escape(reason), f"{count:,}")
    return table
