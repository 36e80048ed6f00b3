"""What the bundles that are kept hold on a customer."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from recsys.bundle import current, list_bundles, read_manifest, verify_part
from recsys.bundle_parts import (
    CATALOGUE,
    CUSTOMERS,
    SEGMENTS,
    STATES,
    load_attributes,
    load_customers,
    load_segments,
    load_states,
)
from recsys.data.catalogue import Catalogue
from recsys.data.state import DecayScale
from recsys.errors import BundleError
from recsys.types import EVENT_TYPES, CustomerId

KEPT = 5
"""Newest bundles that a publishing keeps by default."""


class HoldingBundle(NamedTuple):
    """A bundle that was fitted while a customer was known."""

    bundle_version: str
    current: bool
    position: int
    """Of the store's log that it was fitted up to; 0: it does not know this store."""
    newer_until_removed: int
    """Bundles to be published until it is removed, if the newest `KEPT` are kept."""


def holding(root: Path, customer_ids: Sequence[str], store_id: str) -> list[HoldingBundle]:
    """Returns the bundles that know one of the customers, oldest first.

    One that cannot be read is among them: nobody can say that it does not.

    Args:
        root: the bundle root.
        customer_ids: customers, and visitors by their keys.
        store_id: of the store whose log positions count.
    """
    try:
        active = current(root)
    except BundleError:
        active = None
    bundles = list_bundles(root)
    return [
        HoldingBundle(
            bundle_version=path.name,
            current=path == active,
            position=_position(path, store_id),
            newer_until_removed=max(1, KEPT - newer),
        )
        for newer, path in zip(range(len(bundles) - 1, -1, -1), bundles, strict=True)
        if _knows(path, customer_ids)
    ]


def records(root: Path, customer_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yields what bundles know of customers, a record for each row of a state, in words of JSON.

    Raises:
        BundleError: a bundle is damaged.
    """
    for path in list_bundles(root):
        verify_part(path, CUSTOMERS)
        attributes = load_attributes(path).filter(pl.col("customer_id").is_in(customer_ids))
        for row in attributes.iter_rows(named=True):
            told = {name: value for name, value in row.items() if value is not None}
            yield {"bundle_version": path.name, "attributes": _in_json(told)}
        customers = load_customers(path)
        numbers = [customers.number(CustomerId(name)) for name in customer_ids]
        for number in numbers:
            if number is not None:
                yield from _rows(path, number)


def _rows(path: Path, customer_num: int) -> Iterator[dict[str, Any]]:
    manifest = verify_part(path, STATES, SEGMENTS, CATALOGUE)
    segments = load_segments(path)
    labels = [segments.labels.id(number) for number in segments.of(customer_num).tolist()]
    yield {"bundle_version": path.name, "segments": labels}
    items = Catalogue.from_frame(pl.read_parquet(path / CATALOGUE)).items
    # Decayed sums say nothing that days and times do not: no half-life is asked for.
    rows = load_states(path, DecayScale((), int(manifest.data["end_time"]))).of(customer_num)
    columns = zip(
        rows.item_nums.tolist(),
        rows.event_types.tolist(),
        rows.days.tolist(),
        rows.first_times.tolist(),
        rows.last_times.tolist(),
        strict=True,
    )
    for item_num, code, days, first, last in columns:
        yield {
            "bundle_version": path.name,
            "item_id": items.id(item_num),
            "event_type": EVENT_TYPES[code].value,
            "days": days,
            "first_time": datetime.fromtimestamp(first, UTC).isoformat(),
            "last_time": datetime.fromtimestamp(last, UTC).isoformat(),
        }


def _in_json(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def _knows(path: Path, customer_ids: Sequence[str]) -> bool:
    try:
        verify_part(path, CUSTOMERS)
        customers, attributes = load_customers(path), load_attributes(path)
    except BundleError:
        return path.is_dir()  # not if it was removed meanwhile
    if attributes["customer_id"].is_in(customer_ids).any():
        return True
    return any(customers.number(CustomerId(name)) is not None for name in customer_ids)


def _position(path: Path, store_id: str) -> int:
    try:
        log = read_manifest(path).log_position()
    except BundleError:
        return 0
    return log.position if log is not None and log.store_id == store_id else 0
