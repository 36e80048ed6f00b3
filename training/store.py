"""The verbs `store info`, `export`, `archive` and `trim`: the long-term care of a store."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.bundle import list_bundles, read_manifest
from recsys.data.bars import bars
from recsys.errors import BundleError
from recsys.store.archives import Archives
from recsys.store.archiving import archive
from recsys.store.export import export
from recsys.store.info import StoreInfo, look
from training.sources import ArchivesOption, opened_store, shown
from training.store_trim import trim_command

app = typer.Typer(help="Look into an event store, export it, archive it.", no_args_is_help=True)
app.command("trim")(trim_command)

UrlArgument = Annotated[
    str, typer.Argument(metavar="URL", help="store://FOLDER or postgresql://...")
]
OutOption = Annotated[Path, typer.Option("--out", help="Folder to write; replaced when complete.")]
OlderOption = Annotated[
    int, typer.Option("--older-than", min=1, metavar="DAYS", help="Days (UTC) that stay.")
]
RootOption = Annotated[
    Path, typer.Option("--bundles", help="Bundle root: what its bundles do not know stays.")
]


@app.command("info")
def info_command(url: UrlArgument, *, archives: ArchivesOption = None) -> None:
    """Show what is in a store: events, archives, and what the log of lists has lost."""
    console = Console()
    with opened_store(url, archives) as store, console.status("counting"):
        info = look(store)
    table = Table(box=None, show_header=False)
    for name, value in _lines(info):
        table.add_row(name, value)
    console.print(table, highlight=False)


@app.command("export")
def export_command(url: UrlArgument, *, out: OutOption, archives: ArchivesOption = None) -> None:
    """Write the whole log, archives included, as Parquet files by day.

    Visitors are not yet the customers who they turned out to be. Stopped, it goes on where it was
    when it is called again. _manifest.json has the checksum of every file.

    \b
    recsys store export store://var/store --out var/export
    recsys prepare --events var/export --out var/data
    """  # noqa: D301 - click looks for the character itself
    console = Console()
    with opened_store(url, archives) as store, bars(console) as progress:
        done = export(store, out, progress=progress)
    console.print(
        f"{done.events:,} events of {done.days:,} days, up to position {done.position:,}: "
        f"[bold]{escape(str(out))}[/]",
        highlight=False,
    )


@app.command("archive")
def archive_command(
    url: UrlArgument,
    *,
    older_than: OlderOption,
    bundles: RootOption,
    archives: ArchivesOption = None,
) -> None:
    """Move old events to Parquet files, which training, exports and erasures still reach.

    Servers need every event that one of the bundles does not know: only older ones move. Stopped
    or killed at any moment, it loses no event and doubles none; call it again.

    \b
    recsys store archive store://var/store --older-than 400 --bundles var/bundles
    """  # noqa: D301 - click looks for the character itself
    console = Console()
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first_kept = today - timedelta(days=older_than)
    with opened_store(url, archives, "command") as store:
        limit = known_to_all(bundles, store.id)
        with bars(console) as progress:
            moved = archive(
                Archives(store),
                before=int(first_kept.timestamp()) * 1_000_000,
                up_to=limit,
                progress=progress,
            )
    console.print(
        f"{moved.events:,} events of {moved.days:,} days before {first_kept:%Y-%m-%d} went to "
        f"{moved.files:,} files; events after position {limit:,} stay in any case: the oldest "
        f"bundle does not know them. Store: {escape(shown(url))}",
        highlight=False,
    )


def known_to_all(bundles: Path, store_id: str) -> int:
    """Returns the last position of a store's log that every bundle of a root was trained on.

    Raises:
        BundleError: there is no bundle, or one knows nothing of this store.
    """
    positions = []
    for path in list_bundles(bundles):
        log = read_manifest(path).log_position()
        if log is None or log.store_id != store_id:
            message = (
                f"{path}: was not trained on this store, so a server with it needs all events. "
                "Train with --source until --keep has removed it, or remove it"
            )
            raise BundleError(message, file=str(path))
        positions.append(log.position)
    if not positions:
        message = (
            f"{bundles}: there is no bundle, and servers need every event that none was trained "
            "on: recsys train --source URL"
        )
        raise BundleError(message, file=str(bundles))
    return min(positions)


def _lines(info: StoreInfo) -> list[tuple[str, str]]:
    days = info.archive_days
    return [
        ("store", info.id),
        ("schema version", str(info.schema_version)),
        ("last position", f"{info.last_position:,}"),
        ("events", f"{info.events:,}"),
        ("from", _moment(info.first_time)),
        ("to", _moment(info.last_time)),
        ("archived events", f"{info.archived:,} in {info.archive_files:,} files"),
        ("archived days", f"{len(days):,}: {days[0]} to {days[-1]}" if days else "0"),
        ("linked visitors", f"{info.links:,}"),
        ("items changed while serving", f"{info.items:,}"),
        ("tombstones", f"{info.tombstones:,}"),
        ("lists noted", f"{info.impressions:,}"),
        ("lists lost", f"{info.lost_impressions:,}"),
    ]


def _moment(time: int | None) -> str:
    if time is None:
        return "-"
    return datetime.fromtimestamp(time / 1e6, UTC).isoformat(sep=" ", timespec="seconds")
