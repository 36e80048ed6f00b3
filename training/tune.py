"""The verb `tune`: goes further than the choice of `run`, for as long as anybody wants."""

import shlex
import sys
from importlib.util import find_spec

import typer
from rich.console import Console
from rich.markup import escape

from recsys.assembly import FitConfig
from recsys.choice.automatic import PLACEMENTS
from recsys.choice.menu import load_menu
from recsys.choice.options import MenuOption, seconds_of
from recsys.choice.written import write_config
from recsys.data.splits import Split
from recsys.errors import ConfigError
from recsys.fitting.config import load_config
from recsys.protocols.mask import Mask
from recsys.protocols.options import (
    CutoffOption,
    DataOption,
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
    parse_placements,
)
from recsys.protocols.shapes import Shape
from recsys.protocols.single import open_log
from recsys.protocols.temporal import latest
from recsys.tuning.job import Job
from recsys.tuning.spaces import load_spaces
from training.tune_display import display, header, result
from training.tune_options import (
    DEFAULT_BUDGET,
    BaseOption,
    OutOption,
    SpacesOption,
    StudyOption,
    TimeOption,
    TrialsOption,
    TuneSeedOption,
)


def tune_command(
    *,
    study: StudyOption,
    out: OutOption,
    data: DataOption = None,
    train: TrainOption = None,
    test: TestOption = None,
    validation: ValidationOption = None,
    given: GivenOption = None,
    config: BaseOption = None,
    menu: MenuOption = None,
    spaces: SpacesOption = None,
    budget: TimeOption = DEFAULT_BUDGET,
    trials: TrialsOption = None,
    placements: PlacementsOption = None,
    protocol: ProtocolOption = None,
    mask: MaskOption = None,
    cutoff: CutoffOption = None,
    test_days: TestDaysOption = None,
    min_item_events: MinItemEventsOption = 0,
    seed: TuneSeedOption = 0,
) -> None:
    """Search settings of models, weights and rankers beyond the menu of `run`, with Optuna.

    Begins with the best of the menu, then tries one setting at a time and weighs all sources
    anew. Stopped or killed, it goes on where it was when it is called again. Judged by the last
    four weeks of --data; with --cutoff, --test-days or --protocol, and for data that are split
    already, inside the training side alone, so that what `evaluation run` measures stays unseen.

    \b
    recsys tune --data var/data --study var/tuning --out tuned.toml --budget 8h
    recsys tune --data var/data --test-days 28 --study var/s --out t.toml
    recsys tune --train train.csv --test test.csv --study var/s --out t.toml
    """  # noqa: D301 - click looks for the character itself
    console = Console()
    seconds = seconds_of(budget) or 0.0
    options = SplitOptions(
        data=data,
        train=train,
        test=test,
        validation=validation,
        given=given,
        fit_validation=False,
        protocol=protocol,
        mask=mask,
        cutoff=cutoff,
        test_days=test_days,
        min_item_events=min_item_events,
        folds=None,
        seed=seed,
    )
    if find_spec("optuna") is None:
        message = "tuning needs the extra `tune`: pip install 'recsys-engine[tune]'"
        raise ConfigError(message, package="optuna")
    from recsys.tuning.tune import tune  # noqa: PLC0415  # imports optuna

    base, asked = load_config(config), parse_placements(placements)
    split, used_mask, usual = _inner(options)
    wanted = _placements(base, asked or usual or PLACEMENTS, named=asked is not None)
    job = Job(split, base, load_menu(menu), load_spaces(spaces), wanted, used_mask, seed)
    console.print(
        f"Tuned on {len(split.customers):,} customers and what they chose from "
        f"{split.cutoff:%Y-%m-%d %H:%M} UTC on, over {len(split.items):,} items.",
        highlight=False,
    )
    with display(console, seconds, trials) as (watch, progress):
        found = tune(job, study, seconds=seconds, trials=trials, watch=watch, progress=progress)
    command = f"recsys {shlex.join(sys.argv[1:])}"
    write_config(found.config, out, comment=header(command, found, split))
    console.print(result(found))
    console.print(f"Configuration: [bold]{escape(str(out))}[/]")
    if data and not (protocol or cutoff or test_days):
        console.print(
            "The end of the data was seen: to measure this on customers' later choices, tune with "
            "--test-days or --cutoff as you will evaluate with.",
            highlight=False,
        )


def _inner(options: SplitOptions) -> tuple[Split, Mask | None, tuple[str, ...] | None]:
    """Returns the split to choose by, its mask, and what is usually asked there."""
    cut = options.protocol or options.cutoff or options.test_days
    if options.data and not cut:
        log = open_log(options.data)
        if log.shape is Shape.EVENTS:
            split = latest(log.dataset, min_item_events=options.min_item_events)
            return split, options.mask, None
        message = f"{options.data} has no times to split by: say how with --protocol"
        raise typer.BadParameter(message)
    held, *others = options.holdouts()
    if others:
        message = f"{held.protocol} has several cut-offs: tune at one, with --cutoff"
        raise typer.BadParameter(message)
    return held.inner(held.split), held.mask, held.placements


def _placements(base: FitConfig, names: tuple[str, ...], *, named: bool) -> tuple[str, ...]:
    """Returns the placements that the configuration has; one that somebody named must be there."""
    missing = [name for name in names if name not in base.placements]
    if missing and named:
        message = f"--placements: the configuration has no {missing[0]!r}"
        raise typer.BadParameter(message)
    return tuple(name for name in names if name not in missing)
