"""The verb `run`: fit on the past or load a bundle, ask it everything, print and save figures."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape

from evaluation.cutting import Cut, answered, introduce, variant
from evaluation.options import (
    AllMetricsOption,
    BundleOption,
    ConfigOption,
    CutoffOption,
    DataOption,
    EveryKOption,
    JsonOption,
    KOption,
    MinItemEventsOption,
    NameOption,
    PlacementsOption,
    ProtocolName,
    ProtocolOption,
    SeedOption,
    SlicesOption,
    TestDaysOption,
    parse_ks,
    parse_placements,
)
from evaluation.tables import LEGEND, cost_table, placement_tables, slice_tables
from recsys.assembly import load_recommender
from recsys.backtest.compare import Contender, Study, compare
from recsys.backtest.contenders import baseline_contenders, fitted, loaded
from recsys.backtest.measures import MAIN_METRICS, METRICS
from recsys.backtest.rows import DEFAULT_CONFIGURATION, Row, write_figures
from recsys.backtest.slices import DEFINITIONS
from recsys.bundle import MANIFEST, current
from recsys.data.bars import bars
from recsys.data.dataset import Dataset
from recsys.data.splits import Split, split_for
from recsys.errors import DataError
from recsys.fitting.config import load_config


def run_command(
    *,
    data: DataOption,
    config: ConfigOption = None,
    bundle: BundleOption = None,
    protocol: ProtocolOption = ProtocolName.TEMPORAL,
    cutoff: CutoffOption = None,
    test_days: TestDaysOption = None,
    min_item_events: MinItemEventsOption = 0,
    placements: PlacementsOption = None,
    k: KOption = "5,10,20",
    slices: SlicesOption = False,
    every_k: EveryKOption = False,
    all_metrics: AllMetricsOption = False,
    json: JsonOption = None,
    dataset_name: NameOption = None,
    seed: SeedOption = 0,
) -> None:
    """Measure lists against what customers bought later, beside the baselines.

    The data are cut in time: everything is fitted on events before the cutoff, every customer
    who is known by then and buys afterwards is asked for through the recommender that serves,
    over the whole catalogue. Without --config or --bundle the default configuration is fitted.

    \b
    python -m evaluation run --data var/demo/data
    python -m evaluation run --data var/data --config mine.toml --test-days 14 --json mine.json
    python -m evaluation run --data var/data --bundle var/bundles
    """  # noqa: D301  # click keeps the lines of a paragraph that begins with this character
    if bundle and (config or cutoff or test_days or min_item_events):
        message = (
            "--bundle brings its own configuration, items and cutoff: leave out --config, "
            "--cutoff, --test-days and --min-item-events"
        )
        raise typer.BadParameter(message)
    cut = Cut(cutoff, test_days, min_item_events)
    ks, asked = parse_ks(k), parse_placements(placements)
    console = Console()
    dataset = Dataset.open(data)
    split, ours = _of_bundle(dataset, bundle) if bundle else _of_config(dataset, config, cut)
    study = Study(
        dataset=dataset_name or data.resolve().name,
        protocol=protocol.value,
        variant=variant(split, min_item_events),
        placements=answered(asked, ours),
        ks=ks,
        seed=seed,
        skip_empty=placements is None,
    )
    introduce(console, split)
    with bars(console) as progress:
        rows = compare(split, [ours, *baseline_contenders(split)], study, progress=progress)
    for name in sorted(set(study.placements) - {row.placement for row in rows}):
        console.print(f"[yellow]left out:[/] {name}: no customer has a right answer for it")
    metrics = METRICS if all_metrics else MAIN_METRICS
    _print(console, rows, ks if every_k else ks[-1:], metrics, slices=slices)
    if json:
        write_figures(json, rows)
        console.print(f"Figures: [bold]{escape(str(json))}[/]")


def _of_config(dataset: Dataset, config: Path | None, cut: Cut) -> tuple[Split, Contender]:
    fit_config = load_config(config)
    split = cut.split(dataset)
    return split, fitted(DEFAULT_CONFIGURATION, fit_config, split)


def _of_bundle(dataset: Dataset, bundle: Path) -> tuple[Split, Contender]:
    path = bundle if (bundle / MANIFEST).exists() else current(bundle)
    recommender = load_recommender(path)
    cutoff = datetime.fromtimestamp(recommender.trained_until, UTC)
    last = dataset.events.select(pl.col("event_time").max()).collect().item()
    if last is None or last < cutoff:
        message = (
            f"{path}: was trained on everything before {cutoff:%Y-%m-%d %H:%M} UTC and the data "
            "hold no later event to judge it by. Prepare newer data, or refit on an earlier part: "
            "--config FILE --test-days 28"
        )
        raise DataError(message, bundle_version=recommender.bundle_version)
    split = split_for(dataset, cutoff, recommender.catalogue.items)
    return split, loaded(DEFAULT_CONFIGURATION, recommender)


def _print(
    console: Console,
    rows: list[Row],
    ks: tuple[int, ...],
    metrics: tuple[str, ...],
    *,
    slices: bool,
) -> None:
    for table in placement_tables(rows, ks, metrics):
        console.print(table)
    console.print(LEGEND.format(ours=rows[0].configuration), highlight=False)
    if slices:
        for table in slice_tables(rows, ks[-1]):
            console.print(table)
        meaning = "; ".join(f"{name}: {text}" for name, text in DEFINITIONS.items())
        console.print(f"Slices with too few customers are left out. {meaning}.", highlight=False)
    console.print(cost_table(rows))
