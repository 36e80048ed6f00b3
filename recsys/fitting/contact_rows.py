"""Contacts of the past as rows to learn from: what was known before each, and what came after."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.data.events import event_type_code
from recsys.data.progress import Progress
from recsys.data.state import CustomerStates, DecayScale, sum_days
from recsys.data.vocabulary import Vocabulary
from recsys.models.small_trees import Numbers
from recsys.offers.value_features import FEATURES, own_rows
from recsys.offers.values import PastContacts, ScopedOffer
from recsys.types import DAY_S, UNKNOWN, EventType, FloatArray, ItemId

CONTACT_SCHEMA: dict[str, pl.DataType] = {
    "customer_id": pl.String(),
    "offer_id": pl.String(),
    "time": pl.Int64(),
    "held_out": pl.Boolean(),
    "hold_out_share": pl.Float64(),
    "redeemed_time": pl.Int64(),
}
"""One row per contact that was not cancelled, and per customer who was held out of one. Times are
Unix seconds; `redeemed_time` is null where nothing was redeemed."""
STAGE = "history of contacts"
_AT_ONCE = 4_000
"""Contacts whose histories are held in memory at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class ContactRows:
    """Contacts with what was known before them, row by row."""

    contacts: pl.DataFrame
    """`CONTACT_SCHEMA`."""
    features: FloatArray
    """Shape (contacts, features) float32, features as `FEATURES` has them."""

    def __len__(self) -> int:
        """Returns the number of contacts."""
        return len(self.contacts)

    @property
    def redeemed(self) -> Numbers:
        """Says of each contact whether its offer was redeemed, 0 or 1."""
        return self.contacts["redeemed_time"].is_not_null().cast(pl.Float64).to_numpy()

    def part(self, chosen: pl.Series) -> "ContactRows":
        """Returns the contacts that a mask chooses."""
        return ContactRows(self.contacts.filter(chosen), self.features[chosen.to_numpy()])


def contact_rows(
    contacts: pl.DataFrame,
    events: pl.LazyFrame,
    items: Vocabulary[ItemId],
    offers: Mapping[str, ScopedOffer],
    *,
    progress: Progress,
) -> ContactRows:
    """Returns the contacts of offers that are known, with their features.

    Nothing at or after a contact's own second is looked at, neither events nor other contacts.

    Args:
        contacts: `CONTACT_SCHEMA`, all there are: they are each other's past.
        events: canonical events.
        items: numbers items as the offers' scopes do.
        offers: by id.
        progress: hears how many contacts are done.
    """
    contacts = contacts.sort("time", "customer_id", "offer_id")
    past = _past(contacts)
    known = contacts["offer_id"].is_in(list(offers))
    kept = contacts.filter(known)
    ids = sorted(offers)
    offer_nums = np.searchsorted(np.array(ids, dtype=object), kept["offer_id"].to_list())
    of = [offers[each] for each in ids]
    history = _history(events, items, kept["customer_id"])
    found = np.empty((len(kept), len(FEATURES)), dtype=np.float32)
    past = past.filter(known)
    for start in range(0, len(kept), _AT_ONCE):
        progress(STAGE, start, len(kept))
        part = slice(start, min(start + _AT_ONCE, len(kept)))
        rows = kept[part]
        states = _states(rows, history)
        times = rows["time"].to_numpy()
        found[part] = own_rows(states, _taken(past[part]), times, of, offer_nums[part])
    progress(STAGE, len(kept), len(kept))
    return ContactRows(kept, found)


def _history(
    events: pl.LazyFrame, items: Vocabulary[ItemId], customers: pl.Series
) -> pl.DataFrame:
    """Returns the events that states are made of, of these customers alone, by customer."""
    numbers = pl.LazyFrame({"item_id": items.series()}).with_columns(
        item_num=pl.int_range(pl.len(), dtype=pl.Int32)
    )
    wanted = pl.LazyFrame({"customer_id": customers.unique()})
    return (
        events.filter(pl.col("event_type") != EventType.RETURN.value)
        .with_columns(code=event_type_code())
        .filter(pl.col("code").is_not_null())
        .join(wanted, on="customer_id", how="semi")
        .join(numbers, on="item_id")
        .select("customer_id", "item_num", "code", at=pl.col("event_time").dt.epoch("s"))
        .collect(engine="streaming")
    )


def _states(contacts: pl.DataFrame, history: pl.DataFrame) -> CustomerStates:
    """Returns for each contact the rows of its customer's events before it."""
    joined = (
        contacts.select("customer_id", "time")
        .with_columns(row=pl.int_range(pl.len(), dtype=pl.Int32))
        .join(history, on="customer_id")
        .filter(pl.col("at") < pl.col("time"))
    )
    # Nothing here looks at faded sums, so the scale is any.
    scale = DecayScale((1.0,), 0)
    rows, states = sum_days(
        joined["row"].to_numpy(),
        joined["item_num"].to_numpy(),
        joined["code"].to_numpy(),
        joined["at"].to_numpy(),
        scale,
    )
    counts = np.bincount(rows, minlength=len(contacts))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return CustomerStates(offsets, states, scale)


def _past(contacts: pl.DataFrame) -> pl.DataFrame:
    """Returns for each contact what its customer was given before, columns as `PastContacts`."""
    own = contacts.with_row_index("row").select("row", "customer_id", now="time")
    given = contacts.filter(~pl.col("held_out")).select("customer_id", "time", "redeemed_time")
    before = own.join(given, on="customer_id").filter(pl.col("time") < pl.col("now"))
    used = pl.col("redeemed_time") < pl.col("now")
    sums = before.group_by("row").agg(
        contacts=pl.len().cast(pl.Int32),
        redemptions=used.sum().cast(pl.Int32),
        last_contact=pl.col("time").max(),
        last_redemption=pl.col("redeemed_time").filter(used).max(),
    )
    return (
        own.select("row")
        .join(sums, on="row", how="left", maintain_order="left")
        .with_columns(
            pl.col("contacts", "redemptions").fill_null(0),
            pl.col("last_contact", "last_redemption").fill_null(UNKNOWN),
        )
    )


def _taken(past: pl.DataFrame) -> PastContacts:
    return PastContacts(
        past["contacts"].to_numpy(),
        past["redemptions"].to_numpy(),
        past["last_contact"].to_numpy(),
        past["last_redemption"].to_numpy(),
    )


def spent_after(contacts: pl.DataFrame, events: pl.LazyFrame, window_days: float) -> Numbers:
    """Returns what each customer bought from a contact on, shape (contacts,), in the currency.

    Returns within the same time are taken off; lines without a price count nothing.

    Args:
        contacts: `CONTACT_SCHEMA`.
        events: canonical events.
        window_days: how long after a contact.
    """
    wanted = contacts.lazy().with_row_index("row").select("row", "customer_id", "time")
    sign = (
        pl.when(pl.col("event_type") == EventType.PURCHASE.value)
        .then(1.0)
        .when(pl.col("event_type") == EventType.RETURN.value)
        .then(-1.0)
    )
    bought = (
        events.select(
            "customer_id",
            at=pl.col("event_time").dt.epoch("s"),
            amount=sign * pl.col("quantity") * pl.col("unit_price"),
        )
        .filter(pl.col("amount").is_not_null())
        .join(wanted.select("customer_id").unique(), on="customer_id", how="semi")
    )
    sums = (
        wanted.join(bought, on="customer_id")
        .filter(
            pl.col("at") >= pl.col("time"),
            pl.col("at") < pl.col("time") + round(window_days * DAY_S),
        )
        .group_by("row")
        .agg(pl.col("amount").sum())
        .collect(engine="streaming")
    )
    found = np.zeros(len(contacts))
    found[sums["row"].to_numpy()] = sums["amount"].to_numpy()
    return found
