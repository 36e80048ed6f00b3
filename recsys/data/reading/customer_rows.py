"""Turns a retailer's customers into our customers table."""

from collections.abc import Mapping

import polars as pl

from recsys.data.reading import cells
from recsys.data.reading.checks import Check, id_checks, sift
from recsys.data.reading.entity_rows import PLACE, EntityRows, with_attributes
from recsys.data.reading.first_value import first, in_one_form
from recsys.data.reading.mapping import CustomerMapping
from recsys.data.reading.raw import ROW
from recsys.data.reading.rules import exclude_checks, require_checks, rule_cells, rule_texts
from recsys.types import VISITOR_PREFIX


def convert_customers(
    rows: pl.DataFrame, sources: Mapping[str, tuple[str, ...]], mapping: CustomerMapping
) -> EntityRows:
    """Converts and checks the whole customer table.

    Args:
        rows: as read, with `ROW`.
        sources: our column -> the retailer's columns.
        mapping: how values are read.
    """
    whole = "customer_id" in mapping.whole_number_ids
    ids = [
        cells.identifier(name, rows.schema[name], mapping, whole_number=whole)
        for name in sources["customer_id"]
    ]
    customer = in_one_form(first(ids), "customer_id", mapping)
    rules = {*mapping.require, *mapping.exclude} - {"customer_id"}
    theirs = rule_texts(rules, rows.schema, mapping)
    table = rows.select(ROW, customer.alias("customer_id"), *theirs).with_row_index(PLACE)
    good, bad = sift(table, _checks(table, mapping))
    return EntityRows(
        with_attributes(good.select(PLACE, "customer_id"), rows, sources, mapping), bad
    )


def _checks(table: pl.DataFrame, mapping: CustomerMapping) -> list[Check]:
    cell = pl.col("customer_id")
    reserved = cell.str.starts_with(VISITOR_PREFIX)
    cells_of = rule_cells({*mapping.require, *mapping.exclude}, table.schema, mapping)
    return [
        *exclude_checks(
            {name: rule for name, rule in mapping.exclude.items() if name in cells_of}, cells_of
        ),
        *require_checks(
            {name: rule for name, rule in mapping.require.items() if name in cells_of}, cells_of
        ),
        Check("customer_id", "missing id", cell.is_null(), cell),
        Check("customer_id", f"reserved id (begins with {VISITOR_PREFIX})", reserved, cell),
        *id_checks("customer_id"),
    ]
