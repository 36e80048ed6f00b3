"""The one place where offers are given: every limit is looked at, and taken, in one transaction.

All writes to a store are one after another, in SQLite by its write lock and in PostgreSQL by the
row of the positions, so what is read here is still so when it is written.
"""

import json
from bisect import insort
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from recsys.errors import ContactTakenError
from recsys.store.choosing import Candidate, Choosing, Chosen, Outcome
from recsys.store.contacts import Cap, Contact, ContactState
from recsys.store.database import Session
from recsys.store.events import LogEvent
from recsys.store.tables import consents, contacts, offers, tombstones
from recsys.types import VISITOR_PREFIX, EventType, visitor_key

STATES_OF_EVENTS = {
    EventType.EMAIL_OPEN.value: ContactState.OPENED,
    EventType.EMAIL_CLICK.value: ContactState.OPENED,
    EventType.OFFER_SHOWN.value: ContactState.SHOWN,
    EventType.OFFER_REDEEMED.value: ContactState.REDEEMED,
}
"""What an event says of the contact that it is about."""
ALTERNATES = "alternates"
"""In the answer of a contact: offer, value, probability and cost of what was named beside it."""


class ContactUpdate(NamedTuple):
    """Something that became of a contact."""

    contact_id: str
    state: ContactState
    time: int
    """Microseconds since 1970, UTC."""
    cost: int | None = None
    """What a redemption really cost, in millionths; None: what the offer said."""


class Recorded(NamedTuple):
    """What was done with updates."""

    recorded: int
    unchanged: int
    """Known already, or no longer possible."""
    missing: Sequence[str]
    """Contacts that are not known, in the order of the updates."""


def choose(session: Session, asked: Choosing) -> Chosen:
    """Returns which offer is to be given, and writes nothing.

    Raises:
        ContactTakenError: the contact was made with another customer.
    """
    names = names_of(session, asked.customer_id)
    known = contacts.by_id(session, [asked.contact_id]).get(asked.contact_id)
    if known is not None:
        if known.customer_id not in names:
            raise ContactTakenError("the contact was made with another customer")
        return Chosen(_outcome_of(known), (), known, repeated=True)
    refusal = _refusal(session, names[0], asked)
    if refusal is not None:
        return Chosen(refusal, (), None)
    rows = _past(session, names, asked)
    if any(_fills(cap, asked, rows) for cap in asked.caps):
        return Chosen(Outcome.CAPPED, (), None)
    left = list(_left(session, asked, rows))
    if not left:
        cooling = all(_is_cooling(each, asked.time, rows) for each in asked.candidates)
        outcome = Outcome.CAPPED if asked.candidates and cooling else Outcome.SPENT
        return Chosen(outcome, (), None)
    contact = _contact(asked, names[0], left)
    return Chosen(_outcome_of(contact), left, contact)


def give(session: Session, asked: Choosing) -> Chosen:
    """Chooses an offer, takes its voucher and cost, and writes the contact.

    Raises:
        ContactTakenError: the contact was made with another customer.
    """
    chosen = choose(session, asked)
    contact = chosen.contact
    if contact is None or chosen.repeated:
        return chosen
    if not contact.held_out and not offers.take(session, contact.offer_id, 1, contact.cost):
        raise AssertionError("what was left a moment ago in one transaction is left now")
    contacts.add_many(session, [contact])
    return chosen


def record(session: Session, updates: Sequence[ContactUpdate]) -> Recorded:
    """Notes what became of contacts, and corrects what they take of their offers."""
    known = contacts.by_id(session, {update.contact_id for update in updates})
    recorded, missing = 0, []
    for update in updates:
        contact = known.get(update.contact_id)
        if contact is None:
            missing.append(update.contact_id)
            continue
        changed = _updated(session, contact, update)
        if changed is not None:
            contacts.update(session, changed)
            known[update.contact_id] = changed
            recorded += 1
    return Recorded(recorded, len(updates) - recorded - len(missing), missing)


def follow(session: Session, events: Sequence[LogEvent]) -> None:
    """Notes in the ledger what events say of offers; repeated events change nothing.

    An event is about the latest contact up to its time in which its customer got its offer; one
    without such a contact is about none.
    """
    updates = []
    for event in events:
        state = STATES_OF_EVENTS.get(event.event_type)
        if state is None or event.offer_id is None:
            continue
        contact_id = _latest(session, event.customer_id, event.offer_id, event.event_time)
        if contact_id is not None:
            updates.append(ContactUpdate(contact_id, state, event.event_time))
    if updates:
        record(session, updates)


def _latest(session: Session, customer_id: str, offer_id: str, until: int) -> str | None:
    for contact in contacts.of_names(session, names_of(session, customer_id)):
        given = not contact.held_out and contact.cancelled_time is None
        if given and contact.offer_id == offer_id and contact.choose_time <= until:
            return contact.contact_id
    return None


def names_of(session: Session, customer_id: str) -> list[str]:
    """Returns whom limits count together: the customer first, then linked visitors' keys."""
    if customer_id.startswith(VISITOR_PREFIX):
        rows = session.rows(
            "SELECT customer_id FROM visitors WHERE visitor_id = ?",
            (customer_id.removeprefix(VISITOR_PREFIX),),
        )
        customer_id = rows[0][0] if rows else customer_id
    rows = session.rows(
        "SELECT visitor_id FROM visitors WHERE customer_id = ? ORDER BY sequence", (customer_id,)
    )
    return [customer_id, *(visitor_key(row[0]) for row in rows)]


def _refusal(session: Session, customer_id: str, asked: Choosing) -> Outcome | None:
    if not getattr(consents.read(session, customer_id).consent, asked.purpose):
        return Outcome.NO_CONSENT
    erased = tombstones.erase_times(session, [customer_id]).get(customer_id)
    return Outcome.ERASED if erased is not None and asked.time <= erased else None


def _past(
    session: Session, names: Sequence[str], asked: Choosing
) -> Sequence[tuple[str, str, int]]:
    """Returns the contacts that a cap or a cooldown may count."""
    spans = [cap.window for cap in asked.caps] + [each.cooldown for each in asked.candidates]
    longest = max(spans, default=0)
    if not longest:
        return ()
    # Later ones too: a call may be about a time before the last contact.
    return contacts.between(session, names, asked.time - longest, asked.time + longest)


def _fills(cap: Cap, asked: Choosing, rows: Sequence[tuple[str, str, int]]) -> bool:
    """Says whether one more contact would be one too many in some stretch of a cap's length."""
    if cap.channels and asked.channel not in cap.channels:
        return False
    times = sorted(
        time for _, channel, time in rows if not cap.channels or channel in cap.channels
    )
    insort(times, asked.time)
    return any(
        first <= asked.time <= last and last - first < cap.window
        for first, last in zip(times, times[cap.most :], strict=False)
    )


def _left(
    session: Session, asked: Choosing, rows: Sequence[tuple[str, str, int]]
) -> Iterator[int]:
    """Yields the places of the offers that may be given, as many as are asked for."""
    wanted = 1 + asked.alternates
    stored = offers.read(session, [each.offer_id for each in asked.candidates])
    for place, candidate in enumerate(asked.candidates):
        offer = stored.get(candidate.offer_id)
        if offer is None or _is_cooling(candidate, asked.time, rows):
            continue
        if offers.has_left(offer, candidate.cost):
            yield place
            wanted -= 1
            if not wanted:
                return


def _is_cooling(candidate: Candidate, now: int, rows: Sequence[tuple[str, str, int]]) -> bool:
    return any(
        offer_id == candidate.offer_id and abs(now - time) < candidate.cooldown
        for offer_id, _, time in rows
    )


def _contact(asked: Choosing, customer_id: str, left: Sequence[int]) -> Contact:
    candidate, *others = (asked.candidates[place] for place in left)
    return Contact(
        contact_id=asked.contact_id,
        customer_id=customer_id,
        offer_id=candidate.offer_id,
        channel=asked.channel,
        choose_time=asked.time,
        plan_id=asked.plan_id,
        held_out=candidate.held_out,
        hold_out_share=asked.hold_out_share,
        probability=candidate.probability,
        value=candidate.value,
        basis=candidate.basis,
        values_version=asked.values_version,
        cost=0 if candidate.held_out else candidate.cost,
        contact_cost=candidate.contact_cost,
        redemption_cost=candidate.redemption_cost,
        answer=_answer(asked.note, others),
    )


def _answer(note: str, others: Sequence[Candidate]) -> str:
    """Returns a note with the alternates that were named, for who asks again."""
    if not others:
        return note
    named = [(each.offer_id, each.value, each.probability, each.cost) for each in others]
    return json.dumps({**json.loads(note), ALTERNATES: named})


def _outcome_of(contact: Contact) -> Outcome:
    return Outcome.HELD_OUT if contact.held_out else Outcome.GIVEN


def _updated(session: Session, contact: Contact, update: ContactUpdate) -> Contact | None:
    """Returns a contact after an update, None where that changes nothing."""
    if contact.held_out or contact.cancelled_time is not None:
        return None
    field = f"{update.state.value}_time"
    if update.state is ContactState.CHOSEN or getattr(contact, field) is not None:
        return None
    if update.state is ContactState.CANCELLED:
        if contact.state is not ContactState.CHOSEN:
            return None
        offers.give_back(session, contact.offer_id, 1, contact.cost)
        return contact._replace(cancelled_time=update.time, cost=0)
    if update.state is ContactState.REDEEMED:
        paid = contact.redemption_cost if update.cost is None else update.cost
        cost = contact.contact_cost + paid
        offers.redeem(session, contact.offer_id, cost - contact.cost)
        contact = contact._replace(cost=cost)
    return Contact(**{**contact._asdict(), field: update.time})
