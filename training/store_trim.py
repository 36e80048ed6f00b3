"""The verb `store trim`: the log of what was shown, without its oldest part."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from training.sources import opened_store, shown

AT_ONCE = 1_000
"""Lists removed in one transaction, for which other writes wait."""

UrlArgument = Annotated[
    str, typer.Argument(metavar="URL", help="store://FOLDER or postgresql://...")
]
OlderOption = Annotated[
    int, typer.Option("--older-than", min=1, metavar="DAYS", help="Days (UTC) that stay.")
]


def trim_command(url: UrlArgument, *, older_than: OlderOption) -> None:
    """Remove from the log what was shown long ago; events stay.

    Online reports and replays of the removed days are no longer possible: what items were then is
    removed, too. A list of ten items takes about
    one kilobyte. Stopped at any moment, it goes on where it was when it is called again.

    \b
    recsys store trim store://var/store --older-than 90
    """  # noqa: D301 - click looks for the character itself
    console = Console()
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first_kept = today - timedelta(days=older_than)
    before, removed = int(first_kept.timestamp()) * 1_000_000, 0
    with opened_store(url, None, "command") as store, console.status("") as status:
        while True:
            now = store.remove_impressions(before, AT_ONCE)
            removed += now
            status.update(f"{removed:,} lists removed")
            if now < AT_ONCE:
                break
        while store.trim_catalogue(before, AT_ONCE) == AT_ONCE:
            status.update("removing what items were")
    console.print(
        f"{removed:,} lists from before {first_kept:%Y-%m-%d} removed from {escape(shown(url))}",
        highlight=False,
    )
