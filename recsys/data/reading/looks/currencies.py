"""Looks for prices in more than one currency, which no model converts."""

from collections.abc import Iterator

from recsys.data.reading.looks.evidence import Evidence
from recsys.data.reading.looks.look import Look, listed, toml_key, toml_text, warning

_FEWEST = 0.001
"""A smaller share of prices is not worth a warning."""


def two_currencies(evidence: Evidence) -> Iterator[Look]:
    """Looks at prices, and at columns that name their currency."""
    for table, counts in evidence.watch.currencies.items():
        mixed = [(None, counts.beside_prices), *counts.in_column.items()]
        for column, named in mixed:
            whole = sum(named.values())
            most = [(name, n) for name, n in named.most_common() if n >= _FEWEST * whole]
            if len(most) < 2:  # noqa: PLR2004 - one currency is right
                continue
            line = None
            if column is not None:
                line = (
                    f"[{table}.require]\n"
                    f"{toml_key(column)} = {{ any_of = [{toml_text(most[0][0])}] }}"
                )
            yield warning(
                "two-currencies",
                table,
                f"prices are in {listed([f'{name} ({n:,})' for name, n in most], 4)}, of the rows "
                "looked at: they are compared and summed as if they were in one",
                "convert them, or keep the rows of one currency",
                line,
            )
            break
