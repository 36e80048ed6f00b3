"""The offers as the server follows them: what may be given, and what it is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from recsys.bundle import current
from recsys.data.state import CustomerStates
from recsys.errors import BundleError, StoreError
from recsys.offer_values import load_values
from recsys.offers.affinity import AffinityValues
from recsys.offers.book import OfferBook
from recsys.offers.facts import Knowledge
from recsys.offers.gains import purchase_days
from recsys.offers.learned_values import LearnedValues
from recsys.offers.offer import Offer
from recsys.offers.values import OfferValues
from recsys.pipeline.recommender import Recommender
from recsys.store.offers import Offers
from recsys.store.store import Store
from serving.logs import OFFERS_LEFT_OUT, VALUES_LOADED, VALUES_REFUSED

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class OfferDesk:
    """What a request for an offer is answered from; immutable."""

    book: OfferBook
    values: OfferValues


class LiveOffers:
    """Reads offers and values again when they have changed; for one thread at a time.

    While the store is away, and where newer values are damaged, what was read last holds.
    """

    def __init__(self, store: Store | None, values: Path | None) -> None:
        """Takes the store and the root of learned values; None: there are none."""
        self._store = None if store is None else Offers(store)
        self._root = values
        self._offers: Sequence[Offer] = ()
        self._number: int | None = None
        self._learned: LearnedValues | None = None
        self._path: Path | None = None
        self._recommender: Recommender | None = None
        self._book: OfferBook | None = None
        self._desk: OfferDesk | None = None
        self._states: CustomerStates | None = None
        self._bought = np.zeros(0)

    def look(self, recommender: Recommender) -> OfferDesk | None:
        """Returns the desk over a bundle, the same one until something has changed.

        None: there are no offers.
        """
        changed = self._read_offers() | self._read_values()
        if changed or recommender is not self._recommender:
            self._recommender = recommender
            self._desk = self._made(recommender) if self._offers else None
        return self._desk

    def _read_offers(self) -> bool:
        if self._store is None:
            return False
        try:
            number = self._store.change_number()
            if number == self._number:
                return False
            stored = self._store.all()
        except StoreError:
            return False
        self._number = number
        self._offers = [Offer.model_validate_json(each.content) for each in stored]
        self._book = None
        return True

    def _read_values(self) -> bool:
        if self._root is None:
            return False
        try:
            path = current(self._root)
            if path == self._path:
                return False
            self._path = path
            self._learned = load_values(path)
        except BundleError as error:
            if self._path is not None:
                _log.error(VALUES_REFUSED, error=str(error))
            return False
        _log.info(VALUES_LOADED, values_version=self._learned.version)
        return True

    def _made(self, recommender: Recommender) -> OfferDesk:
        known, before = Knowledge.of(recommender), self._book
        book = OfferBook.of(self._offers, known) if before is None else before.over(known)
        if before is None or book.conditions.refused is not before.conditions.refused:
            for place, error in book.conditions.refused.items():
                offer = book.offers[place].offer
                _log.warning(OFFERS_LEFT_OUT, offer_id=offer.offer_id, error=str(error))
        self._book = book
        if self._learned is not None:
            return OfferDesk(book, self._learned)
        return OfferDesk(book, AffinityValues.by(self._days(recommender), recommender.catalogue))

    def _days(self, recommender: Recommender) -> NDArray[np.float64]:
        """Returns on how many customer days each item was bought; of a bundle counted once."""
        states, count = recommender.resolver.states, len(recommender.catalogue)
        if states is not self._states:
            self._states, self._bought = states, purchase_days(states, count)
        more = max(0, count - len(self._bought))
        return np.pad(self._bought, (0, more))[:count]
