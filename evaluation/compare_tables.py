"""Comparisons as tables for people: which two differ, and which customers win and lose."""

from collections.abc import Sequence

import polars as pl
from rich import box
from rich.table import Table

from recsys.backtest.pairwise import Pair
from recsys.backtest.significance import Interval
from recsys.backtest.verdicts import verdict
from recsys.backtest.winners import SliceDifference

SHOWN_CUSTOMERS = 5


def pair_table(title: str, pairs: Sequence[Pair]) -> Table:
    """Returns every two configurations, the most significant difference first."""
    table = _table(title)
    table.add_column("first")
    table.add_column("minus")
    for name in ("difference", "95 % interval", "p", "Holm"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for pair in pairs:
        texts = _interval(pair.difference)
        word = _coloured(pair.difference.value, pair.p_holm)
        row = (*texts, f"{pair.p:.4f}", f"{pair.p_holm:.4f}", word)
        table.add_row(_broken(pair.first), _broken(pair.second), *row)
    return table


def slice_table(title: str, found: Sequence[SliceDifference]) -> Table:
    """Returns what two configurations differ by in each slice."""
    table = _table(title)
    table.add_column("slice")
    for name in ("customers", "difference", "95 % interval", "Holm"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for each in found:
        texts = _interval(each.difference)
        word = _coloured(each.difference.value, each.p_holm)
        table.add_row(each.slice, f"{each.customers:,}", *texts, f"{each.p_holm:.4f}", word)
    return table


def customer_table(title: str, found: pl.DataFrame, difference: str) -> Table:
    """Returns the customers with the largest gains and losses of one difference."""
    ordered = found.drop_nulls(difference).sort(
        difference, "customer_id", descending=[True, False]
    )
    gains = ordered.head(SHOWN_CUSTOMERS).filter(pl.col(difference) > 0)
    losses = ordered.tail(SHOWN_CUSTOMERS).filter(pl.col(difference) < 0)
    table = _table(title)
    table.add_column("customer")
    for name in ("days before", "right items", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    columns = ("customer_id", "days", "right_items", difference)
    for who, days, right, value in pl.concat([gains, losses]).select(columns).iter_rows():
        table.add_row(str(who), f"{days:,}", f"{right:,}", f"{value:+.4f}")
    return table


def significant(found: Sequence[SliceDifference]) -> list[SliceDifference]:
    """Returns those that are more than luck, whatever the number of slices looked at."""
    return [each for each in found if verdict(each.difference.value, each.p_holm)]


def _interval(found: Interval) -> tuple[str, str]:
    return f"{found.value:+.4f}", f"{found.low:+.4f} {found.high:+.4f}"


def _coloured(difference: float, p_holm: float) -> str:
    word = verdict(difference, p_holm)
    return {"better": "[green]better[/]", "worse": "[red]worse[/]", "": ""}[word]


def _broken(name: str) -> str:
    """Returns a name that may take several lines."""
    return name.replace("-", " ")


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
