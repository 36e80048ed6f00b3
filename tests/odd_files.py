"""A retailer's files that nothing is wrong with, to be made odd in one way at a time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from recsys.data.reading.mapping import Mapping as LoadMapping
from recsys.data.reading.prepare import prepare
from recsys.data.reading.report import DataReport
from recsys.data.reading.sources import Sources

NOW = datetime(2024, 6, 1, tzinfo=UTC)
ROWS, CUSTOMERS, ITEMS = 1_500, 150, 120


def orders(rows: int = ROWS) -> pl.DataFrame:
    """Returns order lines of 150 customers over about 60 days; an order has two lines."""
    start = datetime(2024, 3, 1, 9, tzinfo=UTC)
    order = [n // 2 for n in range(rows)]
    return pl.DataFrame(
        {
            "order_id": [f"o{n}" for n in order],
            "customer_id": [f"c{n * 7 % CUSTOMERS:03}" for n in order],
            "item_id": [f"p{n * 11 % ITEMS:03}" for n in range(rows)],
            "event_time": [(start + timedelta(minutes=115 * n)).isoformat() for n in order],
            "quantity": [n % 3 + 1 for n in range(rows)],
            "price": [f"{n % 9 + 1}.99" for n in range(rows)],
        }
    )


def catalogue(ids: list[str] | None = None) -> pl.DataFrame:
    """Returns a catalogue with a row for every item of `orders`, or for other ids."""
    ids = [f"p{n:03}" for n in range(ITEMS)] if ids is None else ids
    return pl.DataFrame({"item_id": ids, "title": [f"Thing {one}" for one in ids]})


def prepared(
    folder: Path,
    events: pl.DataFrame | None = None,
    items: pl.DataFrame | None = None,
    customers: pl.DataFrame | None = None,
    *,
    mapping: Mapping[str, object] | None = None,
    strict: bool = False,
) -> DataReport:
    """Writes the tables as CSV files and prepares them as a person does."""
    paths: dict[str, str] = {}
    tables = {"events": orders() if events is None else events}
    tables |= {} if items is None else {"items": items}
    tables |= {} if customers is None else {"customers": customers}
    for name, table in tables.items():
        table.write_csv(folder / f"{name}.csv")
        paths[name] = str(folder / f"{name}.csv")
    sources = Sources(paths["events"], paths.get("items"), paths.get("customers"))
    settings = LoadMapping.model_validate(mapping or {})
    return prepare(sources, folder / "out", settings, now=NOW, strict=strict)


def codes(report: DataReport) -> set[str]:
    """Returns the codes of a report's looks."""
    return {look.code for look in report.looks}
