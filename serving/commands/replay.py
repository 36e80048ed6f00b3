"""Commands that answer logged requests again: as they were, or by another deployment file."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from serving.commands.explained import explained

StoreOption = Annotated[
    str, typer.Option(help="Event store with the log: store://FOLDER or postgresql://...")
]
BundlesOption = Annotated[Path, typer.Option(help="Folder with the bundles that answered.")]

# What these commands work with is imported in them: the supervisor starts without Polars.


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
    recsys serving replay 5f0c... --store store://var/store --bundles var/bundles
    recsys serving replay --last 1000 --store store://var/store \\
        --bundles var/bundles
    """  # noqa: D301 - click looks for the character itself
    from recsys.store.open import open_store  # noqa: PLC0415
    from serving.replays.past import Past  # noqa: PLC0415
    from serving.replays.replay import replay  # noqa: PLC0415
    from serving.replays.report import show, to_document  # noqa: PLC0415

    with explained():
        opened = open_store(store, role="reader")
        try:
            asked = list(request_ids or [])
            asked += [each.request_id for each in opened.latest_impressions(last)]
            past, aside = Past(opened, bundles), Console(stderr=True)
            turns = track(asked, "replaying", console=aside, transient=True)
            told = [replay(past, each) for each in turns]
        finally:
            opened.close()
    if as_json:
        for each in told:
            sys.stdout.write(json.dumps(to_document(each)) + "\n")
    else:
        show(Console(), told)
    raise typer.Exit(0 if all(each.identical for each in told) else 1)


def dry_run_command(
    *,
    deployment: Annotated[Path, typer.Option(help="The deployment file to try: docs/rules.md.")],
    store: StoreOption,
    bundles: BundlesOption,
    last: Annotated[int, typer.Option(min=1, help="Answers of the log, the latest.")] = 1_000,
    placement: Annotated[str, typer.Option(help="Only answers of this one. Default: all.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="All figures as JSON.")] = False,
) -> None:
    """Say what a deployment file would have changed about the lists that were answered last.

    Every logged request is answered twice from what was there then: by the file of then, and by
    this one; experiments and explored places are left out of both. Nothing is written.

    Exit status: 0; 1 if the store or the bundles cannot be read, 2 if the file is wrong.

    \b
    recsys serving dry-run --deployment new.toml --last 500 \\
        --store store://var/store --bundles var/bundles
    """  # noqa: D301 - click looks for the character itself
    from recsys.store.open import open_store  # noqa: PLC0415
    from serving.replays.dry_run import dry_run  # noqa: PLC0415
    from serving.replays.past import Past  # noqa: PLC0415
    from serving.replays.report import show_dry_run  # noqa: PLC0415
    from serving.state.deployment_check import checked_deployment  # noqa: PLC0415

    with explained():
        tried = checked_deployment(deployment, bundles)
        opened = open_store(store, role="reader")
        try:
            logged = [
                each
                for each in opened.latest_impressions(last)
                if placement in ("", each.placement)
            ]
            turns = track(logged, "answering", console=Console(stderr=True), transient=True)
            found = dry_run(Past(opened, bundles), turns, tried)
        finally:
            opened.close()
    if as_json:
        sys.stdout.write(json.dumps(found.document(), indent=2) + "\n")
    else:
        show_dry_run(Console(), found)
