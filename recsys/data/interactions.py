"""The training rows: events in dense numbers, in time order, with returns settled."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from recsys.data.events import event_type_code
from recsys.data.vocabulary import IdT, Vocabulary
from recsys.errors import DataError
from recsys.types import (
    EVENT_CODES,
    CodeArray,
    CustomerId,
    EventType,
    ItemId,
    NumArray,
    TimeArray,
)


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """Events that name a customer and a known item, sorted by (time, customer, item, type)."""

    customers: Vocabulary[CustomerId]
    items: Vocabulary[ItemId]
    customer_nums: NumArray
    """Shape (n,) int32."""
    item_nums: NumArray
    """Shape (n,) int32."""
    event_types: CodeArray
    """Shape (n,) uint8, codes of `EVENT_TYPES`; never a return."""
    times: TimeArray
    """Shape (n,) int64, Unix seconds UTC, ascending."""
    basket_nums: NumArray
    """Shape (n,) int32: one number a basket, else a session, else a customer's UTC day."""
    end_time: int
    """Unix seconds UTC that all of `times` lie before: ages are counted from here."""

    def __len__(self) -> int:
        """Returns the number of rows."""
        return len(self.times)

    @classmethod
    def from_events(
        cls,
        events: pl.LazyFrame,
        *,
        items: Vocabulary[ItemId],
        also: Iterable[CustomerId] | pl.Series = (),
        end_time: int | None = None,
    ) -> "Interactions":
        """Builds the training rows from canonical events (`EVENT_SCHEMA`).

        Rows of unknown event types, without an item, or with an item outside `items` are left
        out. A return takes its quantity off the customer's latest earlier purchases of the item;
        what is fully returned disappears, and so do the returns themselves.

        Args:
            events: canonical events; columns beyond the ones used are ignored.
            items: the items to number rows by.
            also: customers who get a number even without an event.
            end_time: Unix seconds; default: one second after the last event.

        Raises:
            DataError: no event is left, or one lies at or after `end_time`.
        """
        usable = (
            events.filter(pl.col("item_id").is_not_null())
            .with_columns(code=event_type_code())
            .filter(pl.col("code").is_not_null())
            .join(_numbered(items, "item"), on="item_id")
        )
        named = usable.select(pl.col("customer_id").unique()).collect(engine="streaming")
        known = pl.concat([named["customer_id"], pl.Series(also, dtype=pl.String)])
        customers: Vocabulary[CustomerId] = Vocabulary.from_ids(known)
        # Streamed, and in numbers as early as possible: ids of many events do not fit in memory.
        rows = (
            usable.join(_numbered(customers, "customer"), on="customer_id")
            .select(
                "customer_num",
                "item_num",
                "code",
                # One second is the finest time any model uses.
                pl.col("event_time").dt.epoch("s").alias("time"),
                # A hash in place of a long text; two of ten million baskets share one in 1 of
                # 400,000 shops.
                basket_key().hash().alias("basket"),
                "quantity",
            )
            .collect(engine="streaming")
        )
        rows = settle_returns(rows, ("customer_num", "item_num"))
        if rows.is_empty():
            message = "no event is left that names a customer, a known item and a known event type"
            raise DataError(message)
        rows = rows.with_columns(
            basket_num=pl.col("basket").rank("dense").cast(pl.Int32) - 1
        ).sort("time", "customer_num", "item_num", "code", "basket_num")
        times = rows["time"].cast(pl.Int64).to_numpy()
        return cls(
            customers=customers,
            items=items,
            customer_nums=rows["customer_num"].to_numpy(),
            item_nums=rows["item_num"].to_numpy(),
            event_types=rows["code"].to_numpy(),
            times=times,
            basket_nums=rows["basket_num"].to_numpy(),
            end_time=_checked_end(int(times[-1]), end_time),
        )


def _numbered(vocabulary: Vocabulary[IdT], name: str) -> pl.LazyFrame:
    """Returns the columns `<name>_id` and `<name>_num` of a vocabulary."""
    numbers = pl.int_range(pl.len(), dtype=pl.Int32)
    return pl.LazyFrame({f"{name}_id": vocabulary.series()}).with_columns(
        numbers.alias(f"{name}_num")
    )


def _checked_end(last: int, end_time: int | None) -> int:
    """Returns the end of the data, which lies after the last event."""
    end = last + 1 if end_time is None else end_time
    if last >= end:
        latest, limit = (datetime.fromtimestamp(t, UTC).isoformat() for t in (last, end))
        message = f"an event at {latest} is not before the end of the data, {limit}"
        raise DataError(message)
    return end


def basket_key() -> pl.Expr:
    """Names the group of rows that belong together: basket, else session, else customer's day."""
    day = pl.col("event_time").dt.epoch("d").cast(pl.String)
    return pl.coalesce(
        "b/" + pl.col("basket_id"),
        "s/" + pl.col("session_id"),
        pl.concat_str(pl.lit("d/"), pl.col("customer_id"), pl.lit("/"), day),
    )


def settle_returns(
    rows: pl.DataFrame, pair: tuple[str, str] = ("customer_id", "item_id")
) -> pl.DataFrame:
    """Takes returned quantities off earlier purchases and drops what is fully returned.

    Args:
        rows: columns code, time, quantity, the pair's two, and any others.
        pair: the columns that name customer and item.

    Returns:
        The rows that remain, without the returns.
    """
    purchase, gone = EVENT_CODES[EventType.PURCHASE], EVENT_CODES[EventType.RETURN]
    is_return = pl.col("code") == gone
    if rows.filter(is_return).is_empty():
        return rows
    numbered = rows.with_row_index("row")
    involved = (
        numbered.filter(pl.col("code").is_in([purchase, gone]))
        .join(numbered.filter(is_return).select(pair).unique(), on=pair, how="semi")
        # A purchase and a return in the same second: the purchase came first.
        .sort(*pair, "time", "code", "row")
        .select(*pair, "code", "quantity", "row")
    )
    cancelled = list(_cancelled(involved, gone))
    return numbered.filter(~is_return & ~pl.col("row").is_in(cancelled)).drop("row")


def _cancelled(involved: pl.DataFrame, gone: int) -> Iterator[int]:
    """Yields the rows of fully returned purchases; `involved` is sorted by pair and time."""
    pair: tuple[object, object] | None = None
    bought: list[list[float]] = []
    for customer, item, code, quantity, row in involved.iter_rows():
        if (customer, item) != pair:
            pair, bought = (customer, item), []
        if code != gone:
            bought.append([row, quantity])
            continue
        left = quantity
        while left > 0 and bought:
            taken = min(left, bought[-1][1])
            left -= taken
            bought[-1][1] -= taken
            if bought[-1][1] <= 0:
                yield int(bought.pop()[0])
