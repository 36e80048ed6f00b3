"""The verb `forecasts`: whether what customers were told to need again was then bought."""

from datetime import UTC
from json import dumps
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from evaluation.options import ConfigOption, DataOption
from recsys.assembly import assemble
from recsys.backtest.forecasts import ForecastQuality, forecast_quality
from recsys.data.bars import bars
from recsys.data.dataset import Dataset
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit
from recsys.fitting.reduce import needed
from recsys.protocols.options import CutoffOption, MinItemEventsOption, TestDaysOption
from recsys.protocols.outputs import output_file
from recsys.protocols.temporal import temporal

PlacementOption = Annotated[
    str, typer.Option("--placement", help="Whose lists and model are judged.")
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=500, help="Places of the lists.")]
JsonOption = Annotated[
    Path | None,
    typer.Option(
        "--json", callback=output_file, dir_okay=False, writable=True, help="Write all of it here."
    ),
]


def forecasts_command(
    *,
    data: DataOption,
    config: ConfigOption = None,
    cutoff: CutoffOption = None,
    test_days: TestDaysOption = None,
    min_item_events: MinItemEventsOption = 0,
    placement: PlacementOption = "buy_again",
    limit: LimitOption = 20,
    json: JsonOption = None,
) -> None:
    """Judge the probabilities that items are bought again within 7, 14 and 28 days.

    Everything is fitted on events before the cutoff. Every customer who bought before is told a
    probability for every item bought, and gets a list; both are held against the purchases after
    the cutoff. Customers who did not come back count too.

    \b
    recsys evaluation forecasts --data var/demo/data
    recsys evaluation forecasts --data var/data --cutoff 2017-12-04
    """  # noqa: D301  # click keeps the lines of a paragraph that begins with this character
    if cutoff and test_days:
        message = "give either --cutoff or --test-days"
        raise typer.BadParameter(message)
    dataset = Dataset.open(data)
    last = dataset.events.select(pl.col("event_time").max().dt.epoch("s")).collect().item()
    split = temporal(
        dataset,
        cutoff=cutoff.replace(tzinfo=UTC) if cutoff else None,
        test_days=test_days,
        min_item_events=min_item_events,
    ).split
    settings = needed(load_config(config), [placement])
    console = Console()
    with bars(console) as progress:
        fitted = fit(split.train, settings, end_time=split.cutoff, progress=progress)
        recommender = assemble(fitted.pipeline, bundle_version="judged")
        found = forecast_quality(
            recommender,
            split,
            end_time=last + 1,
            placement=placement,
            limit=limit,
            progress=progress,
        )
    console.print(_table(found, f"{placement}, told at {split.cutoff:%Y-%m-%d %H:%M} UTC"))
    console.print(
        "error: by how much a probability is off, in the mean of ten bins of equal size; skill: "
        "how much better than telling everybody the share that was bought.",
        highlight=False,
    )
    if json:
        json.parent.mkdir(parents=True, exist_ok=True)
        json.write_text(dumps([_plain(each) for each in found], indent=2) + "\n", "utf-8")


def _table(found: list[ForecastQuality], title: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("pairs told")
    names = ("days", "pairs", "told", "bought", "error", "Brier skill", "log loss skill", "AUC")
    for name in names:
        table.add_column(name, justify="right")
    for each in found:
        shares = (each.expected, each.happened, each.error)
        skills = (each.brier_skill, each.likelihood_skill, each.auc)
        table.add_row(
            "all" if each.which == "all" else "in lists",
            str(each.days),
            f"{each.pairs:,}",
            *(f"{value:.4f}" for value in shares),
            *(f"{value:.3f}" for value in skills),
        )
    return table


def _plain(each: ForecastQuality) -> dict[str, object]:
    """Returns figures as JSON has them."""
    told = ("which", "days", "pairs", "expected", "happened", "error")
    names = (*told, "brier", "brier_skill", "likelihood_skill", "auc")
    bins = {
        name: getattr(each.bins, name).tolist()
        for name in ("expected", "happened", "errors", "rows")
    }
    return {**{name: getattr(each, name) for name in names}, "bins": bins}
