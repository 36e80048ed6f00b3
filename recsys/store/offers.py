"""The offers and the contact ledger of a store."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.store import ledger
from recsys.store.choosing import Choosing, Chosen, Outcome
from recsys.store.contacts import Contact, StoredOffer
from recsys.store.ledger import ContactUpdate, Recorded
from recsys.store.store import Store
from recsys.store.tables import contacts, counters, offers


@dataclass(frozen=True, slots=True)
class Offers:
    """Offers, and who got which; any thread may use it.

    Every method may raise `StoreUnavailableError`, those that write `StoreFullError` too.
    """

    store: Store

    def change_number(self) -> int:
        """Returns a number that grows whenever an offer is written or removed."""
        with self.store.read() as session:
            return counters.read(session, offers.COUNTER)

    def all(self) -> list[StoredOffer]:
        """Returns the offers that are not removed, in the order of their ids."""
        with self.store.read() as session:
            return offers.read_all(session)

    def of(self, offer_ids: Sequence[str]) -> dict[str, StoredOffer]:
        """Returns offers by id, removed ones too."""
        with self.store.read() as session:
            return offers.read(session, offer_ids)

    def upsert(self, given: Sequence[tuple[str, str, int | None, int | None]]) -> tuple[int, int]:
        """Creates or replaces offers, all or none; what was taken of one stays taken.

        Args:
            given: id, content, voucher stock and budget (millionths) of each, each id once.

        Returns:
            How many were created and how many replaced.
        """
        created, replaced = self.store.writer.write("upsert_offers", {"offers": list(given)})
        return created, replaced

    def remove(self, offer_ids: Sequence[str]) -> tuple[int, int]:
        """Removes offers; returns how many were there, and how many were not."""
        named = {"offer_ids": list(offer_ids)}
        removed, missing = self.store.writer.write("remove_offers", named)
        return removed, missing

    def give(self, asked: Choosing) -> Chosen:
        """Gives a customer the first offer that is left, and takes what it takes.

        However many ask at once, no cap, stock or budget is exceeded. Asked again with the same
        contact id it returns the same contact and takes nothing.

        Raises:
            ContactTakenError: the contact was made with another customer.
        """
        answer = self.store.writer.write("give_offer", {"asked": list(asked)})
        outcome, left, contact, repeated = answer
        made = None if contact is None else Contact(*contact)
        return Chosen(Outcome(outcome), left, made, repeated)

    def look(self, asked: Choosing) -> Chosen:
        """Returns what `give` would, and writes nothing."""
        with self.store.read() as session:
            return ledger.choose(session, asked)

    def record(self, updates: Sequence[ContactUpdate]) -> Recorded:
        """Notes what became of contacts."""
        named = {"updates": [list(update) for update in updates]}
        return Recorded(*self.store.writer.write("record_contacts", named))

    def contact(self, contact_id: str) -> Contact | None:
        """Returns one contact, None where there is none of this id."""
        with self.store.read() as session:
            return contacts.by_id(session, [contact_id]).get(contact_id)

    def past(self, customer_id: str, before: int) -> tuple[int, int, int, int]:
        """Returns contacts, redemptions and the last time of either, see `contacts.past`.

        Args:
            customer_id: a customer, or a visitor as `visitor_key(id)`.
            before: microseconds since 1970, UTC, exclusive.
        """
        with self.store.read() as session:
            return contacts.past(session, ledger.names_of(session, customer_id), before)

    def contacts(self, customer_id: str, limit: int) -> list[Contact]:
        """Returns a customer's contacts, those of linked visitors among them, the latest first."""
        with self.store.read() as session:
            return contacts.of_names(session, ledger.names_of(session, customer_id), limit)
