"""The verb `online`: what lists were followed by, from the store alone."""

import re
import time
from datetime import UTC, datetime
from json import dumps
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from evaluation.online import texts
from evaluation.online.document import document
from evaluation.online.tables import comparison_tables, figure_tables
from evaluation.report.collect import check_report
from recsys.errors import DataError
from recsys.online.report import HOUR_US, OnlineReport, report
from recsys.protocols.outputs import output_file
from recsys.store.open import open_store

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
_HOURS = {"m": 1 / 60, "h": 1.0, "d": 24.0}

StoreOption = Annotated[
    str, typer.Option("--store", help="store://FOLDER or postgresql://..., as of the server.")
]
ArchivesOption = Annotated[
    Path | None,
    typer.Option("--archives", help="Folder of archived events [beside those of store://]."),
]
FromOption = Annotated[
    datetime | None,
    typer.Option("--from", formats=FORMATS, help="First impression, UTC [the first logged]."),
]
ToOption = Annotated[
    datetime | None,
    typer.Option("--to", formats=FORMATS, help="First moment after the last impression [now]."),
]
WindowOption = Annotated[
    str,
    typer.Option("--window", help="How long after an impression events may follow: 30m, 24h, 7d."),
]
JsonOption = Annotated[
    Path | None,
    typer.Option(
        "--json",
        callback=output_file,
        dir_okay=False,
        writable=True,
        help="Write all figures here.",
    ),
]
PageOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        callback=output_file,
        dir_okay=False,
        writable=True,
        help="Write one self-contained page with plots here.",
    ),
]


def online_command(
    *,
    store: StoreOption,
    archives: ArchivesOption = None,
    since: FromOption = None,
    until: ToOption = None,
    window: WindowOption = "24h",
    json: JsonOption = None,
    page: PageOption = None,
) -> None:
    """Report what lists were followed by: clicks, purchases and revenue, arm by arm.

    Impressions and events are read from the store alone; a running server is not disturbed.
    docs/online.md says what is logged, how events are attributed, and what the figures mean.

    \b
    recsys evaluation online --store store://var/store --report online.html
    """  # noqa: D301  # click keeps the lines of a paragraph that begins with this character
    check_report(page, None)
    window_us = hours_of(window)
    now = time.time_ns() // 1_000
    console = Console()
    opened = open_store(store, archives=archives, role="reader")
    try:
        with console.status("reading what was shown and what followed"):
            found = report(
                opened,
                since=micros_of(since) if since else 0,
                until=micros_of(until) if until else now,
                now=now,
                window=window_us,
            )
    finally:
        opened.close()
    if not found.figures:
        message = f"no impressions were logged from {texts.period(found)}"
        raise DataError(message)
    _print(console, found)
    if json:
        json.parent.mkdir(parents=True, exist_ok=True)
        json.write_text(dumps(document(found), indent=2) + "\n", encoding="utf-8")
    if page:
        # Plotting is an extra: without --report nothing of it is imported.
        from evaluation.online.page import write_page  # noqa: PLC0415

        with console.status("drawing the report"):
            write_page(page, found, now=datetime.now(UTC))
        console.print(f"Report: [bold]{escape(str(page))}[/]", highlight=False)


def hours_of(text: str) -> int:
    """Returns the microseconds of `--window`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([mhd])", text.strip())
    if not found or not float(found[1]):
        message = f"--window: {text!r} is not a time such as 30m, 24h or 7d"
        raise typer.BadParameter(message)
    return round(float(found[1]) * _HOURS[found[2]] * HOUR_US)


def micros_of(moment: datetime) -> int:
    """Returns the microseconds since 1970 of a time of `--from` or `--to`."""
    return round(moment.replace(tzinfo=UTC).timestamp() * 1_000_000)


def _print(console: Console, found: OnlineReport) -> None:
    console.print(
        f"Impressions from {texts.period(found)}; what followed within {texts.window(found)}.",
        highlight=False,
    )
    for table in figure_tables(found):
        console.print(table)
    for table in comparison_tables(found):
        console.print(table)
    for ratio in found.sample_ratios:
        colour = "bold red" if ratio.mismatch else "default"
        console.print(f"[{colour}]{escape(texts.sample_ratio(ratio))}[/]", highlight=False)
    for caveat in texts.caveats(found):
        console.print(f"[yellow]{caveat}[/]", highlight=False)
    console.print(
        "Below each figure its 95 % interval, by customer. docs/online.md defines all of it.",
        style="dim",
        highlight=False,
    )
