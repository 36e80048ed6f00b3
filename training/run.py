"""The verb `run`: from a prepared data set to a published bundle."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recsys.assembly import FitConfig, load_recommender
from recsys.bundle import activate, prune, read_manifest
from recsys.choice.automatic import choose_for, usual_budget
from recsys.choice.choose import Choice
from recsys.choice.menu import load_menu
from recsys.choice.options import (
    BudgetOption,
    ChooseOption,
    MenuOption,
    SaveConfigOption,
    is_chosen,
    seconds_of,
)
from recsys.choice.tables import choice_tables
from recsys.choice.written import figures, write_config
from recsys.data.bars import bars
from recsys.data.dataset import Dataset
from recsys.errors import DataError
from recsys.fitting.config import load_config
from recsys.fitting.fit import Fitted, fit, write_fitted
from recsys.protocols.outputs import output_folder
from training.run_data import opened_data
from training.sources import ArchivesOption, SourceOption

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Folder that `prepare` wrote; with --source: folder to keep what is prepared in, as "
        "`prepared` [a temporary one].",
    ),
]
BundlesOption = Annotated[
    Path, typer.Option("--bundles", callback=output_folder, help="Bundle root to publish to.")
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="TOML laid over the default configuration (docs/fitting.md); taken as it is, unless "
        "--choose.",
    ),
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
    bundles: BundlesOption,
    data: DataOption = None,
    source: SourceOption = None,
    archives: ArchivesOption = None,
    config: ConfigOption = None,
    choose: ChooseOption = None,
    budget: BudgetOption = None,
    menu: MenuOption = None,
    save_config: SaveConfigOption = None,
    keep: KeepOption = 5,
    make_current: ActivateOption = True,
) -> None:
    """Choose models for this shop, fit them on all events, and make the bundle current.

    Which models, sizes and weights suit the shop is tried on its own last four weeks, within
    --budget; --config FILE or --no-choose fits a configuration as it is. Servers that watch the
    bundle root take the bundle up by themselves. It is read back and checked before it becomes
    current. How good the lists are: recsys evaluate.

    With --source the log of a store is read to its end (and prepared data sets, each event once):
    the bundle knows how far, and a server with the store knows what came later.

    \b
    recsys train --data var/demo/data --bundles var/demo/bundles --budget 60s
    recsys train --data var/data --bundles var/bundles --config mine.toml
    recsys train --source store://var/store --bundles var/bundles
    """  # noqa: D301 - click looks for the character itself
    console, settings = Console(), load_config(config)
    choosing = is_chosen(config, choose=choose, budget=budget, menu=menu)
    choice: Choice | None = None
    with opened_data(console, data, source or (), archives) as dataset:
        if choosing:
            settings, choice = _choose(console, dataset, settings, seconds_of(budget), menu)
        if save_config:
            write_config(settings, save_config)
            console.print(f"Configuration: [bold]{save_config}[/]")
        with bars(console) as progress:
            fitted = fit(dataset, settings, progress=progress)
            progress("write and check the bundle", 0, 1)
            known = {"choice": figures(choice)} if choice else {}
            path = write_fitted(fitted, bundles, now=datetime.now(UTC), metrics=known)
            load_recommender(path)
            progress("write and check the bundle", 1, 1)
    if make_current:
        activate(bundles, path.name)
    removed = prune(bundles, keep)
    console.print(_table(fitted))
    console.print(_found(fitted), highlight=False)
    if fitted.log is not None:
        console.print(f"Trained on the store's log up to position {fitted.log.position:,}")
    size = sum(file.size for file in read_manifest(path).files.values()) / 2**20
    state = "current" if make_current else "a candidate: recsys bundles activate"
    console.print(f"Bundle [bold]{path}[/] ({size:.0f} MiB) is {state}")
    for old in removed:
        console.print(f"removed {old.name}")


def _choose(
    console: Console,
    dataset: Dataset,
    base: FitConfig,
    budget_seconds: float | None,
    menu: Path | None,
) -> tuple[FitConfig, Choice | None]:
    """Returns the configuration chosen for a shop; the base where there is too little to go by."""
    events = dataset.events.select(pl.len()).collect().item()
    try:
        with bars(console) as progress:
            choice = choose_for(
                dataset,
                base,
                load_menu(menu),
                budget_seconds=budget_seconds or usual_budget(events),
                progress=progress,
            )
    except DataError as error:
        console.print(f"[yellow]Nothing to choose by:[/] {escape(str(error))}; taken as it is.")
        return base, None
    console.print(choice_tables(choice))
    return choice.config, choice


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
