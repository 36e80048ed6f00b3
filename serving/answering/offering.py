"""From a request for an offer to what the ledger is asked: who asks, and what fits best."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.errors import StoreUnavailableError
from recsys.live.contact_limits import ContactLimits
from recsys.offers.decide import NoOffer, Ranked, rank, to_candidate, to_caps
from recsys.offers.values import Audience, PastContacts, ScopedOffer
from recsys.pipeline.query import Query, Reason, RecentEvent
from recsys.pipeline.recommender import Recommender
from recsys.store.choosing import Choosing
from recsys.store.offers import Offers
from recsys.types import CustomerId, ItemId
from serving.answering.answers import Asking
from serving.state.live_offers import OfferDesk
from serving.state.live_state import Known, LiveState, Purpose
from serving.state.snapshot import Snapshot

PLACEMENT = "next_best_offer"
"""What an answer's token says in the place of a placement."""
ITEMS_FROM = "for_you"
"""The placement that says which of an offer's items a customer wants most."""
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class OfferQuery:
    """One request for an offer."""

    customer_id: CustomerId
    """A customer, or a visitor as `visitor_key(id)`."""
    channel: str
    query_time: int
    """Unix seconds, UTC."""
    events: tuple[RecentEvent, ...] = ()
    excluded: frozenset[str] = frozenset()
    min_value: float | None = None
    """None: what the deployment file says."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A customer, and what they may get."""

    known: Known
    found: Sequence[Ranked] | NoOffer
    """Best first. `NOT_ELIGIBLE` for who refused the purpose as well, see `known`."""

    @property
    def customer_id(self) -> CustomerId:
        """Returns the customer, whom a visitor turned out to be."""
        return self.known.asked.customer_id or CustomerId("")


@dataclass(frozen=True, slots=True)
class Offering:
    """Judges offers for customers from one snapshot."""

    snapshot: Snapshot
    state: LiveState
    offers: Offers
    now: float
    """Unix seconds by the server's clock."""

    @property
    def desk(self) -> OfferDesk | None:
        """Returns the offers and values of the snapshot; None: there are no offers."""
        return self.snapshot.offers

    @property
    def values_version(self) -> str:
        """Returns which learned values judge; empty: none do."""
        return "" if self.desk is None else self.desk.values.version

    @property
    def limits(self) -> ContactLimits:
        """Returns what the deployment file says of contacts."""
        return self.snapshot.arrangement.deployment.contacts

    @property
    def recommender(self) -> Recommender:
        """Returns the recommender of the current bundle."""
        return self.snapshot.recommender

    def purpose(self, channel: str) -> Purpose:
        """Returns which consent a channel needs."""
        return "use_in_email" if channel in self.limits.email_channels else "recommend_on_site"

    def judged(self, query: OfferQuery) -> Judged:
        """Returns what a customer may get, best first.

        Raises:
            StoreUnavailableError: what the customer did and allowed cannot be read.
        """
        asked = Query(PLACEMENT, query.query_time, query.customer_id, events=query.events)
        asking = Asking(self.snapshot, self.now, self.state, self.purpose(query.channel))
        [known] = asking.known([asked])
        if known.missing:
            raise StoreUnavailableError("the customer's state cannot be read just now")
        if known.consent_refused or self.desk is None:
            return Judged(known, NoOffer.NOT_ELIGIBLE)
        min_value = self.limits.min_value if query.min_value is None else query.min_value
        found = rank(
            self.desk.book,
            self.audience(known),
            self.desk.values,
            channel=query.channel,
            min_value=min_value,
            excluded=query.excluded,
        )
        return Judged(known, found)

    def audience(self, known: Known) -> Audience:
        """Returns one customer with the history and contacts of now."""
        query, resolver = known.query, self.recommender.resolver
        rows = resolver.history(query)
        states = replace(
            resolver.states, offsets=np.array([0, len(rows.item_nums)], np.int64), rows=rows
        )
        before = query.query_time * MICROSECONDS
        count, redeemed, last, last_redeemed = self.offers.past(
            known.asked.customer_id or "", before
        )
        past = PastContacts(
            np.array([count], np.int32),
            np.array([redeemed], np.int32),
            np.array([last // MICROSECONDS], np.int64),
            np.array([last_redeemed // MICROSECONDS], np.int64),
        )
        return Audience([query.customer_id or CustomerId("")], states, past, query.query_time)

    def choosing(
        self, judged: Judged, query: OfferQuery, *, contact_id: str, time: int, alternates: int
    ) -> Choosing:
        """Returns what the ledger is asked.

        Args:
            judged: of the query, with offers.
            query: who asks for what.
            contact_id: of the contact that is to be made.
            time: microseconds since 1970, UTC.
            alternates: offers to name beside the best.
        """
        ranked = () if isinstance(judged.found, NoOffer) else judged.found
        return Choosing(
            contact_id=contact_id,
            customer_id=judged.customer_id,
            channel=query.channel,
            time=time,
            purpose=self.purpose(query.channel),
            caps=to_caps(self.limits),
            candidates=[to_candidate(each, judged.customer_id, self.limits) for each in ranked],
            alternates=alternates,
            hold_out_share=self.limits.hold_out,
            values_version=self.values_version,
        )

    def wanted(
        self, known: Known, offers: Sequence[ScopedOffer], limit: int
    ) -> list[tuple[tuple[ItemId, ...], tuple[Reason, ...]]]:
        """Returns of each offer the items that a customer wants most, and why.

        The rules of that list hold; experiments do not, since an offer is part of none.
        """
        if ITEMS_FROM not in self.recommender.placement_configs or not offers:
            return [((), ()) for _ in offers]
        rules = self.snapshot.arrangement.rules.get(ITEMS_FROM)
        query = replace(known.query, placement=ITEMS_FROM, limit=limit, rules=rules)
        scopes = {each.offer.scope: each.item_nums for each in offers}  # many offers share one
        lists = self.recommender.recommend_within(query, list(scopes.values()))
        wanted = {
            scope: (
                tuple(item.item_id for item in told.items),
                tuple(dict.fromkeys(item.reason for item in told.items[:3])),
            )
            for scope, told in zip(scopes, lists, strict=True)
        }
        return [wanted[each.offer.scope] for each in offers]
