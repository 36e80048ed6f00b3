"""What the verb `run` fits on: a prepared data set, or sources that it prepares by itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import typer
from rich.console import Console
from rich.markup import escape

from recsys.data.bars import bars
from recsys.data.dataset import Dataset
from recsys.data.reading.mapping import load_mapping
from recsys.data.reading.prepare import prepare
from recsys.data.reading.sources import Sources
from training.prepare_tables import look_count, print_looks, report_tables
from training.sources import opened_feeds

PREPARED = "prepared"
"""Below `--data`, so that a data set that lies there is not replaced."""


@contextmanager
def opened_data(
    console: Console, data: Path | None, sources: Sequence[str], archives: Path | None
) -> Iterator[Dataset]:
    """Opens a data set, which is there or made of sources, for as long as it is used.

    Args:
        console: hears of what is prepared.
        data: the data set; with sources, the folder to prepare it in.
        sources: stores and data sets.
        archives: folder of a store's archived events.

    Raises:
        BadParameter: neither is given, or a URL is not one.
        DataError: a source or the data set cannot be used.
    """
    if not sources:
        if data is None:
            message = "give --data FOLDER, --source URL, or both"
            raise typer.BadParameter(message)
        yield Dataset.open(data)
        return
    with TemporaryDirectory(prefix="recsys-") if data is None else nullcontext(data) as folder:
        out = Path(folder) / PREPARED
        with opened_feeds(sources, archives) as feeds, bars(console) as progress:
            report = prepare(
                Sources(feeds=feeds),
                out,
                load_mapping(None),
                now=datetime.now(UTC),
                progress=progress,
            )
        for table in report_tables(report):
            console.print(table)
        print_looks(console, report.looks)
        if data is not None:
            name, counted = escape(str(out)), look_count(report.looks)
            console.print(f"\nPrepared data set: [bold]{name}[/]{counted}", highlight=False)
        yield Dataset.open(out)
