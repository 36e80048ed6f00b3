"""From a bundle and a store to the numbers of a campaign."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsys.data.progress import Progress
from recsys.data.state import StateRows
from recsys.live.contact_limits import ContactLimits
from recsys.live.experiments import uniform
from recsys.offers.affinity import AffinityValues
from recsys.offers.book import OfferBook
from recsys.offers.facts import Knowledge
from recsys.offers.offer import MICROS, Offer
from recsys.offers.plan_problem import MAX_CHANNELS, NOT_ALLOWED, PlanProblem
from recsys.offers.plan_room import Past, contacts_of, cooling, purposes, room_at
from recsys.offers.values import Audience, OfferValues, PastContacts, ScopedOffer
from recsys.online.campaign import DEFAULT_WINDOW_DAYS
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.resolve import Resolver
from recsys.store.contacts import StoredOffer
from recsys.store.plans import Plans
from recsys.store.tombstones import Tombstones
from recsys.types import VISITOR_PREFIX, BoolArray, CodeArray, CustomerId
from training.plan_histories import HistoryReader, with_changed
from training.plan_past import past_contacts

AT_ONCE = 8_192
"""Customers who are judged together."""
HOLD_OUT = "plan-hold-out"


@dataclass(frozen=True)
class PlanOptions:
    """What a plan is asked for."""

    channels: tuple[str, ...]
    contact_time: int
    """Microseconds since 1970, UTC."""
    total_budget: float = float("inf")
    most: int = 1
    """Contacts of one customer in the plan."""
    hold_out: float = 0.05
    min_value: float = 0.0
    seed: int = 0
    window_days: float = DEFAULT_WINDOW_DAYS
    """How long after it purchases are to count; kept with the plan for its result."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """A campaign, and what its numbers stand for."""

    problem: PlanProblem
    offers: Sequence[ScopedOffer]
    basis: Sequence[str]
    """By offer: what its values were learned from."""
    customers: Sequence[CustomerId]
    held_out: BoolArray
    """Shape (customers,)."""
    seen: int
    """Number of the ledger's newest contact that was counted."""

    @property
    def priority(self) -> NDArray[np.int64]:
        """Shape (offers,)."""
        return np.array([each.offer.priority for each in self.offers], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Maker:
    """Makes the inputs of a plan."""

    recommender: Recommender
    values: OfferValues | None
    """None: nothing was learned, offers are judged by how well they fit."""
    limits: ContactLimits
    plans: Plans
    bundle_position: int
    """Of the store's log that the bundle was trained up to."""

    def inputs(
        self,
        offers: Sequence[tuple[Offer, StoredOffer]],
        options: PlanOptions,
        progress: Progress,
    ) -> Inputs:
        """Returns the campaign of some offers for everybody whom the bundle knows."""
        book = OfferBook.of([offer for offer, _ in offers], Knowledge.of(self.recommender))
        stored = {each.offer_id: each for _, each in offers}
        ordered = [each.offer for each in book.offers]
        seen = self.plans.ledger_number()
        ids = [each.offer_id for each in ordered]
        past = past_contacts(self.plans, seen, self.resolver.customers, ids)
        value, probability, basis = self._judged(book, past, options, progress)
        rows, places = cooling(ordered, past, options.contact_time)
        value[rows, places] = NOT_ALLOWED
        room, most = self._room(past, options)
        problem = PlanProblem(
            value=value,
            probability=probability,
            room=room,
            most=most,
            channels=_channels(ordered, options.channels),
            contact_cost=np.array([each.cost.per_contact for each in ordered], np.float64),
            redemption_cost=np.array([each.cost.per_redemption for each in ordered], np.float64),
            stock=np.array([_stock(stored[each]) for each in ids], np.float64),
            budget=np.array([_budget(stored[each]) for each in ids], np.float64),
            total_budget=options.total_budget,
        )
        held_out = self._held_out(options)
        return Inputs(problem, book.offers, basis, self._names, held_out, seen)

    @property
    def resolver(self) -> Resolver:
        """Returns what the bundle knows of customers and items."""
        return self.recommender.resolver

    @cached_property
    def _stones(self) -> Tombstones:
        return self.plans.tombstones()

    @cached_property
    def _names(self) -> list[CustomerId]:
        return [CustomerId(each) for each in self.resolver.customers.series()]

    def _judged(
        self, book: OfferBook, past: Past, options: PlanOptions, progress: Progress
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], Sequence[str]]:
        resolver, names = self.resolver, self._names
        values = self.values or AffinityValues.of(resolver.states, resolver.catalogue)
        shape = len(names), len(book.offers)
        value, probability = np.empty(shape, np.float32), np.empty(shape, np.float32)
        time = options.contact_time
        given = contacts_of(past, len(names), time)
        open_ = {
            place for each in options.channels for place in book.open_places(each, time // MICROS)
        }
        closed = [place for place in range(len(book.offers)) if place not in open_]
        basis: tuple[str, ...] = ()
        changed = self._changed(time // MICROS, progress)
        for start in range(0, len(names), AT_ONCE):
            part = slice(start, min(start + AT_ONCE, len(names)))
            states = with_changed(resolver.states, part, changed)
            audience = Audience(names[part], states, _given(given, part), time // MICROS)
            worth = values.worth(audience, book.offers)
            found = worth.values(book.offers)
            least = max(options.min_value, self.limits.min_value)
            allowed = book.conditions.hold(audience) & (found >= least)
            allowed[:, closed] = False
            value[part] = np.where(allowed, found, NOT_ALLOWED)
            probability[part] = worth.probability
            basis = tuple(each.value for each in worth.basis)
            progress("values", part.stop, len(names))
        return value, probability, basis

    def _changed(self, time: int, progress: Progress) -> dict[int, StateRows]:
        """Returns the histories of customers who did something since the bundle was fitted."""
        log = self.recommender.log_position
        reader = HistoryReader(
            self.plans.store,
            self.recommender,
            self.bundle_position,
            log.links if log is not None and self.bundle_position else 0,
            self._stones,
        )
        return reader.changed(time, progress)

    def _room(self, past: Past, options: PlanOptions) -> tuple[CodeArray, CodeArray]:
        """Returns what caps, consent and erasures leave."""
        names = self._names
        room, most = room_at(
            self.limits,
            past,
            len(names),
            channels=options.channels,
            time=options.contact_time,
            most=options.most,
        )
        refusing = self.plans.refusing()
        for place, purpose in enumerate(purposes(self.limits, options.channels).values()):
            room[self._nums(sorted(refusing[purpose])), place] = 0
        stones = self._stones
        if len(stones):
            erased = [
                num for num, name in enumerate(names) if stones.hides(name, self.bundle_position)
            ]
            most[erased] = 0
        # Nobody can write to them.
        most[self.resolver.customers.starting_with(VISITOR_PREFIX)] = 0
        return room, most

    def _nums(self, names: Sequence[str]) -> NDArray[np.int32]:
        nums = self.resolver.customers.numbers([CustomerId(each) for each in names])
        return nums[nums >= 0]

    def _held_out(self, options: PlanOptions) -> BoolArray:
        seed = f"{self.limits.hold_out_seed}/{options.seed}/{options.contact_time}"
        if not options.hold_out:
            return np.zeros(len(self._names), dtype=np.bool_)
        drawn = (uniform(seed, HOLD_OUT, name) for name in self._names)
        return np.fromiter((each < options.hold_out for each in drawn), np.bool_, len(self._names))


def check_channels(channels: Sequence[str]) -> tuple[str, ...]:
    """Returns the channels of a plan.

    Raises:
        ValueError: there are none, too many, or one stands twice.
    """
    if not 1 <= len(channels) <= MAX_CHANNELS or len(set(channels)) < len(channels):
        message = f"--channel: give 1 to {MAX_CHANNELS}, each once"
        raise ValueError(message)
    return tuple(channels)


def _channels(offers: Sequence[Offer], channels: Sequence[str]) -> BoolArray:
    return np.array([[name in offer.channels for name in channels] for offer in offers])


def _stock(offer: StoredOffer) -> float:
    if offer.voucher_stock is None:
        return np.inf
    return max(offer.voucher_stock - offer.vouchers_taken, 0)


def _budget(offer: StoredOffer) -> float:
    return np.inf if offer.budget is None else max(offer.budget - offer.spent, 0) / MICROS


def _given(past: PastContacts, part: slice) -> PastContacts:
    return PastContacts(
        past.contacts[part],
        past.redemptions[part],
        past.last_contact_times[part],
        past.last_redemption_times[part],
    )
