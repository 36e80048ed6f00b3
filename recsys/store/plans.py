"""The plans of a store: each is a row, and its contacts are rows of the ledger."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from recsys.store.choosing import Choosing
from recsys.store.contacts import Contact
from recsys.store.database import Row
from recsys.store.ledger import names_of
from recsys.store.store import Store
from recsys.store.tables import counters, plans, tombstones
from recsys.store.tables.contacts import COUNTER
from recsys.store.tombstones import Tombstones


class PlanNote(NamedTuple):
    """What is said of a plan as a whole."""

    plan_id: str
    """At most 48 bytes of letters, digits and hyphens."""
    create_time: int
    """Microseconds since 1970, UTC."""
    contact_time: int
    """When its contacts are to be made, for caps and cooldowns."""
    row_count: int
    expected_value: float
    """Of all rows, in the shop's currency."""
    gap: float
    """How far it can be from the best plan at most, as a part of the bound."""
    finished: bool
    details: str
    """JSON: how it was made."""


class PlanRow(NamedTuple):
    """One contact of a plan as it was planned."""

    row: int
    """Counted from 1."""
    contact: Contact


class Resolution(StrEnum):
    """What became of a planned offer."""

    KEPT = "kept"
    SUBSTITUTED = "substituted"
    NOTHING = "nothing"
    AGAIN = "again"
    """Somebody else resolved it meanwhile: look again."""


class Resolved(NamedTuple):
    """What `Plans.resolve` answered."""

    resolution: Resolution
    change_reason: str
    """Why the planned offer was not kept; empty: it was, or nothing was planned."""
    contact: Contact | None
    """The one that stands."""


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans of a store; any thread may use it.

    Every method may raise `StoreUnavailableError`, those that write `StoreFullError` too.
    """

    store: Store

    def ledger_number(self) -> int:
        """Returns the number of the ledger's newest contact."""
        with self.store.read() as session:
            return counters.read(session, COUNTER)

    def ledger(self, up_to: int, at_once: int = 50_000) -> Iterator[list[Row]]:
        """Yields all contacts up to a number of the ledger, see `plans.ledger_rows`."""
        after = 0
        while True:
            with self.store.read() as session:
                found = plans.ledger_rows(session, after, up_to, at_once)
            if not found:
                return
            yield found
            after = int(found[-1][0])

    def refusing(self) -> dict[str, set[str]]:
        """Returns who refuses what, by the field of `Consent`."""
        with self.store.read() as session:
            return plans.refusing(session)

    def tombstones(self) -> Tombstones:
        """Returns everybody who was erased."""
        with self.store.read() as session:
            return Tombstones(self.store.secret).with_newer(tombstones.newer(session, 0))

    def begin(self, note: PlanNote) -> None:
        """Makes a plan that has no rows yet; it is not shown before it is finished."""
        self.store.writer.write("begin_plan", {"note": list(note)})

    def add(
        self, contacts: Sequence[Contact], *, seen: int, purposes: Mapping[str, str]
    ) -> list[str]:
        """Reserves contacts: they take their vouchers and costs, and count for caps.

        Those that are there already are left alone, so that a broken call can be repeated.

        Args:
            contacts: of one plan, at most some thousands.
            seen: number of the ledger's newest contact when the plan was made: who had another
                since may be at a cap, and is left out.
            purposes: field of `Consent` that each channel needs.

        Returns:
            Ids of those that could not be had: nothing is left of the offer, consent was taken
            back, the customer was erased or contacted meanwhile.
        """
        named = {
            "contacts": [list(contact) for contact in contacts],
            "seen": seen,
            "purposes": dict(purposes),
        }
        return list(self.store.writer.write("add_plan_contacts", named))

    def finish(self, plan_id: str, *, row_count: int, expected_value: float, gap: float) -> None:
        """Makes a plan known to servers."""
        named = {
            "plan_id": plan_id,
            "row_count": row_count,
            "expected_value": expected_value,
            "gap": gap,
        }
        self.store.writer.write("finish_plan", named)

    def cancel(self, plan_id: str, now: int, at_once: int = 2_000) -> int:
        """Gives back what a plan's contacts that were not sent yet hold; returns how many."""
        cancelled = after = 0
        while True:
            named = {"plan_id": plan_id, "after": after, "limit": at_once, "time": now}
            count, last = self.store.writer.write("cancel_plan_contacts", named)
            cancelled += int(count)
            if last == after:
                return cancelled
            after = int(last)

    def all(self) -> list[PlanNote]:
        """Returns the finished plans, the latest first."""
        with self.store.read() as session:
            return [PlanNote(*row) for row in plans.read_all(session)]

    def find(self, plan_id: str) -> PlanNote | None:
        """Returns a finished plan; None: there is none."""
        with self.store.read() as session:
            row = plans.read(session, plan_id)
        note = None if row is None else PlanNote(*row)
        return note if note is not None and note.finished else None

    def rows(self, plan_id: str, after_row: int, limit: int) -> list[PlanRow]:
        """Returns up to `limit` rows after a row, in order; the erased have left none."""
        with self.store.read() as session:
            found = plans.contacts_after(session, plan_id, after_row, limit)
        return [PlanRow(plans.row_of(contact.contact_id), contact) for contact in found]

    def planned(self, plan_id: str, customer_id: str, channel: str) -> Contact | None:
        """Returns the first contact that was planned for a customer on a channel."""
        with self.store.read() as session:
            names = names_of(session, customer_id)
            found = plans.of_customer(session, plan_id, names, channel)
        return found[0] if found else None

    def current(self, planned: Contact) -> Contact:
        """Returns the contact that stands in the place of a planned one, or that itself."""
        with self.store.read() as session:
            return plans.current(session, planned)

    def resolve(self, planned: Contact, current: Contact, fault: str, asked: Choosing) -> Resolved:
        """Keeps a planned offer, or puts the first of some others in its place, and notes it.

        Args:
            planned: the plan's contact.
            current: what `Plans.current` said stands in its place.
            fault: why its offer cannot be kept, as a code; empty: nothing is known against it.
                What the store knows itself (consent, removed, out of stock) it looks at itself.
            asked: the others, best first; its contact id does not matter.
        """
        named = {
            "planned_id": planned.contact_id,
            "current_id": current.contact_id,
            "fault": fault,
            "asked": list(asked),
        }
        answer: Sequence[Any] = self.store.writer.write("resolve_contact", named)
        resolution, reason, row = answer
        contact = None if row is None else Contact(*row)
        return Resolved(Resolution(resolution), reason, contact)
