"""The verb `run`: from a prepared data set to a published bundle."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from recsys.assembly import load_recommender
from recsys.bundle import activate, prune, read_manifest
from recsys.data.bars import bars
from recsys.data.dataset import Dataset
from recsys.fitting.config import load_config
from recsys.fitting.fit import Fitted, fit, write_fitted

DataOption = Annotated[Path, typer.Option("--data", help="Folder that `prepare` wrote.")]
BundlesOption = Annotated[Path, typer.Option("--bundles", help="Bundle root to publish to.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="TOML laid over the default configuration (docs/fitting.md)."),
]
KeepOption = Annotated[
    int, typer.Option("--keep", min=1, help="Newest versions to keep; the current one always.")
]
ActivateOption = Annotated[
    bool,
    typer.Option("--activate/--candidate", help="Make it current, or leave it as a candidate."),
]


def run_command(
    *,
    data: DataOption,
    bundles: BundlesOption,
    config: ConfigOption = None,
    keep: KeepOption = 5,
    make_current: ActivateOption = True,
) -> None:
    """Fit all models on all events, write a bundle, and make it current.

    Servers that watch the bundle root take it up by themselves. A bundle is read back and checked
    before it becomes current. How good the configuration is: python -m evaluation run.

    \b
    python -m training run --data var/demo/data --bundles var/demo/bundles
    """  # noqa: D301 - click looks for the character itself
    console = Console()
    settings = load_config(config)
    with bars(console) as progress:
        fitted = fit(Dataset.open(data), settings, progress=progress)
        progress("write and check the bundle", 0, 1)
        path = write_fitted(fitted, bundles, now=datetime.now(UTC))
        load_recommender(path)
        progress("write and check the bundle", 1, 1)
    if make_current:
        activate(bundles, path.name)
    removed = prune(bundles, keep)
    console.print(_table(fitted))
    console.print(_found(fitted), highlight=False)
    size = sum(file.size for file in read_manifest(path).files.values()) / 2**20
    state = "current" if make_current else "a candidate: python -m training bundles activate"
    console.print(f"Bundle [bold]{path}[/] ({size:.0f} MiB) is {state}")
    for old in removed:
        console.print(f"removed {old.name}")


def _table(fitted: Fitted) -> Table:
    table = Table(title="Fitted", title_justify="left")
    table.add_column("step")
    table.add_column("seconds", justify="right")
    for name, seconds in fitted.seconds.items():
        table.add_row(name, f"{seconds:.1f}")
    return table


def _found(fitted: Fitted) -> str:
    """Says of each index how much of the exact answer it finds, and what models report."""
    reports = fitted.index_reports.items()
    indexes = [
        f"Index {name}: {report.kind}, {report.rows:,} items x {report.dim}"
        + (f", recall@{report.recall_k} {report.recall:.3f}" if report.recall is not None else "")
        for name, report in reports
    ]
    models = [
        f"Model {name}: "
        + ", ".join(f"{key.replace('_', ' ')} {value:,.12g}" for key, value in figures.items())
        for name, figures in fitted.model_reports.items()
    ]
    return "\n".join(indexes + models)
