"""The options of `run`: names, types and help."""

from pathlib import Path
from typing import Annotated

import typer

from recsys.backtest.learning import Of
from recsys.pipeline.query import MAX_LIMIT
from recsys.protocols.outputs import output_file

DataOption = Annotated[Path, typer.Option("--data", help="Prepared data set: recsys prepare.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="TOML file over the default configuration; fitted anew."),
]
BundleOption = Annotated[
    Path | None,
    typer.Option(
        "--bundle",
        help="A bundle, or a bundle root for its current one. Judged on what came after its "
        "training; nothing is fitted but the baselines.",
    ),
]
KOption = Annotated[str, typer.Option("--k", help="Places that count, with commas between them.")]
SlicesOption = Annotated[
    bool,
    typer.Option("--slices", help="Also print ndcg for new, occasional and loyal customers."),
]
EveryKOption = Annotated[
    bool, typer.Option("--every-k", help="Print every k, not only the largest.")
]
AllMetricsOption = Annotated[
    bool,
    typer.Option(
        "--all-metrics",
        help="Also print diversity, serendipity, calibration, repeats, revenue and others.",
    ),
]
JsonOption = Annotated[
    Path | None,
    typer.Option(
        "--json",
        callback=output_file,
        dir_okay=False,
        writable=True,
        help="Write all figures here: every metric, slice and k.",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        callback=output_file,
        dir_okay=False,
        writable=True,
        help="Write one self-contained page with plots and tables here, and all figures beside "
        "it as FILE.json.",
    ),
]
LearningCurveOption = Annotated[
    Of | None,
    typer.Option(
        "--learning-curve",
        help="Also refit on 1/8, 1/4 and 1/2 of the history or of the customers, for the report.",
    ),
]
NameOption = Annotated[
    str | None, typer.Option("--dataset-name", help="Name in the figures [the folder's name].")
]
SeedOption = Annotated[int, typer.Option("--seed", help="Decides draws and bootstrap samples.")]


def parse_ks(text: str) -> tuple[int, ...]:
    """Returns the numbers of `--k`, ascending."""
    parts = [part.strip() for part in text.split(",")]
    ks = sorted({int(part) for part in parts if part.isdecimal()})
    if not all(part.isdecimal() for part in parts) or not 1 <= ks[0] <= ks[-1] <= MAX_LIMIT:
        message = f"--k: {text!r} is not a list of numbers from 1 to {MAX_LIMIT}, such as 5,10,20"
        raise typer.BadParameter(message)
    return tuple(ks)
