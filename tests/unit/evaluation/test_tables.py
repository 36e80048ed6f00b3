import io
import re

import pytest
from rich.console import Console
from rich.table import Table

from evaluation.tables import (
    UNJUDGED,
    configurations,
    cost_table,
    placement_tables,
    slice_tables,
)
from recsys.backtest.measures import METRICS
from recsys.backtest.rows import Row

BASE = Row(
    dataset="tiny",
    protocol="temporal",
    placement="for_you",
    metric="ndcg",
    k=5,
    value=0.5,
    low=0.4,
    high=0.6,
    customers=1200,
    seconds=1.5,
    peak_mb=100,
)


def row(**changes: object) -> Row:
    return Row.model_validate(BASE.model_dump() | changes)


def text(table: Table, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO


def paired(name: str, low: float, high: float, **changes: object) -> list[Row]:
    tested = 0.5 if low < 0 < high else 0.01
    minus = {"configuration": f"default-minus-{name}", "seconds": None, "peak_mb": None}
    minus["p_holm"] = tested
    return [
        row(configuration=name, **changes),
        row(value=(low + high) / 2, low=low, high=high, **minus, **changes),
    ]


ROWS = [
    row(),
    *paired("worse", 0.1, 0.2),
    *paired("better", -0.2, -0.1),
    *paired("equal", -0.1, 0.1),
]


def test_marks_say_which_differences_are_certain() -> None:
    (table,) = placement_tables(ROWS, [5])
    (line,) = (line for line in text(table).splitlines() if "ndcg@5" in line)
    assert line.split() == [
        "ndcg@5",
        *["0.5000", "±.1000"],
        *["0.5000", "±.1000▼"],
        *["0.5000", "±.1000▲"],
        *["0.5000", "±.1000"],
    ]


def test_an_interval_without_zero_is_not_enough() -> None:
    """Among many comparisons some such interval is luck: the corrected test decides."""
    figure, lead = paired("close", 0.01, 0.2)
    untested = [row(), figure, lead.model_copy(update={"p_holm": None})]
    corrected = [row(), figure, lead.model_copy(update={"p_holm": 0.06})]
    for rows in (untested, corrected):
        (table,) = placement_tables(rows, [5])
        assert "▼" not in text(table)


@pytest.mark.parametrize(
    ("metric", "shown"), [("novelty", "0.50 ±.10"), ("calibration_kl", "0.5000 ±.1000")]
)
def test_what_is_different_is_neither_better_nor_worse(metric: str, shown: str) -> None:
    rows = [row(metric=metric), *paired("worse", 0.1, 0.2, metric=metric)]
    (table,) = placement_tables(rows, [5], METRICS)
    assert shown in text(table)
    assert "▼" not in text(table)


def test_metrics_beyond_the_main_ones_are_shown_when_asked_for() -> None:
    rows = [row(), row(metric="repeat_share"), row(metric="revenue", value=3.25)]
    (few,), (many,) = placement_tables(rows, [5]), placement_tables(rows, [5], METRICS)
    assert "repeat_share@5" not in text(few)
    lines = [line.split() for line in text(many).splitlines()]
    assert ["repeat_share@5", "0.5000", "±.1000"] in lines
    assert ["revenue@5", "3.25", "±.10"] in lines


def test_all_metrics_of_four_configurations_fit_80_columns() -> None:
    names = ("popularity", "personal-frequency", "personal-frequency-120d")
    rows = [row(metric=metric, k=20) for metric in METRICS]
    rows += [
        line
        for metric in METRICS
        for name in names
        for line in paired(name, 0.1, 0.2, metric=metric, k=20)
    ]
    (table,) = placement_tables(rows, [20], METRICS)
    shown = text(table, width=80)
    assert max(map(len, shown.splitlines())) <= 80
    # No cell is broken: values stand on one line with their intervals and marks.
    whole = re.findall(r"0\.50(?:00)? ±\.10(?:00)?", shown)
    assert len(whole) == len(METRICS) * (1 + len(names))
    assert shown.count("±.1000▼") == (len(METRICS) - len(UNJUDGED) - 2) * len(names)


def test_values_without_interval_stand_alone() -> None:
    (table,) = placement_tables([row(metric="coverage", low=None, high=None)], [5])
    (line,) = (line for line in text(table).splitlines() if "coverage@5" in line)
    assert line.split() == ["coverage@5", "0.5000"]


def test_only_the_whole_population_and_the_asked_k_are_shown() -> None:
    rows = [row(), row(slice="new", value=0.1), row(k=10, value=0.2)]
    (table,) = placement_tables(rows, [5])
    assert "0.5000" in text(table)
    assert "0.1000 " not in text(table)
    assert "0.2000" not in text(table)
    assert "for_you: 1,200 customers" in text(table)


def test_a_configuration_without_the_metric_has_an_empty_cell() -> None:
    rows = [row(), row(configuration="other", metric="recall")]
    (table,) = placement_tables(rows, [5])
    lines = [line.split() for line in text(table).splitlines()]
    assert ["ndcg@5", "0.5000", "±.1000"] in lines
    assert ["recall@5", "0.5000", "±.1000"] in lines


def test_slices_stand_below_each_other_with_their_sizes() -> None:
    rows = [*ROWS, row(slice="new", customers=60, value=0.25)]
    (table,) = slice_tables(rows, 5)
    shown = text(table)
    assert "for_you: ndcg@5 by slice" in shown
    assert shown.index("(1,200)") < shown.index("(60)")
    assert "0.2500" in shown


def test_costs_stand_by_placement_with_the_peak() -> None:
    rows = [
        row(),
        row(placement="popular", seconds=2.25, peak_mb=130),
        row(configuration="other", seconds=0.5, peak_mb=140),
    ]
    lines = [line.split() for line in text(cost_table(rows)).splitlines()]
    assert ["for_you", "1.5", "0.5"] in lines
    assert ["popular", "2.2"] in lines
    assert ["peak", "MiB", "130", "140"] in lines


def test_configurations_leave_out_differences() -> None:
    assert configurations(ROWS) == ["default", "worse", "better", "equal"]
