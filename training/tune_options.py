"""The options that `tune` alone has: names, types and help."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.protocols.outputs import output_file, output_folder

DEFAULT_BUDGET = "1h"

StudyOption = Annotated[
    Path,
    typer.Option(
        "--study",
        callback=output_folder,
        help="Folder that keeps all that was tried; the same one goes on.",
    ),
]
OutOption = Annotated[
    Path, typer.Option("--out", callback=output_file, help="Where the configuration is written.")
]
BaseOption = Annotated[
    Path | None,
    typer.Option("--config", help="TOML laid over the default: what is not tuned stays so."),
]
TimeOption = Annotated[
    str, typer.Option("--budget", metavar="TIME", help="When to stop trying, such as 30m or 8h.")
]
TrialsOption = Annotated[
    int | None,
    typer.Option(
        "--trials",
        metavar="N",
        min=1,
        help="Stop at so many settings, with those of earlier runs.",
    ),
]
SpacesOption = Annotated[
    Path | None,
    typer.Option("--spaces", help="TOML: how far settings go [what comes with recsys]."),
]
TuneSeedOption = Annotated[int, typer.Option("--seed", help="Of customers and settings drawn.")]
