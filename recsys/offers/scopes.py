"""Which items an offer is about, by their numbers in a catalogue."""

import numpy as np
import polars as pl

from recsys.data.catalogue import Catalogue
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
    path = list(scope.category)
    begins = pl.col("category").list.head(len(path)) == pl.lit(path, dtype=pl.List(pl.String))
    inside = catalogue.frame.select(begins.fill_null(value=False)).to_series().to_numpy()
    return ScopedOffer(offer, np.flatnonzero(inside).astype(np.int32))
