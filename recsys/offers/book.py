"""All offers of a shop as a bundle can judge them: one immutable value for many requests."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.data.catalogue import Catalogue
from recsys.offers.eligibility import Conditions
from recsys.offers.facts import Knowledge
from recsys.offers.offer import Offer
from recsys.offers.scopes import scoped
from recsys.offers.values import ScopedOffer


@dataclass(frozen=True, slots=True, eq=False)
class OfferBook:
    """Offers with their items and compiled eligibility."""

    offers: tuple[ScopedOffer, ...]
    """In the order of their ids."""
    conditions: Conditions

    @classmethod
    def of(cls, offers: Sequence[Offer], known: Knowledge) -> "OfferBook":
        """Looks up what offers are about and compiles who may get them."""
        ordered = sorted(offers, key=lambda offer: offer.offer_id)
        found = tuple(scoped(offer, known.catalogue) for offer in ordered)
        return cls(found, Conditions.of(ordered, known))

    def over(self, known: Knowledge) -> "OfferBook":
        """Returns the book of the same offers over what is known later.

        Of this one it keeps what is still so: most changes of a catalogue are of prices and
        availability, and touch neither what an offer is about nor who may get it.
        """
        offers = [each.offer for each in self.offers]
        before = self.conditions.known
        found = self.offers
        if not _same_items(before.catalogue, known.catalogue):
            found = tuple(scoped(offer, known.catalogue) for offer in offers)
        if before.schema() == known.schema():
            return OfferBook(found, self.conditions.over(known))
        return OfferBook(found, Conditions.of(offers, known))

    def open_places(self, channel: str, time: int) -> list[int]:
        """Returns the places of the offers that a channel may give at a time, Unix seconds.

        One that is about items of which the catalogue has none is not among them.
        """
        return [
            place
            for place, each in enumerate(self.offers)
            if channel in each.offer.channels
            and each.offer.is_valid_at(time)
            and (each.item_nums is None or len(each.item_nums))
        ]


def _same_items(one: Catalogue, other: Catalogue) -> bool:
    """Says whether two catalogues have the same items in the same categories by number."""
    columns = ["item_id", "category"]
    return one.removed == other.removed and one.frame.select(columns).equals(
        other.frame.select(columns)
    )
