"""The page of all benchmarks, made of the rows alone."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from evaluation.benchmark.definitions import Benchmark, Benchmarks, Table
from evaluation.benchmark.measure import (
    BOUGHT_ONLY,
    CHOICE_SECONDS,
    FIT_PEAK_MB,
    FIT_SECONDS,
    OURS,
    TUNED,
    of_set,
)
from recsys.backtest.rows import DEFAULT_CONFIGURATION, Row
from recsys.backtest.summary import MINUS

MARKS = {"published": "P", "computed independently": "C"}


def write_page(file: Path, rows: Sequence[Row], benchmarks: Benchmarks) -> None:
    """Writes a table for each benchmark that has rows."""
    parts = [files("evaluation.benchmark").joinpath("introduction.md").read_text("utf-8")]
    for name, benchmark in benchmarks.sets.items():
        found = of_set(rows, name)
        if found:
            parts.append("\n".join(_section(name, benchmark, benchmarks, found)))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(parts), encoding="utf-8")


def _section(
    name: str, benchmark: Benchmark, benchmarks: Benchmarks, rows: Sequence[Row]
) -> Iterator[str]:
    yield f"## {name}\n\n{benchmark.about}. `{rows[0].protocol}`, `{rows[0].variant}`.\n"
    for table in benchmark.tables:
        here = [row for row in rows if row.placement == table.placement]
        yield from _table(benchmark, table, here)
        yield from _against_peers(benchmark, benchmarks, table, here)


def _table(benchmark: Benchmark, table: Table, rows: Sequence[Row]) -> Iterator[str]:
    head = header(table)
    customers = max((row.customers or 0 for row in rows), default=0)
    yield f"### {table.placement}: {table.title}, {customers:,} customers\n"
    yield _line(head)
    yield _line(["---", *["---:"] * (len(head) - 1)])
    for what, figures in (("must", table.must), ("aim", table.aim)):
        bars = [_bar(figures.get(metric)) for metric in table.metrics]
        if figures:
            yield _line(
                [
                    f"*{what}, {benchmark.must_bind if what == 'must' else 'either'}*",
                    *bars,
                    "",
                    "",
                    "",
                ]
            )
    for cells in body(table, rows):
        yield _line(cells)
    chose = [row for row in rows if row.metric == CHOICE_SECONDS]
    for row in chose:
        yield f"\n{row.configuration}: chosen in {row.value:,.0f} s."
    yield ""


def header(table: Table) -> list[str]:
    """Returns the names of the columns of a table."""
    metrics = [f"{metric}@{table.k}" for metric in table.metrics]
    return ["list", *metrics, f"default - it, {table.judged_by}", "fit s", "MiB"]


def body(table: Table, rows: Sequence[Row]) -> Iterator[list[str]]:
    """Yields the cells of every line of a table, of rows of its placement."""
    for label in _labels(rows):
        yield _cells(label, table, rows)


def _labels(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Returns configuration and source of each row of a table: measured, then printed."""
    measured = [row for row in rows if row.source not in MARKS and MINUS not in row.configuration]
    quoted = [row for row in rows if row.source in MARKS]
    return list(dict.fromkeys((row.configuration, row.source) for row in [*measured, *quoted]))


def _cells(label: tuple[str, str], table: Table, rows: Sequence[Row]) -> list[str]:
    name, source = label
    mine = [row for row in rows if (row.configuration, row.source) == label]
    values = {row.metric: row for row in mine}
    bold = name in (DEFAULT_CONFIGURATION, TUNED, BOUGHT_ONLY)
    title = f"**{name}**" if bold else name
    title += f" [{MARKS[source]}]" if source in MARKS else ""
    lead = _found(rows, f"{DEFAULT_CONFIGURATION}{MINUS}{name}", table.judged_by)
    lead = lead if source not in MARKS else None
    peak = max((row.peak_mb or 0.0 for row in mine), default=0.0)
    return [
        title,
        *(_value(values.get(metric)) for metric in table.metrics),
        "" if lead is None else f"{lead.value:+.4f} {_mark(lead)}".strip(),
        _spent(values.get(FIT_SECONDS)),
        f"{peak:,.0f}" if peak else "",
    ]


def _against_peers(
    benchmark: Benchmark, benchmarks: Benchmarks, table: Table, rows: Sequence[Row]
) -> Iterator[str]:
    """Yields the comparison of the same models: quality, and how many times ours takes theirs."""
    measured = {row.configuration for row in rows}
    peers = [name for name in benchmark.peers if name in measured]
    if not peers:
        return
    yield "The same models, ours minus theirs; what fitting took, ours as a share of theirs.\n"
    yield _line(
        ["theirs", "ours", f"{table.judged_by}@{table.k}, paired interval", "time", "memory"]
    )
    yield _line(["---", "---", "---:", "---:", "---:"])
    for name in peers:
        own = OURS + benchmarks.peers[name].ours
        gap = _found(rows, f"{own}{MINUS}{name}", table.judged_by)
        shown = (
            ""
            if gap is None
            else f"{gap.value:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}] {_mark(gap)}"
        )
        ratios = [ratio(rows, own, name, metric) for metric in (FIT_SECONDS, FIT_PEAK_MB)]
        yield _line([name, own, shown.strip(), *(f"{share:.2f}" for share in ratios)])
    yield ""


def ratio(rows: Sequence[Row], own: str, peer: str, metric: str) -> float:
    """Returns how many times what a peer took ours takes; NaN where either is not known."""
    ours, theirs = (_found(rows, name, metric) for name in (own, peer))
    if ours is None or theirs is None or not theirs.value:
        return float("nan")
    return ours.value / theirs.value


def _found(rows: Sequence[Row], configuration: str, metric: str) -> Row | None:
    wanted = (configuration, metric)
    return next((row for row in rows if (row.configuration, row.metric) == wanted), None)


def _value(row: Row | None) -> str:
    if row is None:
        return ""
    if row.low is None or row.high is None:
        return f"{row.value:.4f}"
    return f"{row.value:.4f} [{row.low:.4f}, {row.high:.4f}]"


def _spent(row: Row | None) -> str:
    return "" if row is None else f"{row.value:,.1f}"


def _mark(difference: Row) -> str:
    if difference.low is not None and difference.low > 0:
        return "▲"
    return "▼" if difference.high is not None and difference.high < 0 else ""


def _bar(value: float | None) -> str:
    return "" if value is None else f"*{value:.4f}*"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def missed(benchmark: Benchmark, rows: Sequence[Row]) -> Mapping[str, tuple[float, float]]:
    """Returns the must figures that are not reached: what was found, and what it must be."""
    short: dict[str, tuple[float, float]] = {}
    for table in benchmark.tables:
        here = [row for row in rows if row.placement == table.placement]
        for metric, bar in table.must.items():
            row = _found(here, benchmark.must_bind, metric)
            if row is not None and row.value < bar:
                short[f"{table.placement} {metric}@{table.k}"] = (row.value, bar)
    return short
