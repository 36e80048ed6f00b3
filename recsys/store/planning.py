"""Plans in one transaction: rows that take what they need, and offers that stand in for others."""

from collections.abc import Mapping, Sequence
from json import dumps, loads
from typing import Any

from recsys.store import ledger
from recsys.store.choosing import Choosing, Outcome
from recsys.store.consent import Consent
from recsys.store.contacts import Contact, ContactState
from recsys.store.database import Session
from recsys.store.tables import consents, contacts, offers, plans, tombstones

_AT_ONCE = 500
"""Values in one statement."""


def add(
    session: Session, given: Sequence[Contact], seen: int, purposes: Mapping[str, str]
) -> list[str]:
    """Reserves contacts of one plan; returns ids of those that could not be had."""
    known = contacts.by_id(session, [contact.contact_id for contact in given])
    new = [contact for contact in given if contact.contact_id not in known]
    barred = _barred(session, new, seen, purposes)
    free = [contact for contact in new if contact.contact_id not in barred]
    by_offer: dict[str, list[Contact]] = {}
    for contact in free:
        by_offer.setdefault(contact.offer_id, []).append(contact)
    taken: set[str] = set()
    for offer_id, mine in sorted(by_offer.items()):
        taken |= _taken(session, offer_id, mine)
    contacts.add_many(session, [each for each in free if each.contact_id in taken])
    return [each.contact_id for each in new if each.contact_id not in taken]


def cancel(session: Session, plan_id: str, after: int, limit: int, time: int) -> tuple[int, int]:
    """Gives back what contacts of a plan hold that were not sent yet.

    Returns:
        How many, and the last row that was looked at.
    """
    found = plans.contacts_after(session, plan_id, after, limit)
    update = ContactState.CANCELLED
    updates = [ledger.ContactUpdate(contact.contact_id, update, time) for contact in found]
    done = ledger.record(session, updates)
    return done.recorded, plans.row_of(found[-1].contact_id) if found else after


def resolve(
    session: Session, planned_id: str, current_id: str, fault: str, asked: Choosing
) -> tuple[str, str, Contact | None]:
    """Keeps a planned offer or puts another in its place; see `Plans.resolve`."""
    planned = contacts.by_id(session, [planned_id]).get(planned_id)
    if planned is None or planned.held_out:
        return "nothing", "", None
    current = plans.current(session, planned)
    if current.contact_id != current_id:
        return "again", "", None
    consent = consents.read(session, planned.customer_id).consent
    if not getattr(consent, asked.purpose):
        # Nothing is given up: the customer may agree again.
        return "nothing", "no-consent", None
    said = loads(planned.answer)
    if current.cancelled_time is not None:
        return "nothing", said.get("change_reason", ""), None
    kept = current.redeemed_time is not None
    if not kept:
        fault = fault or _fault(session, current)
    if kept or not fault:
        substituted = current.contact_id != planned_id
        outcome = "substituted" if substituted else "kept"
        if not said:
            _note(session, planned, asked.time, {"outcome": outcome})
        return outcome, said.get("change_reason", "") if substituted else "", current
    return _replaced(session, planned, current, fault, asked)


def _replaced(
    session: Session, planned: Contact, current: Contact, fault: str, asked: Choosing
) -> tuple[str, str, Contact | None]:
    # The old one frees its place first: an exchange is no further contact.
    offers.give_back(session, current.offer_id, 1, current.cost)
    contacts.update(session, current._replace(cancelled_time=asked.time, cost=0))
    count = int(loads(planned.answer).get("changes", 0)) + 1
    others = [each for each in asked.candidates if each.offer_id != current.offer_id]
    chosen = ledger.give(
        session,
        asked._replace(
            contact_id=f"{planned.contact_id}r{count}",
            plan_id=planned.plan_id,
            candidates=others,
        ),
    )
    given = chosen.contact if chosen.outcome is Outcome.GIVEN else None
    outcome = "nothing" if given is None else "substituted"
    said: dict[str, Any] = {"outcome": outcome, "change_reason": fault, "changes": count}
    if given is not None:
        said[plans.REPLACED_BY] = given.contact_id
    elif current.contact_id != planned.contact_id:
        said[plans.REPLACED_BY] = current.contact_id
    _note(session, planned, asked.time, said)
    return outcome, fault, given


def _note(session: Session, planned: Contact, time: int, said: Mapping[str, Any]) -> None:
    plans.note(session, planned.contact_id, dumps({**said, "resolve_time": time}))


def _fault(session: Session, current: Contact) -> str:
    """Returns what the store knows against an offer that was planned; empty: nothing."""
    stored = offers.read(session, [current.offer_id]).get(current.offer_id)
    if stored is None or stored.removed:
        return "removed"
    # What the contact holds is its own; only who lowered a limit afterwards takes it away.
    if stored.voucher_stock is not None and stored.vouchers_taken > stored.voucher_stock:
        return "out-of-stock"
    if stored.budget is not None and stored.spent > stored.budget:
        return "budget-spent"
    return ""


def _barred(
    session: Session, given: Sequence[Contact], seen: int, purposes: Mapping[str, str]
) -> set[str]:
    """Returns ids of contacts whose customers must not have them any more."""
    if not given:
        return set()
    names = sorted({contact.customer_id for contact in given})
    parts = [names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE)]
    erased = tombstones.erase_times(session, names)
    contacted = {
        name
        for part in parts
        for name in plans.contacted_since(session, seen, given[0].plan_id, part)
    }
    refused = {purpose: _refusing(session, parts, purpose) for purpose in set(purposes.values())}
    return {
        contact.contact_id
        for contact in given
        if erased.get(contact.customer_id, -1) >= contact.choose_time
        or contact.customer_id in contacted
        or contact.customer_id in refused[purposes[contact.channel]]
    }


def _refusing(session: Session, parts: Sequence[Sequence[str]], purpose: str) -> set[str]:
    if purpose not in Consent._fields:
        message = f"{purpose!r} is no purpose"
        raise ValueError(message)
    found: set[str] = set()
    for part in parts:
        rows = session.rows(
            f"SELECT customer_id FROM consents WHERE {purpose} = 0 "  # noqa: S608  a field's name
            f"AND customer_id IN ({', '.join('?' * len(part))})",
            part,
        )
        found |= {row[0] for row in rows}
    return found


def _taken(session: Session, offer_id: str, given: Sequence[Contact]) -> set[str]:
    """Takes what contacts need of an offer; returns ids of those for whom there was enough."""
    paying = [contact for contact in given if not contact.held_out]
    cost = sum(contact.cost for contact in paying)
    held_out = {contact.contact_id for contact in given if contact.held_out}
    if not paying or offers.take(session, offer_id, len(paying), cost):
        return held_out | {contact.contact_id for contact in paying}
    # Live calls took some meanwhile: the rest goes to the first rows.
    return held_out | {
        contact.contact_id for contact in paying if offers.take(session, offer_id, 1, contact.cost)
    }
