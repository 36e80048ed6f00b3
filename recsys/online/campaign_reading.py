"""What the result of a campaign needs of a store: who was assigned what, and what they did."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from recsys.store.log import Log
from recsys.store.store import Store
from recsys.store.tables import contacts
from recsys.store.tables.plans import ROW_DIGITS
from recsys.types import VISITOR_PREFIX, EventType

LEDGER: dict[str, pl.DataType] = {
    "number": pl.Int64(),
    "contact_id": pl.String(),
    "customer_id": pl.String(),
    "choose_time": pl.Int64(),
    "plan_id": pl.String(),
    "held_out": pl.Boolean(),
    "hold_out_share": pl.Float64(),
    "cost": pl.Int64(),
    "contact_cost": pl.Int64(),
    "sent_time": pl.Int64(),
    "shown_time": pl.Int64(),
    "opened_time": pl.Int64(),
    "redeemed_time": pl.Int64(),
    "cancelled_time": pl.Int64(),
}
"""Columns of the ledger that are read. Times are microseconds since 1970, UTC, amounts millionths
of the shop's currency."""
OUTCOMES = ("bought", "revenue", "cost")
_TYPES = (EventType.PURCHASE.value, EventType.RETURN.value)
_AT_ONCE = 50_000
_MICROS = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """The contacts of a campaign, by customer."""

    contacts: pl.DataFrame
    """`LEDGER`, and `customer`: who a visitor turned out to be."""
    assigned: pl.DataFrame
    """A row for each customer who was drawn: customer, held_out, time and share, by customer. The
    first draw counts, whatever became of it."""
    undrawn: int
    """Contacts that no draw decided: without a hold-out."""
    crossed: int
    """Customers who were drawn more than once, with different results."""


def read_ledger(store: Store, *, plan_id: str = "", offer_id: str = "") -> Ledger:
    """Reads the contacts of a plan or of an offer, and who was drawn.

    What stands in the place of a planned contact since its mail was opened is in `contacts`, and
    draws nobody: only who opens mails has it.

    Args:
        store: with the contacts.
        plan_id: of the plan.
        offer_id: instead: of the offer, over all plans and live calls.
    """
    visitors = {VISITOR_PREFIX + link.visitor_id: link.customer_id for link in store.links()}
    pages = list(_pages(store, plan_id, offer_id))
    rows = pl.concat([pl.DataFrame(schema=LEDGER), *pages]).with_columns(customer=_owner(visitors))
    planned = pl.col("contact_id").str.len_bytes() == (
        pl.col("plan_id").str.len_bytes() + 1 + ROW_DIGITS
    )
    first_choices = rows.filter((pl.col("plan_id") == "") | planned)
    share = pl.col("hold_out_share")
    drawn = first_choices.filter((share > 0) & (share < 1)).sort("choose_time", "number")
    assigned = (
        drawn.group_by("customer", maintain_order=True)
        .agg(
            pl.col("held_out").first(),
            time=pl.col("choose_time").first(),
            share=share.first(),
            crossed=pl.col("held_out").n_unique() > 1,
        )
        .sort("customer")
    )
    return Ledger(
        rows,
        assigned.drop("crossed"),
        len(first_choices) - len(drawn),
        int(assigned["crossed"].sum()),
    )


def outcomes(
    store: Store, ledger: Ledger, assigned: pl.DataFrame, window: int
) -> tuple[pl.DataFrame, int]:
    """Returns what assigned customers did and cost within a time from their draw on.

    Everything that they bought counts, of whatever items, less what they returned within the same
    time, and the campaign's contacts within it with what was redeemed within it.

    Args:
        store: with the event log.
        ledger: of the campaign.
        assigned: rows of `Ledger.assigned`.
        window: microseconds.

    Returns:
        The rows with `OUTCOMES`, and how many purchases have no price: they count as purchases
        and bring no revenue.
    """
    spent, unpriced = _spent(store, assigned, window)
    found = assigned
    for part in (spent, _costs(ledger, assigned, window)):
        found = found.join(part, on="customer", how="left", maintain_order="left")
    return found.with_columns(pl.col(OUTCOMES).cast(pl.Float64).fill_null(0.0)), unpriced


def _pages(store: Store, plan_id: str, offer_id: str) -> Iterator[pl.DataFrame]:
    after = 0
    stored = {**LEDGER, "held_out": pl.Int64()}
    while True:
        with store.read() as session:
            rows = contacts.of_campaign(
                session, tuple(LEDGER), after, _AT_ONCE, plan_id=plan_id, offer_id=offer_id
            )
        if not rows:
            return
        after = int(rows[-1][0])
        yield pl.DataFrame(rows, schema=stored, orient="row").cast({"held_out": pl.Boolean})


def _owner(visitors: Mapping[str, str]) -> pl.Expr:
    customer_id = pl.col("customer_id")
    return customer_id.replace(dict(visitors)) if visitors else customer_id


def _spent(store: Store, assigned: pl.DataFrame, window: int) -> tuple[pl.DataFrame, int]:
    visitors = {VISITOR_PREFIX + link.visitor_id: link.customer_id for link in store.links()}
    schema = {"customer": pl.String(), "bought": pl.Boolean(), "revenue": pl.Float64()}
    parts, unpriced = [pl.DataFrame(schema=schema)], 0
    is_purchase = pl.col("event_type") == EventType.PURCHASE.value
    for batch in Log.of(store).batches():
        within = (
            batch.filter(pl.col("event_type").is_in(_TYPES))
            .with_columns(customer=_owner(visitors), at=pl.col("event_time").dt.epoch("us"))
            .join(assigned.select("customer", "time"), on="customer")
            .filter(pl.col("at") >= pl.col("time"), pl.col("at") < pl.col("time") + window)
            .with_columns(amount=pl.col("quantity") * pl.col("unit_price"))
        )
        unpriced += len(within.filter(is_purchase, pl.col("amount").is_null()))
        sign = pl.when(is_purchase).then(1.0).otherwise(-1.0)
        parts.append(
            within.group_by("customer").agg(
                bought=is_purchase.any(), revenue=(sign * pl.col("amount")).sum()
            )
        )
    sums = pl.concat(parts).group_by("customer")
    return sums.agg(pl.col("bought").any(), pl.col("revenue").sum()), unpriced


def _costs(ledger: Ledger, assigned: pl.DataFrame, window: int) -> pl.DataFrame:
    """Returns what the campaign's contacts of each customer really cost, in the currency."""
    end = pl.col("time") + window
    redeemed = pl.col("redeemed_time") < end
    paid = pl.when(redeemed).then(pl.col("cost")).otherwise(pl.col("contact_cost"))
    return (
        ledger.contacts.filter(~pl.col("held_out"), pl.col("cancelled_time").is_null())
        .join(assigned.select("customer", "time"), on="customer")
        .filter(pl.col("choose_time") >= pl.col("time"), pl.col("choose_time") < end)
        .group_by("customer")
        .agg(cost=(paid.sum() / _MICROS).round(6))
    )
