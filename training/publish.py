"""The verb `publish`: make a candidate current, if past cut-offs show that it is not worse."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from json import dumps
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from recsys.assembly import FitConfig
from recsys.backtest.gate import MARGIN, Check, Decision, Rules, decide
from recsys.backtest.gate_trials import METRIC, K, gate_trials
from recsys.backtest.outcomes import Study
from recsys.backtest.rows import Row
from recsys.bundle import CURRENT, activate, current, list_bundles, read_manifest
from recsys.config import validated
from recsys.data.bars import bars
from recsys.data.dataset import Dataset
from recsys.errors import BundleError, DataError
from recsys.protocols.temporal import DEFAULT_TEST_DAYS, rolling_origin

JUDGED = ("for_you", "discover")
DEFAULT_CUTOFFS = 2
REPORTS = "-gate"
"""Ends the name of the folder of reports, which lies beside the bundle root."""

BundlesOption = Annotated[Path, typer.Option("--bundles", help="Bundle root.")]
VersionOption = Annotated[
    str | None,
    typer.Option("--candidate", metavar="VERSION", help="[the newest that is not current]"),
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Prepared data that the candidate was fitted on.")
]
GateOption = Annotated[
    bool, typer.Option("--gate/--no-gate", help="Compare first, or make it current as it is.")
]
MarginOption = Annotated[
    float,
    typer.Option("--margin", min=0, max=1, help="How much worse it may be, as a part of 1."),
]
CutoffsOption = Annotated[int, typer.Option("--cutoffs", min=1, help="Past cut-offs to refit at.")]
TestDaysOption = Annotated[
    int, typer.Option("--test-days", min=1, help="Days after each cut-off that are judged by.")
]
SeedOption = Annotated[int, typer.Option("--seed", help="Decides draws and bootstrap samples.")]


def publish_command(
    *,
    bundles: BundlesOption,
    data: DataOption = None,
    candidate: VersionOption = None,
    gate: GateOption = True,
    margin: MarginOption = MARGIN,
    cutoffs: CutoffsOption = DEFAULT_CUTOFFS,
    test_days: TestDaysOption = DEFAULT_TEST_DAYS,
    seed: SeedOption = 0,
) -> None:
    """Make a candidate current, unless past cut-offs say that it could be worse.

    The configurations of the current bundle and of the candidate are refitted at the same past
    cut-offs and asked for the same customers. The candidate becomes current if it is shown not to
    be worse by more than --margin, and no slice of 500 customers or more is shown to be worse.
    Otherwise it stays a candidate, the command says why, and ends with exit code 1.

    \b
    recsys train --data var/data --bundles var/bundles --candidate
    recsys publish --data var/data --bundles var/bundles --gate
    """  # noqa: D301 - click looks for the character itself
    console = Console()
    version = candidate or _newest(bundles)
    if not gate:
        console.print(f"{activate(bundles, version).name} is current", highlight=False)
        return
    if data is None:
        message = "--gate refits at past cut-offs: give --data, or --no-gate"
        raise typer.BadParameter(message)
    if not (bundles / CURRENT).exists():
        console.print("There is no current bundle to be worse than.")
        console.print(f"{activate(bundles, version).name} is current", highlight=False)
        return
    dataset = Dataset.open(data)
    configs = _config(bundles / version), _config(current(bundles))
    rules = Rules(margin=margin)
    decision, rows = _judged(console, dataset, configs, rules, (cutoffs, test_days, seed))
    report = _write(bundles, version, decision, rows, rules)
    _print(console, decision, same=configs[0] == configs[1])
    console.print(f"Report: [bold]{report}[/]", highlight=False)
    if not decision.passed:
        console.print(f"[red]{version} stays a candidate[/]", highlight=False)
        raise typer.Exit(1)
    console.print(f"{activate(bundles, version).name} is current", highlight=False)


def _newest(bundles: Path) -> str:
    active = current(bundles).name if (bundles / CURRENT).exists() else None
    names = [path.name for path in list_bundles(bundles) if path.name != active]
    if not names or (active and names[-1] < active):
        message = (
            f"{bundles}: there is no candidate newer than the current bundle; make one: "
            "recsys train --candidate, or name an older one: --candidate VERSION"
        )
        raise BundleError(message, file=str(bundles))
    return names[-1]


def _config(bundle: Path) -> FitConfig:
    said = read_manifest(bundle).config
    known = {name: said[name] for name in FitConfig.model_fields if name in said}
    return validated(FitConfig, known, where=str(bundle))


def _judged(
    console: Console,
    dataset: Dataset,
    configs: tuple[FitConfig, FitConfig],
    rules: Rules,
    numbers: tuple[int, int, int],
) -> tuple[Decision, list[Row]]:
    cutoffs, test_days, seed = numbers
    candidate, before = configs
    lost = [name for name in before.placements if name not in candidate.placements]
    if lost:
        reasons = tuple(f"{name}: the candidate does not have this placement" for name in lost)
        return Decision(passed=False, checks=(), reasons=reasons), []
    placements = tuple(name for name in JUDGED if name in before.placements)
    study = Study(
        dataset="gate",
        variant="",
        placements=placements or tuple(before.placements),
        ks=(K,),
        seed=seed,
        skip_empty=True,
        all_slices=True,
    )
    holdouts = rolling_origin(dataset, test_days=test_days, folds=cutoffs)
    with bars(console) as progress:
        trials, rows = gate_trials(holdouts, candidate, before, study, progress=progress)
        if not rows:
            message = f"no customer has a right answer for {', '.join(study.placements)}"
            raise DataError(message)
        progress("decide", 0, 1)
        decision = decide(trials, rules, seed=seed)
        progress("decide", 1, 1)
    return decision, rows


def _write(bundles: Path, version: str, decision: Decision, rows: list[Row], rules: Rules) -> Path:
    """Writes the decision and all figures beside the bundle root."""
    root = bundles.resolve()
    path = root.parent / f"{root.name}{REPORTS}" / f"{version}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "candidate": version,
        "current": current(bundles).name,
        "decided_time": datetime.now(UTC).isoformat(timespec="seconds"),
        "metric": f"{METRIC}@{K}",
        "rules": asdict(rules),
        **asdict(decision),
        "rows": [row.model_dump(mode="json") for row in rows],
    }
    path.write_text(dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def _print(console: Console, decision: Decision, *, same: bool) -> None:
    if same:
        console.print("Both bundles have the same configuration: there is nothing to compare.")
    for placement in dict.fromkeys(check.placement for check in decision.checks):
        checks = [check for check in decision.checks if check.placement == placement]
        console.print(_table(placement, checks))
    for reason in decision.reasons:
        console.print(f"[red]refused:[/] {reason}", highlight=False)


def _table(placement: str, checks: Sequence[Check]) -> Table:
    table = Table(
        title=f"{placement}: {METRIC}@{K} at past cut-offs",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("slice")
    for name in ("customers", "current", "candidate", "change", "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for check in checks:
        table.add_row(
            check.slice,
            f"{check.customers:,}",
            f"{check.current:.4f}",
            f"{check.candidate:.4f}",
            f"{check.relative.value:+.1%}",
            f"{check.relative.low:+.1%} {check.relative.high:+.1%}",
            "" if check.passed else "[red]✗[/]",
        )
    return table
