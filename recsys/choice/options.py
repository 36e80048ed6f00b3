"""The options that commands share where they choose a configuration."""

import re
from pathlib import Path
from typing import Annotated

import typer

from recsys.protocols.outputs import output_file

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0}

ChooseOption = Annotated[
    bool | None,
    typer.Option(
        "--choose/--no-choose",
        help="Choose models and weights by the shop's own past [yes, unless --config is given].",
    ),
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="TIME",
        help="Time for the choice, such as 60s or 20m [10m, or 10m per million events].",
    ),
]
MenuOption = Annotated[
    Path | None,
    typer.Option("--menu", help="TOML: what to choose from [all models that come with recsys]."),
]
SaveConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--save-config",
        callback=output_file,
        help="Write the chosen configuration here, for --config.",
    ),
]


def seconds_of(text: str | None) -> float | None:
    """Returns the seconds of `--budget`, None where it is not given."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if not found or not float(found[1]):
        message = f"--budget: {text!r} is not a time such as 60s, 10m or 1h"
        raise typer.BadParameter(message)
    return float(found[1]) * _UNITS[found[2]]


def is_chosen(
    config: Path | None, *, choose: bool | None, budget: str | None, menu: Path | None
) -> bool:
    """Says whether there is to be a choice: if --choose says so, else unless --config is given.

    Raises:
        BadParameter: there is none, and its budget or menu is given.
    """
    wanted = config is None if choose is None else choose
    if not wanted and (budget or menu):
        message = "--budget and --menu are for a choice, and there is none: add --choose"
        raise typer.BadParameter(message)
    return wanted
