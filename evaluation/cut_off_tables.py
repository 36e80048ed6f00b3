"""Figures of several cut-offs side by side."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table

from evaluation.tables import SLICED_METRIC, configurations
from recsys.backtest.rows import WHOLE_POPULATION, Row


def cut_off_tables(rows: Sequence[Row], k: int) -> Iterator[Table]:
    """Yields a table for each placement: cut-offs down, configurations across."""
    whole = [
        row
        for row in rows
        if (row.metric, row.k, row.slice) == (SLICED_METRIC, k, WHOLE_POPULATION)
    ]
    for placement in dict.fromkeys(row.placement for row in whole):
        chosen = [row for row in whole if row.placement == placement]
        names = configurations(chosen)
        table = Table(title=f"{placement}: {SLICED_METRIC}@{k} at each cut-off", box=box.SIMPLE)
        table.add_column("cut-off")
        table.add_column("customers", justify="right")
        for name in names:
            table.add_column(name, justify="right")
        for variant in dict.fromkeys(row.variant for row in chosen):
            found = {row.configuration: row for row in chosen if row.variant == variant}
            cells = [f"{found[name].value:.4f}" if name in found else "" for name in names]
            asked = max(row.customers or 0 for row in found.values())
            table.add_row(variant, f"{asked:,}", *cells)
        yield table
