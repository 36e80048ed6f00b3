"""The verb `run`: fit on the past or load a bundle, ask it everything, print and save figures."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console

from evaluation.progress import bars
from evaluation.tables import LEGEND, cost_table, placement_tables, slice_tables
from recsys.assembly import load_recommender
from recsys.backtest.compare import Contender, Study, compare
from recsys.backtest.contenders import baseline_contenders, fitted, loaded
from recsys.backtest.protocols import PROTOCOLS
from recsys.backtest.rows import DEFAULT_CONFIGURATION, Row, write_figures
from recsys.backtest.slices import DEFINITIONS
from recsys.bundle import MANIFEST, current
from recsys.data.dataset import Dataset
from recsys.data.splits import Split, split_for, temporal_split
from recsys.errors import DataError
from recsys.fitting.config import load_config
from recsys.pipeline.query import MAX_LIMIT

DEFAULT_TEST_DAYS = 28
ALL_PLACEMENTS = ",".join(PROTOCOLS)


class ProtocolName(StrEnum):
    """Ways to split and to make truth."""

    TEMPORAL = "temporal"


DataOption = Annotated[
    Path, typer.Option("--data", help="Prepared data set: python -m training prepare.")
]
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
ProtocolOption = Annotated[
    ProtocolName, typer.Option("--protocol", help="How data are split (docs/evaluation.md).")
]
CutoffOption = Annotated[
    datetime | None,
    typer.Option(
        "--cutoff",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
        help="Fit on events before this UTC time, judge by those after.",
    ),
]
TestDaysOption = Annotated[
    int | None,
    typer.Option(
        "--test-days",
        min=1,
        help=f"Instead of --cutoff: the last so many days are judged by [{DEFAULT_TEST_DAYS}].",
    ),
]
MinItemEventsOption = Annotated[
    int,
    typer.Option(
        "--min-item-events", min=0, help="Leave out items with fewer purchases before the cutoff."
    ),
]
PlacementsOption = Annotated[
    str, typer.Option("--placements", help="Names with commas between them.")
]
KOption = Annotated[str, typer.Option("--k", help="Places that count, with commas between them.")]
SlicesOption = Annotated[
    bool,
    typer.Option("--slices", help="Also print ndcg for new, occasional and loyal customers."),
]
EveryKOption = Annotated[
    bool, typer.Option("--every-k", help="Print every k, not only the largest.")
]
JsonOption = Annotated[
    Path | None, typer.Option("--json", help="Write all figures here, slices and every k too.")
]
NameOption = Annotated[
    str | None, typer.Option("--dataset-name", help="Name in the figures [the folder's name].")
]
SeedOption = Annotated[int, typer.Option("--seed", help="Decides draws and bootstrap samples.")]


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where the options say to cut."""

    cutoff: datetime | None
    test_days: int | None
    min_item_events: int


def run_command(
    *,
    data: DataOption,
    config: ConfigOption = None,
    bundle: BundleOption = None,
    protocol: ProtocolOption = ProtocolName.TEMPORAL,
    cutoff: CutoffOption = None,
    test_days: TestDaysOption = None,
    min_item_events: MinItemEventsOption = 0,
    placements: PlacementsOption = ALL_PLACEMENTS,
    k: KOption = "5,10,20",
    slices: SlicesOption = False,
    every_k: EveryKOption = False,
    json: JsonOption = None,
    dataset_name: NameOption = None,
    seed: SeedOption = 0,
) -> None:
    r"""Measure lists against what customers bought later, beside the baselines.

    The data are cut in time: everything is fitted on events before the cutoff, every customer
    who is known by then and buys afterwards is asked for through the recommender that serves,
    over the whole catalogue. Without --config or --bundle the default configuration is fitted.

    \b
    python -m evaluation run --data var/demo/data
    python -m evaluation run --data var/data --config mine.toml --test-days 14 --json mine.json
    python -m evaluation run --data var/data --bundle var/bundles
    """
    if bundle and (config or cutoff or test_days or min_item_events):
        message = (
            "--bundle brings its own configuration, items and cutoff: leave out --config, "
            "--cutoff, --test-days and --min-item-events"
        )
        raise typer.BadParameter(message)
    if cutoff and test_days:
        message = "give either --cutoff or --test-days"
        raise typer.BadParameter(message)
    ks, names = _ks(k), _placements(placements)
    console = Console()
    dataset = Dataset.open(data)
    cut = _Cut(cutoff, test_days, min_item_events)
    split, ours = _of_bundle(dataset, bundle) if bundle else _of_config(dataset, config, cut)
    study = Study(
        dataset=dataset_name or data.resolve().name,
        protocol=protocol.value,
        variant=_variant(split, min_item_events),
        placements=tuple(name for name in names if name in ours.placements),
        ks=ks,
        seed=seed,
    )
    _introduce(console, split, ours)
    with bars(console) as progress:
        rows = compare(split, [ours, *baseline_contenders(split)], study, progress=progress)
    _print(console, rows, ks if every_k else ks[-1:], slices=slices)
    if json:
        write_figures(json, rows)
        console.print(f"Figures: [bold]{json}[/]")


def _ks(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    ks = sorted({int(part) for part in parts if part.isdecimal()})
    if not all(part.isdecimal() for part in parts) or not 1 <= ks[0] <= ks[-1] <= MAX_LIMIT:
        message = f"--k: {text!r} is not a list of numbers from 1 to {MAX_LIMIT}, such as 5,10,20"
        raise typer.BadParameter(message)
    return tuple(ks)


def _placements(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if unknown := [name for name in names if name not in PROTOCOLS]:
        message = f"--placements: {unknown[0]!r} is not one of {', '.join(PROTOCOLS)}"
        raise typer.BadParameter(message)
    return names


def _of_config(dataset: Dataset, config: Path | None, cut: _Cut) -> tuple[Split, Contender]:
    fit_config = load_config(config)
    cutoff = cut.cutoff.replace(tzinfo=UTC) if cut.cutoff else None
    split = temporal_split(
        dataset,
        cutoff=cutoff,
        test_days=None if cutoff else cut.test_days or DEFAULT_TEST_DAYS,
        min_item_events=cut.min_item_events,
    )
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


def _variant(split: Split, min_item_events: int) -> str:
    cutoff = split.cutoff
    midnight = cutoff.time() == datetime.min.time()
    said = f"cutoff={cutoff:%Y-%m-%d}" if midnight else f"cutoff={cutoff:%Y-%m-%dT%H:%M:%SZ}"
    return f"{said} min_item_events={min_item_events}" if min_item_events else said


def _introduce(console: Console, split: Split, ours: Contender) -> None:
    counts = split.counts
    console.print(
        f"Cut at {split.cutoff:%Y-%m-%d %H:%M} UTC: {len(split.items):,} items; "
        f"{len(split.customers):,} customers known before who buy after; left out: "
        f"{counts.new_customers:,} new customers, {counts.unknown_item_pairs:,} purchases of "
        "items not known then.",
        highlight=False,
    )
    console.print(f"Ours is [bold]{ours.name}[/]; every list ranks all items.", highlight=False)


def _print(console: Console, rows: list[Row], ks: tuple[int, ...], *, slices: bool) -> None:
    for table in placement_tables(rows, ks):
        console.print(table)
    console.print(LEGEND.format(ours=rows[0].configuration), highlight=False)
    if slices:
        for table in slice_tables(rows, ks[-1]):
            console.print(table)
        meaning = "; ".join(f"{name}: {text}" for name, text in DEFINITIONS.items())
        console.print(f"Slices with too few customers are left out. {meaning}.", highlight=False)
    console.print(cost_table(rows))
