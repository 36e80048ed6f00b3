"""Turns a retailer's customers into our customers table."""

from collections.abc import Mapping

import polars as pl

from recsys.data.reading import cells
from recsys.data.reading.checks import Check, id_checks, sift
from recsys.data.reading.entity_rows import EntityRows, with_attributes
from recsys.data.reading.mapping import CustomerMapping
from recsys.data.reading.raw import ROW
from recsys.types import VISITOR_PREFIX


def convert_customers(
    rows: pl.DataFrame, found: Mapping[str, tuple[str, ...]], mapping: CustomerMapping
) -> EntityRows:
    """Converts and checks the whole customer table.

    Args:
        rows: as read, with `ROW`.
        found: our column -> the retailer's columns.
        mapping: how values are read.
    """
    column = found["customer_id"][0]
    whole = "customer_id" in mapping.whole_number_ids
    read = cells.identifier(column, rows.schema[column], mapping, whole_number=whole)
    cell = pl.col("customer_id")
    reserved = cell.str.starts_with(VISITOR_PREFIX)
    checks = [
        Check("customer_id", "missing id", cell.is_null(), cell),
        Check("customer_id", f"reserved id (begins with {VISITOR_PREFIX})", reserved, cell),
        *id_checks("customer_id"),
    ]
    good, bad = sift(rows.select(ROW, read.alias("customer_id")), checks)
    return EntityRows(with_attributes(good, rows, found, mapping), bad)
