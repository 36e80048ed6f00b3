"""A store after a campaign whose true effect on each customer is known."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from recsys.offers.offer import Offer, OfferCost, OfferKind, OfferScope
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

EFFECT = 30.0
"""What a contact makes tea drinkers spend beyond what they would have; others buy as ever."""
PRICE = 10.0
OFFERS = (
    Offer(
        offer_id="tea-week",
        kind=OfferKind.PERCENT,
        discount=10.0,
        scope=OfferScope(item_ids=("tea",)),
        cost=OfferCost(per_contact=0.1),
        budget=1e6,
        channels=("email",),
    ),
    Offer(offer_id="hello", kind=OfferKind.CONTENT, channels=("email", "web")),
)


@dataclass(frozen=True, slots=True)
class Campaign:
    """How the campaign went."""

    now: int
    """Microseconds since 1970, UTC: the campaign was 60 days before."""
    customers: int = 3_000
    share: float = 0.4
    """Probability of being held out."""
    held_out_of: float | None = None
    """The part that was in fact; None: as drawn."""
    seed: int = 1

    @property
    def start(self) -> int:
        return self.now - 60 * DAY_US


def is_drinker(customer: int) -> bool:
    return customer % 2 == 0


def store_campaign(url: str, campaign: Campaign) -> None:
    """Fills a new store with purchases before and after the campaign, and its contacts."""
    chance = random.Random(campaign.seed)  # noqa: S311  not a secret
    contacts = list(_contacts(campaign, chance))
    store = open_store(url)
    events = [each for contact in contacts for each in _events(contact, chance)]
    for start in range(0, len(events), 5_000):
        store.append(events[start : start + 5_000])
    Offers(store).upsert(
        [(each.offer_id, each.model_dump_json(), None, 10**12) for each in OFFERS]
    )
    store.close()
    database: Database = SqliteDatabase(folder_of(url) / DATABASE)
    with database.transaction() as session:
        contact_table.add_many(session, contacts)
    database.close()


def _contacts(campaign: Campaign, chance: random.Random) -> Iterator[Contact]:
    part = campaign.share if campaign.held_out_of is None else campaign.held_out_of
    for number in range(campaign.customers):
        held_out = chance.random() < part
        likely = 0.5 if is_drinker(number) else 0.05
        redeemed = not held_out and chance.random() < likely
        start = campaign.start + number // 2 % 5 * DAY_US
        yield Contact(
            contact_id=f"contact-{number}",
            customer_id=f"customer-{number}",
            offer_id="tea-week",
            channel="email",
            choose_time=start,
            held_out=held_out,
            hold_out_share=campaign.share,
            redeemed_time=start + DAY_US if redeemed else None,
        )


def _events(contact: Contact, chance: random.Random) -> Iterator[LogEvent]:
    number = int(contact.contact_id.removeprefix("contact-"))
    usual = "tea" if is_drinker(number) else "coffee"
    for turn in range(3):
        ago = chance.randrange(1, 90 * 24) * DAY_US // 24
        yield _bought(contact, f"before-{turn}", usual, contact.choose_time - ago)
    if chance.random() < 0.5:
        yield _bought(contact, "anyway", usual, contact.choose_time + 3 * DAY_US)
    if is_drinker(number) and not contact.held_out:
        units = EFFECT / PRICE
        yield _bought(contact, "because", usual, contact.choose_time + DAY_US + 60_000_000, units)


def _bought(
    contact: Contact, name: str, item_id: str, time: int, quantity: float = 1.0
) -> LogEvent:
    return LogEvent(
        f"{contact.contact_id}-{name}",
        contact.customer_id,
        None,
        None,
        item_id,
        None,
        "purchase",
        time,
        quantity=quantity,
        unit_price=PRICE,
    )
