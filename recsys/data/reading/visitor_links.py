"""Says whose the events of visitors are, where other rows of the files name the customer."""

from dataclasses import dataclass, field

import polars as pl

from recsys.types import VISITOR_PREFIX

_SCHEMA = {"visitor_id": pl.String(), "customer_id": pl.String()}


@dataclass(slots=True)
class VisitorLinks:
    """Pairs of visitor and customer that stand together in at least one row.

    A visitor seen with one customer alone is that customer. One seen with several (a shared
    device, a till) stays a visitor.
    """

    _pairs: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SCHEMA))
    _customers: dict[str, str] | None = None
    _events: int = 0
    """Events of visitors that `linked` gave to customers."""

    def add(self, pairs: pl.DataFrame) -> None:
        """Adds pairs of `visitor_id` and `customer_id`."""
        if len(pairs):
            self._pairs = pl.concat([self._pairs, pairs]).unique()

    def linked(self, events: pl.DataFrame) -> pl.DataFrame:
        """Returns events in which linked visitors' events are their customers'."""
        customers = self._customer_of()
        if not customers:
            return events
        self._events += int(events["customer_id"].is_in(list(customers)).sum())
        return events.with_columns(pl.col("customer_id").replace(customers))

    def notes(self) -> tuple[str, ...]:
        """Returns what a person should know of the links."""
        shared = self._pairs["visitor_id"].n_unique() - len(self._customer_of())
        lines = []
        if self._events:
            lines.append(
                f"{self._events:,} events name a visitor whom other rows name as one customer: "
                "they are that customer's"
            )
        if shared:
            lines.append(
                f"{shared:,} visitor ids stand beside more than one customer (shared devices?): "
                "their events without a customer id stay visitors'"
            )
        return tuple(lines)

    def _customer_of(self) -> dict[str, str]:
        """Returns the key of each linked visitor -> the customer; no pair is added afterwards."""
        if self._customers is None:
            alone = self._pairs.filter(pl.col("visitor_id").is_unique())
            keys = alone.select(VISITOR_PREFIX + pl.col("visitor_id"), "customer_id")
            self._customers = dict(keys.iter_rows())
        return self._customers
