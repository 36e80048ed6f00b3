"""Command line for experiments: what a deployment file would do, before any server reads it."""

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from recsys.errors import ConfigError
from recsys.live.deployment import HOLD_OUT, Deployment, Experiment, read_deployment
from recsys.live.experiments import arm_of, note_of
from serving.commands.explained import explained

app = typer.Typer(
    help="Look at experiments before they run, and at who is in which arm.", no_args_is_help=True
)
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The deployment file: docs/experiments.md.")
]
BundlesOption = Annotated[
    Path | None,
    typer.Option(help="Bundle root: also hold the file against the current bundle there."),
]


@app.callback()
def experiment() -> None:
    """Look at experiments before they run.

    Who is in which arm follows from the experiment's name, its weights and the customer's id
    alone: no server, store or bundle is asked, and a server says the same.
    """


@app.command()
def check(file: FileArgument, *, bundles: BundlesOption = None) -> None:
    """Say whether a server would take a deployment file.

    Exit status: 0 if it would, 2 with all that is wrong, one line each, if it would not; 1 if
    --bundles has no current bundle.

    Example: recsys serving experiment check deployment.toml --bundles var/demo/bundles
    """
    with explained():
        deployment = _read(file, bundles)
    parts = len(deployment.experiments), len(deployment.exploration)
    print(f"{file}: good: {parts[0]} experiments, {parts[1]} placements that explore")  # noqa: T201


@app.command()
def assign(
    file: FileArgument,
    *,
    customers: Annotated[
        Path,
        typer.Option(help="Text file, one id per line; visitors as visitor/ID. - for the input."),
    ],
    name: Annotated[
        str | None, typer.Option("--experiment", help="Only this one. Default: all of the file.")
    ] = None,
    bundles: BundlesOption = None,
    output: Annotated[
        Path | None, typer.Option(help="CSV file for the rows. Default: standard output.")
    ] = None,
) -> None:
    """Print who would be in which arm, and the shares that come of it.

    One CSV row for each customer and experiment (customer_id, experiment, arm) goes to standard
    output or --output; the realised shares beside the intended ones go to standard error. Times
    of experiments do not count here. Exit status: 2 if the file is wrong.

    Example: recsys serving experiment assign deployment.toml --customers ids.txt > arms.csv
    """
    with explained():
        experiments = _asked(_read(file, bundles), name, file)
        subjects = _subjects(customers)
    counts: dict[str, Counter[str]] = {each: Counter() for each in experiments}
    with _rows_to(output) as target:
        rows = csv.writer(target, lineterminator="\n")
        rows.writerow(("customer_id", "experiment", "arm"))
        console = Console(stderr=True)
        for subject in track(subjects, "assigning", console=console, transient=True):
            for each, settings in experiments.items():
                arm = arm_of(each, settings, subject)
                counts[each][arm] += 1
                rows.writerow((subject, each, arm))
    console.print(_shares(experiments, counts))


def _read(file: Path, bundles: Path | None) -> Deployment:
    if bundles is None:
        return read_deployment(file)
    # Here, because all else works without Polars.
    from serving.state.deployment_check import checked_deployment  # noqa: PLC0415

    return checked_deployment(file, bundles)


def _asked(deployment: Deployment, name: str | None, file: Path) -> Mapping[str, Experiment]:
    known = deployment.experiments
    if name is None:
        if not known:
            raise ConfigError(f"{file}: has no experiment")
        return known
    if name not in known:
        message = f"--experiment: {name!r} is not one of {', '.join(known) or 'none'} in {file}"
        raise ConfigError(message)
    return {name: known[name]}


def _subjects(customers: Path) -> list[str]:
    try:
        text = sys.stdin.read() if str(customers) == "-" else customers.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{customers}: cannot be read: {error}") from error
    subjects = [line.strip() for line in text.splitlines() if line.strip()]
    if not subjects:
        raise ConfigError(f"{customers}: has no id")
    return subjects


@contextmanager
def _rows_to(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("w", encoding="utf-8", newline="") as target:
        yield target


def _shares(experiments: Mapping[str, Experiment], counts: Mapping[str, Counter[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("experiment")
    table.add_column("arm")
    table.add_column("answered by", overflow="fold")
    for column in ("customers", "share", "intended"):
        table.add_column(column, justify="right")
    for name, experiment in experiments.items():
        whole = counts[name].total()
        for arm, intended in note_of(name, experiment).arms.items():
            found = counts[name][arm]
            shares = (f"{found:,}", f"{found / whole:.2%}", f"{intended:.2%}")
            table.add_row(name, arm, _answered_by(experiment, arm), *shares)
    return table


def _answered_by(experiment: Experiment, arm: str) -> str:
    if arm == HOLD_OUT or experiment.arms[arm].is_control:
        return "control"
    settings = experiment.arms[arm]
    return f"bundle {settings.bundle}" if settings.bundle else _listed(sorted(settings.placements))


def _listed(placements: Sequence[str]) -> str:
    return "changed " + ", ".join(placements)
