"""Shows a load on the terminal: where columns came from, and the data report."""

from collections.abc import Iterable, Iterator

from rich.markup import escape
from rich.table import Table

from recsys.data.reading.columns import MappedColumn
from recsys.data.reading.report import DataReport

_SHOWN_TYPES = 6
"""A terminal is not wider; report.json has them all."""


def column_table(name: str, notes: Iterable[MappedColumn]) -> Table:
    """Returns the table of where each of our columns comes from."""
    table = Table("our column", "from", "how", title=f"{name}: columns", title_justify="left")
    for note in notes:
        table.add_row(note.ours, escape(note.source), note.how)
    return table


def report_tables(report: DataReport) -> Iterator[Table]:
    """Yields the tables of the data report, the longest ones shortened to what matters."""
    yield _rows(report)
    if report.rejects:
        yield _rejects(report)
    yield _content(report)
    yield _months(report)


def _rows(report: DataReport) -> Table:
    table = Table(
        "table",
        "files",
        "rows",
        "kept",
        "rejected",
        "duplicates",
        "left out",
        title="Rows",
        title_justify="left",
    )
    for name, counts in report.tables.items():
        numbers = (
            *(counts.files, counts.rows, counts.kept),
            *(counts.rejected, counts.duplicates, counts.left_out),
        )
        table.add_row(name, *(f"{number:,}" for number in numbers))
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
    for kind, count in report.unknown_event_types.items():
        table.add_row(escape(f"event type {kind!r} (used by no model)"), f"{count:,}")
    return table


def _months(report: DataReport) -> Table:
    kinds = list(report.events_by_type)[:_SHOWN_TYPES]
    titles = [escape(kind) for kind in kinds]
    if len(kinds) < len(report.events_by_type):
        titles.append("others")
    table = Table("month", *titles, title="Events by month", title_justify="left")
    for month, counts in report.events_by_month.items():
        shown = [counts.get(kind, 0) for kind in kinds]
        if len(titles) > len(kinds):
            shown.append(sum(counts.values()) - sum(shown))
        table.add_row(month, *(f"{count:,}" for count in shown))
    return table


def _rejects(report: DataReport) -> Table:
    table = Table("table", "rejected because", "rows", title="Rejects", title_justify="left")
    for name, reasons in report.rejects.items():
        for reason, count in reasons.items():
            table.add_row(name, escape(reason), f"{count:,}")
    return table
