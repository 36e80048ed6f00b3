"""The verb `prepare`: from a retailer's files to a prepared data set."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from recsys.data.bars import bars
from recsys.data.dataset import REJECTS_FILE
from recsys.data.reading.columns import MappedColumn
from recsys.data.reading.mapping import Mapping, load_mapping
from recsys.data.reading.prepare import Sources, prepare
from recsys.data.reading.report import DataReport
from training.demo.complete_journey import MAPPING_FILE, demo_sources
from training.prepare_tables import column_table, report_tables
from training.sources import ArchivesOption, SourceOption, opened_feeds

EventsOption = Annotated[
    str | None, typer.Option("--events", help="Events: a file, a folder, or a quoted pattern.")
]
ItemsOption = Annotated[str | None, typer.Option("--items", help="The catalogue, likewise.")]
CustomersOption = Annotated[
    str | None, typer.Option("--customers", help="Customer attributes, likewise.")
]
MappingOption = Annotated[
    Path | None,
    typer.Option("--mapping", help="TOML file: your columns to ours (docs/data.md)."),
]
OutOption = Annotated[Path, typer.Option("--out", help="Folder to write; replaced when complete.")]
DemoOption = Annotated[
    bool, typer.Option("--demo", help="Prepare the demo data: a year of a real grocer.")
]
RateOption = Annotated[
    float | None,
    typer.Option(
        "--max-reject-rate", min=0, max=1, help="Share of bad rows that fails the load [0.05]."
    ),
]
DelimiterOption = Annotated[
    str | None, typer.Option("--delimiter", help="Between CSV fields; default: guessed.")
]


def prepare_command(
    *,
    out: OutOption,
    events: EventsOption = None,
    items: ItemsOption = None,
    customers: CustomersOption = None,
    source: SourceOption = None,
    archives: ArchivesOption = None,
    mapping: MappingOption = None,
    demo: DemoOption = False,
    max_reject_rate: RateOption = None,
    delimiter: DelimiterOption = None,
) -> None:
    """Read events, items and customers; check them; write a data set that can be fitted.

    Parquet, CSV and JSON Lines are read, .gz and .zst too. Columns with obvious names are
    recognised; name the others in a mapping file. Bad rows go to rejects.csv with the reason.

    With --source the log of a store and prepared data sets are read too, each event once.

    \b
    recsys prepare --demo --out var/demo/data
    recsys prepare --events orders.csv --items products.csv --out var/data
    recsys prepare --source store://var/store --source var/history --out var/data
    """  # noqa: D301 - click looks for the character itself
    if demo == (events is not None or bool(source)):
        message = "give --events, --source, or both; or --demo"
        raise typer.BadParameter(message)
    files = demo_sources() if demo else Sources(events, items, customers)
    settings = load_mapping(MAPPING_FILE if demo and mapping is None else mapping)
    settings = _with_options(settings, max_reject_rate, delimiter)
    console = Console()

    def announce(table: str, columns: tuple[MappedColumn, ...]) -> None:
        console.print(column_table(table, columns))

    with opened_feeds(source or (), archives) as feeds, bars(console) as progress:
        report = prepare(
            replace(files, feeds=feeds),
            out,
            settings,
            now=datetime.now(UTC),
            progress=progress,
            announce=announce,
        )
    _print(console, report, out)


def _with_options(mapping: Mapping, rate: float | None, delimiter: str | None) -> Mapping:
    """Lays command line options over the mapping file."""
    if rate is not None:
        mapping = mapping.model_copy(update={"max_reject_rate": rate})
    if delimiter is None:
        return mapping
    delimiter = delimiter.replace("\\t", "\t")
    if len(delimiter) != 1:
        message = f"--delimiter takes one character (or \\t), not {delimiter!r}"
        raise typer.BadParameter(message)
    tables = {
        name: getattr(mapping, name).model_copy(update={"delimiter": delimiter})
        for name in ("events", "items", "customers")
    }
    return mapping.model_copy(update=tables)


def _print(console: Console, report: DataReport, out: Path) -> None:
    for table in report_tables(report):
        console.print(table)
    for oddity in report.oddities:
        console.print(f"[yellow]look at:[/] {oddity}")
    if report.rejects:
        console.print(f"Every rejected row: {escape(str(out / REJECTS_FILE))}")
    console.print(f"Prepared data set: [bold]{escape(str(out))}[/]")
