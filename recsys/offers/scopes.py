"""Which items an offer is about, by their numbers in a catalogue."""

from bisect import bisect_left

import numpy as np

from recsys.data.catalogue import Catalogue
from recsys.data.item_labels import CATEGORY
from recsys.offers.offer import Offer
from recsys.offers.values import ScopedOffer
from recsys.types import ItemId


def scoped(offer: Offer, catalogue: Catalogue) -> ScopedOffer:
    """Finds the items that an offer is about; those that the catalogue lacks are left out."""
    scope = offer.scope
    if scope.is_basket:
        return ScopedOffer(offer, None)
    if scope.item_ids:
        return ScopedOffer(offer, catalogue.present([ItemId(each) for each in scope.item_ids]))
    # The catalogue keeps these labels, so many offers together read its categories once.
    found = catalogue.labels(CATEGORY, len(scope.category))
    place = bisect_left(found.labels, scope.category)
    if found.labels[place : place + 1] != (scope.category,):
        return ScopedOffer(offer, np.zeros(0, dtype=np.int32))
    return ScopedOffer(offer, np.flatnonzero(found.label_nums == place).astype(np.int32))
