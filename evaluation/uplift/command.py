"""The verb `uplift`: whom a treatment moved, from any table of treated and untreated customers."""

from datetime import UTC, datetime
from json import dumps
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evaluation.options import SeedOption
from evaluation.report.collect import check_report
from evaluation.uplift.findings import UpliftFindings, document, find
from evaluation.uplift.table import UpliftColumns, read_table, trial_of
from evaluation.uplift.words import number, sentences, standing, warnings
from recsys.backtest.uplift import METRICS
from recsys.data.bars import bars
from recsys.errors import DataError
from recsys.models.uplift import LearnerKind, Trial, UpliftConfig
from recsys.protocols.outputs import output_file

FileArgument = Annotated[
    Path, typer.Argument(help="Parquet or CSV: a row for each customer.", metavar="FILE")
]
TreatmentOption = Annotated[str, typer.Option("--treatment", help="Column: who was treated.")]
TreatedOption = Annotated[str, typer.Option("--treated", help="Its value for the treated.")]
ControlOption = Annotated[
    str, typer.Option("--control", help="Its value for the untreated; others are left out.")
]
OutcomeOption = Annotated[
    str, typer.Option("--outcome", help="Column: what happened then, 0 or 1 or an amount.")
]
FeaturesOption = Annotated[
    str,
    typer.Option(
        "--features",
        help="Columns to learn from, with commas between them: known before the treatment. Never "
        "what happened after it.",
    ),
]
ChanceOption = Annotated[
    str | None,
    typer.Option(
        "--chance",
        help="Column: the probability with which each was treated [the share of the treated].",
    ),
]
LearnersOption = Annotated[
    str,
    typer.Option(
        "--learners",
        help=f"Learners to compare, ours first: {', '.join(get_args(LearnerKind))}.",
    ),
]
SplitsOption = Annotated[int, typer.Option("--splits", min=2, help="Half splits to judge by.")]
JsonOption = Annotated[
    Path | None,
    typer.Option(
        "--json",
        callback=output_file,
        dir_okay=False,
        writable=True,
        help="Write all figures here.",
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
        help="Write one self-contained page with plots here, and all figures beside it as JSON.",
    ),
]


def uplift_command(
    *,
    file: FileArgument,
    treatment: TreatmentOption,
    outcome: OutcomeOption,
    features: FeaturesOption,
    treated: TreatedOption = "1",
    control: ControlOption = "0",
    chance: ChanceOption = None,
    learners: LearnersOption = "t-learner,class-transformation",
    splits: SplitsOption = 50,
    seed: SeedOption = 0,
    json: JsonOption = None,
    report: ReportOption = None,
) -> None:
    """Judge who buys because of a treatment: Qini, AUUC and calibration over many half splits.

    The treated must have been drawn by lot; whether the table looks so is checked and said. Every
    learner is fitted on one half of the customers and judged on the other. docs/offer-values.md
    defines the figures, of which the field has several by each name.

    \b
    recsys evaluation uplift mailing.parquet --treatment sent --outcome bought \\
        --features recency,spend,channel --report uplift.html
    """  # noqa: D301  # click keeps the lines of a paragraph that begins with this character
    check_report(report, None)
    contenders = _contenders(learners)
    columns = UpliftColumns(treatment, treated, control, outcome, _listed(features), chance)
    console = Console()
    try:
        trial, described = trial_of(read_table(file), columns)
    except DataError as error:
        if "file" in error.metadata:
            raise
        message = f"{file}: {error}"
        raise DataError(message, file=str(file)) from error
    _check(file, trial)
    try:
        with bars(console) as progress:
            found = find(
                file.stem,
                columns,
                trial,
                described,
                contenders,
                splits=splits,
                seed=seed,
                progress=progress,
            )
    except ValueError as error:
        message = f"{file}: {error}"
        raise DataError(message, file=str(file)) from error
    _print(console, found)
    figures = json or (report.with_suffix(".json") if report else None)
    if figures:
        figures.parent.mkdir(parents=True, exist_ok=True)
        figures.write_text(dumps(document(found), indent=2) + "\n", encoding="utf-8")
    if report:
        # Plotting is an extra: without --report nothing of it is imported.
        from evaluation.uplift.page import write_page  # noqa: PLC0415

        with console.status("drawing the report"):
            write_page(report, found, now=datetime.now(UTC))
        console.print(f"Report: [bold]{escape(str(report))}[/]", highlight=False)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _contenders(text: str) -> dict[str, UpliftConfig]:
    kinds: dict[str, LearnerKind] = {kind: kind for kind in get_args(LearnerKind)}
    names = _listed(text)
    if not names or any(name not in kinds for name in names):
        message = f"--learners: {text!r} is not a list of {', '.join(kinds)}"
        raise typer.BadParameter(message)
    return {name: UpliftConfig(learner=kinds[name]) for name in names}


def _check(file: Path, trial: Trial) -> None:
    least = 100
    sides = int(trial.treated.sum()), int((~trial.treated).sum())
    if min(sides) < least:
        message = f"{file}: {sides[0]:,} treated and {sides[1]:,} not: at least {least} of each"
        raise DataError(message, file=str(file))


def _print(console: Console, found: UpliftFindings) -> None:
    for said in sentences(found):
        console.print(said, highlight=False, markup=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"mean of {found.splits} half splits")
    for metric in METRICS:
        table.add_column(metric, justify="right", no_wrap=True)
    for name in found.judged:
        means = [f"{found.judged[name].of(metric).mean():.5f}" for metric in METRICS]
        table.add_row(name, *means)
    console.print(table)
    for name in list(found.judged)[1:]:
        lead = found.lead(name, "qini")
        said = f"Qini of {found.ours} - {name}: {number(lead)}, {standing(lead)} it"
        console.print(said, highlight=False)
    for said in warnings(found):
        console.print(f"[bold red]Not drawn by lot:[/] {escape(said)}", highlight=False)
    console.print("docs/offer-values.md defines all of it.", style="dim", highlight=False)
