"""Proves the main claims of a release: `python -m tests.qualification.main`."""

import os
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from tests.qualification.checks import CHECKS
from tests.qualification.room import ROOT, Room, changed, head
from tests.qualification.runner import LIMIT_S, Check, Runner

FOLDER = ROOT / "var" / "qualify"


def main(
    *,
    only: Annotated[
        int | None, typer.Option(help="Run this check, even if it is finished.", metavar="N")
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Forget what was finished before.")] = False,
) -> None:
    """Run the acceptance checks of the main job; what is finished on this commit is kept.

    Figures are in var/qualify/main.json, what commands printed in var/qualify/logs/. Exit status
    0 only if every row holds. RECSYS_SHARED says where the evaluation data are (../shared); a
    check without its data fails.
    """
    qualify(CHECKS, "main.json", only=only, fresh=fresh)


def qualify(
    checks: Sequence[Check], name: str, *, only: int | None, fresh: bool, limit_s: float = LIMIT_S
) -> None:
    """Runs checks and keeps their rows in a file of that name; exits with 0 if all hold."""
    if only is not None and only not in {check.number for check in checks}:
        raise typer.BadParameter(f"--only: there is no check {only}")
    console = Console()
    # As the Makefile has it, for whoever starts this without it.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    if changed(ROOT):
        console.print(
            "[yellow]The checkout has changes that are not committed: checks that clone see the "
            "commit, the others see the changes, and resuming does not notice them.[/]"
        )
    FOLDER.mkdir(parents=True, exist_ok=True)
    runner = Runner(checks, FOLDER / name, console, limit_s)
    holds = runner.run(Room(commit=head(ROOT), folder=FOLDER), only=only, fresh=fresh)
    raise typer.Exit(0 if holds else 1)


if __name__ == "__main__":
    typer.run(main)
