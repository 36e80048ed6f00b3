"""The offers as the server follows them: what may be given, and what it is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from recsys.bundle import current
from recsys.errors import BundleError, StoreError
from recsys.offer_values import load_values
from recsys.offers.affinity import AffinityValues
from recsys.offers.book import OfferBook
from recsys.offers.facts import Knowledge
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
        self._desk: OfferDesk | None = None

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
        book = OfferBook.of(self._offers, Knowledge.of(recommender.resolver))
        for place, error in book.conditions.refused.items():
            offer = book.offers[place].offer
            _log.warning(OFFERS_LEFT_OUT, offer_id=offer.offer_id, error=str(error))
        if self._learned is not None:
            return OfferDesk(book, self._learned)
        states, catalogue = recommender.resolver.states, recommender.catalogue
        return OfferDesk(book, AffinityValues.of(states, catalogue))
