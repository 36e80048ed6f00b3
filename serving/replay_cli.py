"""Command that answers logged requests again, as they were answered then."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from recsys.store.open import open_store
from serving.explained import explained
from serving.past import Past
from serving.replay import Replayed, replay

StoreOption = Annotated[
    str, typer.Option(help="Event store with the log: store://FOLDER or postgresql://...")
]
BundlesOption = Annotated[Path, typer.Option(help="Folder with the bundles that answered.")]
SHOWN_ALONE = 5
"""Requests whose lists are shown; of more a line each."""


def replay_command(
    request_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="REQUEST_ID...", help="As answers told them: 32 digits each."),
    ] = None,
    *,
    store: StoreOption,
    bundles: BundlesOption,
    last: Annotated[int, typer.Option(min=0, help="Also the last N answers of the log.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line for each answer.")] = False,
) -> None:
    """Answer logged requests again, on the bundle, rules, catalogue and events of their time.

    Says of each whether the list is identical to the logged one, or what is gone that it was made
    from: docs/replay.md. Servers go on meanwhile; nothing is written.

    Exit status: 0 if all lists are identical, 1 if one is not or cannot be made again.

    \b
    python -m serving replay 5f0c... --store store://var/store --bundles var/bundles
    python -m serving replay --last 1000 --store store://var/store --bundles var/bundles
    """  # noqa: D301 - click looks for the character itself
    console = Console(stderr=as_json)
    with explained():
        opened = open_store(store, role="reader")
        try:
            asked = list(request_ids or [])
            asked += [each.request_id for each in opened.latest_impressions(last)]
            past = Past(opened, bundles)
            told = [
                replay(past, each)
                for each in track(asked, "replaying", console=Console(stderr=True), transient=True)
            ]
        finally:
            opened.close()
    if as_json:
        for each in told:
            sys.stdout.write(json.dumps(_document(each)) + "\n")
    else:
        _show(console, told)
    raise typer.Exit(0 if all(each.identical for each in told) else 1)


def _show(console: Console, told: list[Replayed]) -> None:
    for each in told:
        if each.gone:
            console.print(f"{each.request_id}  gone: {each.gone}: {each.problem}", markup=False)
        elif not each.identical:
            console.print(f"{each.request_id}  another list", markup=False)
            for line in each.differences():
                console.print(f"  {line}", markup=False)
        elif len(told) <= SHOWN_ALONE:
            console.print(f"{each.request_id}  identical", markup=False)
        if len(told) <= SHOWN_ALONE and each.told is not None:
            console.print(_list(each))
    counts = Counter(each.gone or ("identical" if each.identical else "another") for each in told)
    parts = (f"{count:,} {name}" for name, count in counts.most_common())
    console.print(f"{len(told):,} answers: {', '.join(parts) or 'none'}", highlight=False)


def _list(each: Replayed) -> Table:
    table = Table("rank", "item", "score", "source", "reason", box=box.SIMPLE)
    for item in each.told.items if each.told else ():
        score = f"{item.score:.6g}"
        table.add_row(str(item.rank), item.item_id, score, item.source, item.reason.code)
    return table


def _document(each: Replayed) -> dict[str, Any]:
    items = [] if each.told is None else [item.item_id for item in each.told.items]
    return {
        "request_id": each.request_id,
        "identical": each.identical,
        "gone": each.gone,
        "problem": each.problem,
        "differences": each.differences(),
        "item_ids": items,
    }
