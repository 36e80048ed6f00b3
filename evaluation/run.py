"""The verb `run`: fit on one side or load a bundle, ask it everything, print and save figures."""

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from evaluation.cut_off_tables import cut_off_tables
from evaluation.options import (
    AllMetricsOption,
    BundleOption,
    ConfigOption,
    EveryKOption,
    JsonOption,
    KOption,
    LearningCurveOption,
    NameOption,
    ReportOption,
    SeedOption,
    SlicesOption,
    parse_ks,
)
from evaluation.report.collect import check_report, findings, save_report
from evaluation.report.findings import Findings
from evaluation.subjects import Chooser, Subject, of_bundle, of_choice, of_config
from evaluation.tables import (
    LEGEND,
    SLICED_METRIC,
    cost_table,
    placement_tables,
    slice_tables,
)
from recsys.backtest.baselines import baselines
from recsys.backtest.compare import Study, figures
from recsys.backtest.evaluate import answered
from recsys.backtest.learning import Of
from recsys.backtest.measures import MAIN_METRICS, METRICS
from recsys.backtest.outcomes import measure
from recsys.backtest.rolling import rolling
from recsys.backtest.rows import DEFAULT_CONFIGURATION, Row, write_figures
from recsys.backtest.slices import DEFINITIONS
from recsys.choice.menu import load_menu
from recsys.choice.options import (
    BudgetOption,
    ChooseOption,
    MenuOption,
    SaveConfigOption,
    seconds_of,
)
from recsys.data.bars import bars
from recsys.data.progress import Progress
from recsys.fitting.reduce import needed
from recsys.protocols.holdout import HoldOut
from recsys.protocols.options import (
    CutoffOption,
    DataOption,
    FitValidationOption,
    FoldsOption,
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
from recsys.protocols.single import ProtocolName


def run_command(
    *,
    data: DataOption = None,
    train: TrainOption = None,
    test: TestOption = None,
    validation: ValidationOption = None,
    given: GivenOption = None,
    fit_validation: FitValidationOption = False,
    config: ConfigOption = None,
    choose: ChooseOption = None,
    budget: BudgetOption = None,
    menu: MenuOption = None,
    save_config: SaveConfigOption = None,
    bundle: BundleOption = None,
    protocol: ProtocolOption = None,
    mask: MaskOption = None,
    cutoff: CutoffOption = None,
    test_days: TestDaysOption = None,
    folds: FoldsOption = None,
    min_item_events: MinItemEventsOption = 0,
    placements: PlacementsOption = None,
    k: KOption = "5,10,20",
    slices: SlicesOption = False,
    every_k: EveryKOption = False,
    all_metrics: AllMetricsOption = False,
    json: JsonOption = None,
    report: ReportOption = None,
    learning_curve: LearningCurveOption = None,
    dataset_name: NameOption = None,
    seed: SeedOption = 0,
) -> None:
    """Measure lists against what customers bought later, beside the baselines.

    Unless --protocol says otherwise the data are cut in time: everything is fitted on events
    before the cutoff, every customer who is known by then and buys afterwards is asked for
    through the recommender that serves, over the whole catalogue. Without --config or --bundle
    models and weights are chosen within the training side, as `training run` chooses them; a
    smaller --budget is quicker. Data that somebody else has split come as --train and --test.

    \b
    recsys evaluate --data var/demo/data
    recsys evaluate --data var/data --config mine.toml --test-days 14
    recsys evaluate --data var/data --bundle var/bundles
    recsys evaluate --data var/data --report report.html --learning-curve history
    recsys evaluate --data var/data --protocol rolling-origin --test-days 14
    recsys evaluate --train train.parquet --test test.parquet --k 20
    """  # noqa: D301  # click keeps the lines of a paragraph that begins with this character
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
        folds=folds,
        seed=seed,
    )
    if bundle:
        _refuse_beside_bundle(options, config, learning_curve)
    check_report(report, learning_curve)
    ks, asked = parse_ks(k), parse_placements(placements)
    console = Console()
    if bundle is not None:
        subject = of_bundle(options, bundle)
    elif choose if choose is not None else config is None:
        chooser = Chooser(load_menu(menu), seconds_of(budget), asked, seed, console, save_config)
        subject = of_choice(options, config, chooser)
    else:
        subject = of_config(options, config)
    first = subject.holdouts[0]
    if report and len(subject.holdouts) > 1:
        message = f"--report goes with one cut-off, not with {first.protocol}"
        raise typer.BadParameter(message)
    study = Study(
        dataset=dataset_name or options.name,
        protocol=first.protocol,
        variant=first.variant,
        placements=answered(asked or first.placements, tuple(subject.config.placements)),
        ks=ks,
        mask=first.mask,
        seed=seed,
        skip_empty=placements is None,
        all_slices=report is not None,
    )
    for holdout in subject.holdouts:
        introduce(console, holdout)
    with bars(console) as progress:
        found = _tested(subject, study, learning_curve, progress)
        rows = _rolled(subject, study, progress) if found is None else list(found.rows)
    _note_empty(console, rows, study, subject.holdouts)
    metrics = METRICS if all_metrics else MAIN_METRICS
    _print(console, rows, ks if every_k else ks[-1:], metrics, slices=slices)
    if json:
        write_figures(json, rows)
        console.print(f"Figures: [bold]{escape(str(json))}[/]")
    if report and found:
        save_report(console, report, found)


def _rolled(subject: Subject, study: Study, progress: Progress) -> list[Row]:
    return rolling(subject.holdouts, subject.contenders, study, progress=progress)


def _tested(
    subject: Subject, study: Study, learning_of: Of | None, progress: Progress
) -> Findings | None:
    """Returns what one cut-off gives, its differences tested; None where there are several."""
    if len(subject.holdouts) > 1:
        return None
    split, contenders = subject.holdouts[0].split, subject.contenders(subject.holdouts[0])
    outcomes = measure(split, contenders, study, progress=progress)
    return findings(
        split,
        study,
        outcomes,
        list(figures(split, outcomes, study)),
        {DEFAULT_CONFIGURATION: needed(subject.judged, study.placements), **baselines()},
        learning_of=learning_of,
        progress=progress,
    )


def _note_empty(
    console: Console, rows: list[Row], study: Study, holdouts: Sequence[HoldOut]
) -> None:
    """Says which placements and cut-offs nobody could be judged by."""
    judged = {row.placement for row in rows}, {row.variant for row in rows}
    empty = [name for name in study.placements if name not in judged[0]]
    empty += [held.variant for held in holdouts if held.variant not in judged[1]]
    for name in empty:
        console.print(f"[yellow]left out:[/] {name}: no customer has a right answer for it")


def _refuse_beside_bundle(options: SplitOptions, config: Path | None, curve: Of | None) -> None:
    """Refuses what a bundle brings itself."""
    cuts = options.cutoff or options.test_days or options.min_item_events
    if config or cuts or options.folds:
        message = (
            "--bundle brings its own configuration, items and cutoff: leave out --config, "
            "--cutoff, --test-days and --min-item-events"
        )
        raise typer.BadParameter(message)
    if curve:
        message = "--learning-curve refits, and --bundle does not: give --config instead"
        raise typer.BadParameter(message)
    if options.data is None or options.protocol not in (None, ProtocolName.TEMPORAL):
        message = "--bundle is judged by what came after it: give --data and no other --protocol"
        raise typer.BadParameter(message)


def _print(
    console: Console,
    rows: list[Row],
    ks: tuple[int, ...],
    metrics: tuple[str, ...],
    *,
    slices: bool,
) -> None:
    last = rows[-1].variant
    if len({row.variant for row in rows}) > 1:
        for table in cut_off_tables(rows, ks[-1]):
            console.print(table)
    rows = [row for row in rows if row.variant == last]
    for table in placement_tables(rows, ks, metrics):
        console.print(table)
    tested = f"{SLICED_METRIC}@{max(ks)}"
    console.print(LEGEND.format(ours=rows[0].configuration, metric=tested), highlight=False)
    if slices:
        for table in slice_tables(rows, ks[-1]):
            console.print(table)
        meaning = "; ".join(f"{name}: {text}" for name, text in DEFINITIONS.items())
        console.print(f"Slices with too few customers are left out. {meaning}.", highlight=False)
    console.print(cost_table(rows))
