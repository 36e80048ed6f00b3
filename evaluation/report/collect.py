"""From what was measured to a report: tests, learning curves, and the file."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from evaluation.report.findings import Findings
from recsys.assembly import FitConfig
from recsys.backtest.contenders import fitted
from recsys.backtest.learning import Of, learning_curve
from recsys.backtest.outcomes import Contender, Outcome, Study
from recsys.backtest.rows import Row
from recsys.backtest.verdicts import verdicts, with_p_values
from recsys.data.progress import Progress
from recsys.data.splits import Split

NEEDED = ("altair", "jinja2", "vl_convert")


def check_report(report: Path | None, of: Of | None) -> None:
    """Refuses options of the report that cannot be met, before anything is computed.

    Raises:
        BadParameter: the name is not that of a page, plotting is not installed, or there is a
            learning curve without a report.
    """
    if of and report is None:
        message = "--learning-curve stands in the report: give --report FILE.html, too"
        raise typer.BadParameter(message)
    if report and report.suffix.lower() not in {".html", ".htm"}:
        message = f"--report: '{report}' would be a page of HTML: let its name end in .html"
        raise typer.BadParameter(message)
    if report and any(find_spec(name) is None for name in NEEDED):
        message = "--report needs the extra `report`: pip install 'recsys-engine[report]'"
        raise typer.BadParameter(message)


def findings(
    split: Split,
    study: Study,
    outcomes: Mapping[str, Outcome],
    rows: Iterable[Row],
    configs: Mapping[str, FitConfig],
    *,
    metric: str = "ndcg",
    learning_of: Of | None = None,
    progress: Progress,
) -> Findings:
    """Tests all differences, and draws learning curves where they are asked for.

    Args:
        split: what was fitted on and judged by.
        study: what was measured.
        outcomes: what all configurations did.
        rows: their figures, without p-values.
        configs: what they are; these are refitted for a learning curve.
        metric: the headline's.
        learning_of: what training data are cut down by; None: no learning curve.
        progress: hears of every test and fit.

    Raises:
        ConfigError: the metric is not a mean over customers.
    """
    tested = []
    for done, (name, outcome) in enumerate(outcomes.items()):
        progress("tests of differences", done, len(outcomes))
        tested.append(verdicts(name, outcome, metric, max(study.ks), seed=study.seed))
    progress("tests of differences", len(outcomes), len(outcomes))
    points = []
    if learning_of:

        def again(part: Split) -> Sequence[Contender]:
            return [
                fitted(name, config, part, mask=study.mask) for name, config in configs.items()
            ]

        points = learning_curve(
            split, again, study, outcomes, of=learning_of, metric=metric, progress=progress
        )
    return Findings(
        split=split,
        study=study,
        outcomes=outcomes,
        rows=tuple(with_p_values(rows, tested)),
        verdicts=tuple(tested),
        configs=configs,
        learning=tuple(points),
        learning_of=learning_of,
        metric=metric,
    )


def save_report(console: Console, path: Path, found: Findings) -> None:
    """Writes the page and the figures beside it, and says where they are."""
    # Plotting is an extra: without --report nothing of it is imported.
    from evaluation.report.page import write_report  # noqa: PLC0415

    with console.status("drawing the report"):
        figures = write_report(path, found, now=datetime.now(UTC))
    console.print(
        f"Report: [bold]{escape(str(path))}[/] ({path.stat().st_size / 2**20:.2f} MiB), "
        f"figures: {escape(str(figures))}",
        highlight=False,
    )
