"""The verb `explored`: what exploration drew, as a log that `off-policy` reads."""

import time
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console

from evaluation.online.command import (
    ArchivesOption,
    FromOption,
    StoreOption,
    ToOption,
    WindowOption,
    hours_of,
    micros_of,
)
from recsys.data.plain_numbers import csv_table
from recsys.errors import DataError
from recsys.online.explored import explored
from recsys.protocols.outputs import output_file
from recsys.store.open import open_store

OutputOption = Annotated[
    Path,
    typer.Option(
        "--output",
        callback=output_file,
        dir_okay=False,
        writable=True,
        help="Write the log here: .parquet or .csv.",
    ),
]
PlacementOption = Annotated[
    str | None, typer.Option("--placement", help="Only lists of this placement [all].")
]


def explored_command(
    *,
    store: StoreOption,
    output: OutputOption,
    placement: PlacementOption = None,
    archives: ArchivesOption = None,
    since: FromOption = None,
    until: ToOption = None,
    window: WindowOption = "24h",
) -> None:
    """Write what exploration drew, with its probabilities and what followed.

    One row for each drawn place: request_id, customer_id, placement, bundle_version, experiment,
    arm, position, item_id, propensity, and the rewards click, purchase and revenue of that item.
    docs/experiments.md says how places are drawn.

    \b
    recsys evaluation explored --store store://var/store --output log.parquet
    recsys evaluation off-policy --log log.parquet --policy new.csv --reward click
    """  # noqa: D301  # click keeps the lines of a paragraph that begins with this character
    console = Console()
    opened = open_store(store, archives=archives, role="reader")
    try:
        with console.status("reading what was drawn and what followed"):
            drawn = explored(
                opened,
                since=micros_of(since) if since else 0,
                until=micros_of(until) if until else time.time_ns() // 1_000,
                window=hours_of(window),
            )
    finally:
        opened.close()
    if placement is not None:
        drawn = drawn.filter(pl.col("placement") == placement)
    if drawn.is_empty():
        of = f" of {placement}" if placement else ""
        message = f"{store}: no explored place{of} was logged in this time; docs/experiments.md"
        raise DataError(message, store=store)
    output.parent.mkdir(parents=True, exist_ok=True)
    if output.suffix in (".csv", ".txt"):
        csv_table(drawn).write_csv(output)
    else:
        drawn.write_parquet(output)
    least = drawn["propensity"].to_numpy().min()
    console.print(
        f"{output}: {len(drawn):,} places drawn, {drawn['item_id'].n_unique():,} items, "
        f"{drawn['click'].sum():,.0f} clicked, {drawn['purchase'].sum():,.0f} bought; "
        f"least probability {least:.2g}.",
        highlight=False,
    )
