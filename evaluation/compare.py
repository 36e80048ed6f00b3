"""The verb `compare`: any number of configurations, every difference tested."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console
from rich.markup import escape

from evaluation.compare_tables import customer_table, pair_table, significant, slice_table
from evaluation.configurations import configurations
from evaluation.options import (
    AllMetricsOption,
    EveryKOption,
    JsonOption,
    KOption,
    LearningCurveOption,
    NameOption,
    ReportOption,
    SeedOption,
    parse_ks,
)
from evaluation.report.collect import check_report, findings, save_report
from evaluation.tables import LEGEND, cost_table, placement_tables, slice_tables
from recsys.backtest.compare import Study, figures
from recsys.backtest.contenders import fitted
from recsys.backtest.evaluate import answered
from recsys.backtest.measures import MAIN_METRICS, METRICS, PER_CUSTOMER
from recsys.backtest.outcomes import Outcome, measure
from recsys.backtest.rows import write_figures
from recsys.backtest.slices import MIN_CUSTOMERS
from recsys.backtest.summary import MINUS
from recsys.backtest.verdicts import Verdicts
from recsys.backtest.winners import customer_differences
from recsys.data.bars import bars
from recsys.data.splits import Split
from recsys.errors import did_you_mean
from recsys.protocols.options import (
    CutoffOption,
    DataOption,
    FitValidationOption,
    GivenOption,
    MaskOption,
    MinItemEventsOption,
    PlacementsOption,
    ProtocolOption,
    SplitOptions,
    TestDaysOption,
    TestOption,
    TrainOption,
    ValidationOption,
    introduce,
    parse_placements,
)
from recsys.protocols.outputs import output_file
from recsys.protocols.single import ProtocolName

ConfigsOption = Annotated[
    list[str],
    typer.Option(
        "--config",
        metavar="FILE|NAME",
        help="Give two or more: a TOML file over the default configuration, `default` itself, or "
        "a baseline by name, such as personal-frequency-120d. The first is compared with each "
        "other one by slice and by customer.",
    ),
]
MetricOption = Annotated[
    str, typer.Option("--metric", help="What differences are tested by, at the largest k.")
]
MinCustomersOption = Annotated[
    int, typer.Option("--min-customers", metavar="N", min=1, help="Smaller slices are left out.")
]
CustomersOption = Annotated[
    Path | None,
    typer.Option(
        "--customers",
        callback=output_file,
        dir_okay=False,
        writable=True,
        help="Write every customer's values and differences here, as CSV.",
    ),
]
AllSlicesOption = Annotated[
    bool,
    typer.Option("--slices", help="Print every slice, not only those that differ significantly."),
]


def compare_command(
    *,
    config: ConfigsOption,
    data: DataOption = None,
    train: TrainOption = None,
    test: TestOption = None,
    validation: ValidationOption = None,
    given: GivenOption = None,
    fit_validation: FitValidationOption = False,
    protocol: ProtocolOption = None,
    mask: MaskOption = None,
    cutoff: CutoffOption = None,
    test_days: TestDaysOption = None,
    min_item_events: MinItemEventsOption = 0,
    placements: PlacementsOption = None,
    k: KOption = "5,10,20",
    metric: MetricOption = "ndcg",
    min_customers: MinCustomersOption = MIN_CUSTOMERS,
    slices: AllSlicesOption = False,
    every_k: EveryKOption = False,
    all_metrics: AllMetricsOption = False,
    customers: CustomersOption = None,
    json: JsonOption = None,
    report: ReportOption = None,
    learning_curve: LearningCurveOption = None,
    dataset_name: NameOption = None,
    seed: SeedOption = 0,
) -> None:
    """Compare configurations on the same customers: which differ, where, and for whom.

    All are fitted on the same data, split as in `run`. Every two are compared by a paired
    permutation test with Holm's correction, the first with each other one also in every slice.

    \b
    recsys compare --data var/demo/data --config default --config mine.toml
    recsys compare --data var/demo/data --config a.toml --config b.toml \\
      --config personal-frequency-120d --placements for_you --customers who.csv
    """  # noqa: D301  # click keeps the lines of a paragraph that begins with this character
    if metric not in PER_CUSTOMER:
        hint = did_you_mean(metric, PER_CUSTOMER)
        message = f"--metric: {metric!r} is not one of {', '.join(PER_CUSTOMER)}{hint}"
        raise typer.BadParameter(message)
    check_report(report, learning_curve)
    if protocol is ProtocolName.ROLLING_ORIGIN:
        message = "compare one cut-off at a time, such as --cutoff DATE"
        raise typer.BadParameter(message)
    options = SplitOptions(
        data=data,
        train=train,
        test=test,
        validation=validation,
        given=given,
        fit_validation=fit_validation,
        protocol=protocol,
        mask=mask,
        cutoff=cutoff,
        test_days=test_days,
        min_item_events=min_item_events,
        folds=None,
        seed=seed,
    )
    ks, asked, configs = parse_ks(k), parse_placements(placements), configurations(config)
    console = Console()
    (holdout,) = options.holdouts()
    split = holdout.split
    contenders = [fitted(name, each, split, mask=holdout.mask) for name, each in configs.items()]
    study = Study(
        dataset=dataset_name or options.name,
        protocol=holdout.protocol,
        variant=holdout.variant,
        placements=answered(asked or holdout.placements, contenders[0].placements),
        mask=holdout.mask,
        ks=ks,
        seed=seed,
        min_customers=min_customers,
        skip_empty=placements is None,
        all_slices=True,
    )
    introduce(console, holdout)
    with bars(console) as progress:
        outcomes = measure(split, contenders, study, progress=progress)
        found = findings(
            split,
            study,
            outcomes,
            figures(split, outcomes, study),
            configs,
            metric=metric,
            learning_of=learning_curve,
            progress=progress,
        )
    rows = found.rows
    shown_ks, shown = ks if every_k else ks[-1:], METRICS if all_metrics else MAIN_METRICS
    for table in placement_tables(rows, shown_ks, shown):
        console.print(table)
    console.print(
        LEGEND.format(ours=contenders[0].name, metric=f"{metric}@{ks[-1]}"), highlight=False
    )
    if slices:
        for table in slice_tables(rows, ks[-1]):
            console.print(table)
    for verdict in found.verdicts:
        _print_verdicts(console, verdict)
        _print_customers(console, split, verdict, outcomes[verdict.placement])
    console.print(cost_table(rows))
    if customers:
        _write_customers(customers, split, outcomes, metric, ks[-1])
        console.print(f"Customers: [bold]{escape(str(customers))}[/]")
    if json:
        write_figures(json, rows)
        console.print(f"Figures: [bold]{escape(str(json))}[/]")
    if report:
        save_report(console, report, found)


def _print_verdicts(console: Console, found: Verdicts) -> None:
    if not found.pairs:
        return
    what = f"{found.placement}: {found.metric}@{found.k}"
    console.print(pair_table(f"{what}, every two configurations", found.pairs))
    sure = significant(found.slices)
    for other in dict.fromkeys(each.second for each in sure):
        of_other = [each for each in sure if each.second == other]
        title = f"{what}, slices: {of_other[0].first} minus {other}"
        console.print(slice_table(title, of_other))
    console.print(
        f"{len(sure)} of {len(found.slices)} slice differences are more than luck "
        "(Holm at most .05).",
        highlight=False,
    )


def _print_customers(console: Console, split: Split, found: Verdicts, outcome: Outcome) -> None:
    """Prints the largest gains and losses of the first configuration over the second."""
    if not found.pairs:
        return
    first, second = list(outcome.trials)[:2]
    table = customer_differences(split, outcome, found.metric, found.k)
    title = f"{found.placement}: customers with the most to gain or lose, {first} minus {second}"
    console.print(customer_table(title, table, f"{first}{MINUS}{second}"))


def _write_customers(
    path: Path, split: Split, outcomes: Mapping[str, Outcome], metric: str, k: int
) -> None:
    tables = [
        customer_differences(split, outcome, metric, k).select(
            pl.lit(name).alias("placement"), pl.lit(f"{metric}@{k}").alias("metric"), pl.all()
        )
        for name, outcome in outcomes.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.concat(tables, how="diagonal").write_csv(path)
