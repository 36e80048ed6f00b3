"""The verb `prepare`: from a retailer's files to a prepared data set."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from recsys.config import merge, read_toml_file
from recsys.data.bars import bars
from recsys.data.dataset import REJECTS_FILE
from recsys.data.reading.columns import MappedColumn
from recsys.data.reading.prepare import prepare
from recsys.data.reading.profiles import TABLES
from recsys.data.reading.recognition import recognise
from recsys.data.reading.report import DataReport
from recsys.data.reading.sources import Sources
from training.demo.complete_journey import MAPPING_FILE, demo_sources
from training.prepare_tables import column_table, look_count, print_looks, report_tables
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
ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="shopify, woocommerce, ga4, segment, google-merchant, ... (docs/profiles.md), "
        "a file of your own, or none [recognised by the headers].",
    ),
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
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Take what is probably wrong (warnings) for an error.")
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
    profile: ProfileOption = None,
    demo: DemoOption = False,
    max_reject_rate: RateOption = None,
    delimiter: DelimiterOption = None,
    strict: StrictOption = False,
) -> None:
    """Read events, items and customers; check them; write a data set that can be fitted.

    Parquet, CSV and JSON Lines are read, .gz and .zst too. Columns with obvious names are
    recognised; name the others in a mapping file. Bad rows go to rejects.csv with the reason.
    The report ends with what looks wrong, and with the mapping lines that mend it.

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
    file = MAPPING_FILE if demo and mapping is None else mapping
    read = None if file is None else read_toml_file(file)
    own = _with_options({} if read is None else read.values, max_reject_rate, delimiter)
    plan = recognise(
        files,
        own,
        "none" if demo else profile,
        where=str(file or "the options"),
        lines=None if read is None else read.lines,
    )
    console = Console()
    for found in plan.recognised:
        console.print(found.sentence(), soft_wrap=True, markup=False, highlight=False)

    def announce(table: str, columns: tuple[MappedColumn, ...]) -> None:
        console.print(column_table(table, columns))

    with opened_feeds(source or (), archives) as feeds, bars(console) as progress:
        report = prepare(
            replace(plan.sources, feeds=feeds),
            out,
            plan.mapping,
            now=datetime.now(UTC),
            progress=progress,
            announce=announce,
            strict=strict,
        )
    _print(console, report, out)


def _with_options(
    own: dict[str, Any], rate: float | None, delimiter: str | None
) -> dict[str, Any]:
    """Lays command line options over the values of a mapping file."""
    if rate is not None:
        own = {**own, "max_reject_rate": rate}
    if delimiter is None:
        return own
    delimiter = delimiter.replace("\\t", "\t")
    if not 1 <= len(delimiter) <= 3:  # noqa: PLR2004 - as in the mapping file
        message = f"--delimiter takes one to three characters (or \\t), not {delimiter!r}"
        raise typer.BadParameter(message)
    return merge(own, {table: {"delimiter": delimiter} for table in TABLES})


def _print(console: Console, report: DataReport, out: Path) -> None:
    for table in report_tables(report):
        console.print(table)
    if report.rejects:
        console.print(f"Every rejected row: {escape(str(out / REJECTS_FILE))}")
    print_looks(console, report.looks)
    folder = escape(str(out))
    console.print(
        f"\nPrepared data set: [bold]{folder}[/]{look_count(report.looks)}\n"
        f"Next: recsys evaluate --data {folder}",
        highlight=False,
        soft_wrap=True,
    )
