"""Customers of a campaign whose true effect is known, as rows of outcomes or in a store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from recsys.offers.offer import Offer, OfferCost, OfferKind
from recsys.store.contacts import Contact
from recsys.store.database import Database
from recsys.store.events import LogEvent
from recsys.store.folder import DATABASE
from recsys.store.offers import Offers
from recsys.store.open import open_store
from recsys.store.sqlite import SqliteDatabase
from recsys.store.tables import contacts as contact_table
from recsys.store.url import folder_of
from tests.stores import DAY_US


@dataclass(frozen=True, slots=True)
class CampaignTrial:
    """Half of the customers buy seldom, baskets are log-normal, and contacts add purchases."""

    customers: int = 4_000
    share: float = 0.2
    """Probability of being held out."""
    lift: float = 0.0
    """Added to the probability of a purchase."""
    contact_cost: float = 0.1
    redemption_cost: float = 3.0
    base: tuple[float, float] = (0.04, 0.2)
    price_median: float = 20.0
    price_sigma: float = 1.0

    @property
    def basket(self) -> float:
        """Returns the mean of what a purchase is worth."""
        return self.price_median * float(np.exp(self.price_sigma**2 / 2))

    def truth(self, margin: float = 1.0) -> dict[str, float]:
        """Returns the true difference for a customer, by metric."""
        revenue = self.lift * self.basket
        cost = self.contact_cost + self.redemption_cost * (sum(self.base) / 2 + self.lift)
        return {
            "conversion": self.lift,
            "revenue": revenue,
            "cost": cost,
            "gain": margin * revenue - cost,
        }

    def rows(self, seed: int) -> pl.DataFrame:
        """Draws sides and what happens: customer, held_out, share, bought, revenue, cost."""
        rng = np.random.default_rng(seed)
        count = self.customers
        held_out = rng.random(count) < self.share
        usual = np.array(self.base)[np.arange(count) % 2]
        bought = rng.random(count) < usual + np.where(held_out, 0.0, self.lift)
        baskets = self.price_median * np.exp(self.price_sigma * rng.normal(size=count))
        paid = self.contact_cost + self.redemption_cost * bought
        return pl.DataFrame(
            {
                "customer": [f"customer-{number}" for number in range(count)],
                "held_out": held_out,
                "share": np.full(count, self.share),
                "bought": bought.astype(np.float64),
                "revenue": np.where(bought, baskets, 0.0),
                "cost": np.where(held_out, 0.0, paid),
            }
        )


OFFER = Offer(
    offer_id="tea-week",
    kind=OfferKind.PERCENT,
    discount=10.0,
    cost=OfferCost(per_contact=0.1, per_redemption=3.0),
    budget=1e6,
    channels=("email",),
)


def store_trial(url: str, rows: pl.DataFrame, start: int) -> None:
    """Fills a new store with the contacts and purchases of `CampaignTrial.rows`.

    Args:
        url: of the store.
        rows: who was drawn, and what they did.
        start: time of the draw, microseconds since 1970, UTC; everybody buys a day after it.
    """
    store = open_store(url)
    Offers(store).upsert([(OFFER.offer_id, OFFER.model_dump_json(), None, 10**12)])
    events = [
        bought(row["customer"], start + DAY_US, row["revenue"])
        for row in rows.filter(pl.col("bought") > 0).iter_rows(named=True)
    ]
    for first in range(0, len(events), 5_000):
        store.append(events[first : first + 5_000])
    store.close()
    add_contacts(url, [_drawn(row, start) for row in rows.iter_rows(named=True)])


def add_contacts(url: str, contacts: Sequence[Contact]) -> None:
    """Writes contacts into the ledger of an embedded store as they are."""
    database: Database = SqliteDatabase(folder_of(url) / DATABASE)
    with database.transaction() as session:
        contact_table.add_many(session, contacts)
    database.close()


def bought(
    customer_id: str, time: int, price: float | None, *, kind: str = "purchase", units: float = 1.0
) -> LogEvent:
    """Returns a purchase of tea."""
    event_id = f"{kind}-{customer_id}-{time}"
    row = (event_id, customer_id, None, None, "tea", None, kind, time, units, price)
    return LogEvent(*row)


def _drawn(row: Mapping[str, Any], start: int) -> Contact:
    redeemed = bool(row["bought"]) and not row["held_out"]
    contact_cost, redemption_cost = 100_000, 3_000_000
    return Contact(
        contact_id=f"contact-{row['customer']}",
        customer_id=row["customer"],
        offer_id=OFFER.offer_id,
        channel="email",
        choose_time=start,
        held_out=row["held_out"],
        hold_out_share=row["share"],
        cost=contact_cost + redemption_cost if redeemed else contact_cost,
        contact_cost=contact_cost,
        redemption_cost=redemption_cost,
        redeemed_time=start + DAY_US if redeemed else None,
    )
