"""Figures as tables for people, narrow enough for 80 columns."""

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.table import Table

from recsys.backtest.measures import MAIN_METRICS
from recsys.backtest.rows import WHOLE_POPULATION, Row
from recsys.backtest.summary import MINUS
from recsys.backtest.verdicts import verdict

SLICED_METRIC = "ndcg"
UNJUDGED = ("novelty", "repeat_share", "ild_category", "calibration_kl", "arp")
"""Metrics of which more is different, not better: they get no mark."""
LABEL_WIDTH = 14
"""Leaves room for four configurations with intervals and marks in 80 columns."""
TWO_DIGITS = ("novelty", "revenue", "margin")
LEGEND = (
    "± is half the 95 % bootstrap interval over customers. Beside another configuration: "
    "[green]▼[/] it is worse than {ours}, [red]▲[/] better, by the paired permutation test of "
    "{metric} with Holm's correction (at most .05), as in the report; other metrics have none."
)


def placement_tables(
    rows: Sequence[Row], ks: Sequence[int], metrics: Sequence[str] = MAIN_METRICS
) -> Iterator[Table]:
    """Yields a table for each placement: metrics down, configurations across."""
    for placement in _distinct(row.placement for row in rows):
        whole = [row for row in rows if row.placement == placement]
        whole = [row for row in whole if row.slice == WHOLE_POPULATION]
        names = configurations(whole)
        customers = max(row.customers or 0 for row in whole)
        table = _table(f"{placement}: {customers:,} customers", "metric", names)
        for metric in metrics:
            for k in ks:
                cells = [_cell(whole, name, names[0], metric, k) for name in names]
                if any(cells):
                    table.add_row(_label(metric, k), *cells)
        yield table


def slice_tables(rows: Sequence[Row], k: int) -> Iterator[Table]:
    """Yields a table for each placement: slices down, configurations across."""
    for placement in _distinct(row.placement for row in rows):
        wanted = (placement, SLICED_METRIC, k)
        chosen = [row for row in rows if (row.placement, row.metric, row.k) == wanted]
        names = configurations(chosen)
        table = _table(f"{placement}: {SLICED_METRIC}@{k} by slice", "slice", names)
        for group in _distinct(row.slice for row in chosen):
            of_group = [row for row in chosen if row.slice == group]
            cells = [_cell(of_group, name, names[0], SLICED_METRIC, k) for name in names]
            table.add_row(f"{group}\n({of_group[0].customers:,})", *cells)
        yield table


def cost_table(rows: Sequence[Row]) -> Table:
    """Returns what every configuration cost: seconds by placement, and memory."""
    names = configurations(rows)
    table = _table("Seconds to fit and make all lists", "placement", names)
    spent = {(row.placement, row.configuration): row.seconds for row in rows}
    for placement in _distinct(row.placement for row in rows):
        seconds = [spent.get((placement, name)) for name in names]
        table.add_row(placement, *("" if took is None else f"{took:,.1f}" for took in seconds))
    peaks = [
        max(row.peak_mb or 0.0 for row in rows if row.configuration == name) for name in names
    ]
    table.add_row("peak MiB", *(f"{peak:,.0f}" for peak in peaks))
    return table


def configurations(rows: Iterable[Row]) -> list[str]:
    """Returns the configurations, ours first, without the differences."""
    return [name for name in _distinct(row.configuration for row in rows) if MINUS not in name]


def _table(title: str, first: str, names: Sequence[str]) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column(first, no_wrap=True)
    for name in names:
        # Words can be broken between, and a long name need not widen its column.
        table.add_column(name.replace("-", " "), justify="right")
    return table


def _label(metric: str, k: int) -> str:
    """Returns the metric's name at k; a long one takes two lines, not its neighbours' room."""
    label = f"{metric}@{k}"
    return label if len(label) <= LABEL_WIDTH else "_\n".join(label.rsplit("_", 1))


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _cell(rows: Sequence[Row], configuration: str, ours: str, metric: str, k: int) -> str:
    """Returns a value with its interval and, for a baseline, how it compares with ours."""
    found = _find(rows, configuration, metric, k)
    if found is None:
        return ""
    digits = 2 if metric in TWO_DIGITS else 4
    value = f"{found.value:.{digits}f}"
    if found.low is None or found.high is None:
        return value + " " * 8
    half = f"{(found.high - found.low) / 2:.{digits}f}".removeprefix("0")
    if metric in UNJUDGED or configuration == ours:
        return f"{value} ±{half} "
    return f"{value} ±{half}{_mark(_find(rows, ours + MINUS + configuration, metric, k))}"


def _mark(difference: Row | None) -> str:
    word = "" if difference is None else verdict(difference.value, difference.p_holm)
    return {"better": "[green]▼[/]", "worse": "[red]▲[/]", "": " "}[word]


def _find(rows: Sequence[Row], configuration: str, metric: str, k: int) -> Row | None:
    wanted = (configuration, metric, k)
    return next((row for row in rows if (row.configuration, row.metric, row.k) == wanted), None)
