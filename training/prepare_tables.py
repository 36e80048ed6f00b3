"""Shows a load on the terminal: where columns came from, and the data report."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.markup import escape
from rich.padding import Padding
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


def look_lines(looks: Sequence[Look]) -> Iterator[RenderableType]:
    """Yields what is wrong with a data set, what to do about it, and lines for the mapping."""
    for look in looks:
        colour = "yellow" if look.severity is Severity.WARNING else "cyan"
        yield Text.assemble((f"{look.severity.value}: ", colour), f"{look.table}: {look.text}")
        yield Padding(Text(look.advice, style="dim"), (0, 0, 0, 4))
        for line in (look.mapping or "").splitlines():
            yield Padding(Text(line, overflow="fold"), (0, 0, 0, 8))


def _rows(report: DataReport) -> Table:
    titles = ["table", "files", "rows", "kept", "rejected", "duplicates"]
    if any(counts.left_out for counts in report.tables.values()):
        titles.append("left out")
    table = Table(*titles, title="Rows", title_justify="left")
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
    table.add_row("period", f"{report.first_time} to {report.last_time}")
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


def _periods(report: DataReport) -> Table:
    """Returns the events by month; of a long history by year."""
    period, counted = "month", report.events_by_month
    if len(counted) > _MOST_MONTHS:
        period, counted = "year", _by_year(counted)
    kinds = _shown_types(report)
    titles = [escape(kind) for kind in kinds]
    if len(kinds) < len(report.events_by_type):
        titles.append("others")
    table = Table(period, *titles, title=f"Events by {period}", title_justify="left")
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


def _rejects(report: DataReport) -> Table:
    table = Table("table", "rejected because", "rows", title="Rejects", title_justify="left")
    for name, reasons in report.rejects.items():
        for reason, count in reasons.items():
            table.add_row(name, escape(reason), f"{count:,}")
    return table
