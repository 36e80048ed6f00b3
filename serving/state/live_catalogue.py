"""Follows the store's catalogue and lays it over every bundle that answers."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from recsys.errors import StoreError
from recsys.pipeline.catalogue_follower import CatalogueFollower
from recsys.pipeline.recommender import Recommender
from recsys.store.store import Store
from recsys.store.tables.catalogue import COUNTER
from serving.logs import CATALOGUE_FOLLOWED, CATALOGUE_LOST

_log = structlog.get_logger()


UNUSED_LOOKS = 240
"""Looks for which a bundle is kept that was made ready and does not answer yet: a minute."""


@dataclass(slots=True, eq=False)
class _Followed:
    """One bundle's recommender and how far it has followed."""

    follower: CatalogueFollower
    seen: int = 0
    looks_left: int = UNUSED_LOOKS
    preparing: threading.Thread | None = None

    def ready(self) -> bool:
        """Says whether the like of new items can be found; if not yet, begins to make it so.

        That takes seconds in a large catalogue, for which no change of stock may wait.
        """
        if self.follower.prepared:
            return True
        if self.preparing is None:
            self.preparing = threading.Thread(
                target=self.follower.prepare, name="likeness", daemon=True
            )
            self.preparing.start()
        return False


class LiveCatalogue:
    """Returns recommenders that see the catalogue of now.

    `look` and `over` are for one thread at a time. A bundle is made ready in the thread that loads
    it (`following`), so that the others never wait for a catalogue to be read whole.
    """

    def __init__(self, store: Store | None) -> None:
        """Takes the store; None: no catalogue ever changes."""
        self._store = store
        self._version = 0
        self._lost = False
        self._followed: dict[Recommender, _Followed] = {}
        self._laid: Mapping[str, Recommender] = {}

    def following(self, load: Callable[[Path], Recommender]) -> Callable[[Path], Recommender]:
        """Returns a function that loads a bundle and lays over it all that is known by now."""

        def load_and_follow(path: Path) -> Recommender:
            recommender = load(path)
            self._meet(recommender)
            return recommender

        return load_and_follow

    def look(self) -> None:
        """Sees how far the catalogue has changed, and forgets bundles that answer no more.

        The store out of reach leaves everything as it was.
        """
        if self._store is None:
            return
        self._drop_unused()
        try:
            self._version = self._store.versions().get(COUNTER, 0)
        except StoreError as error:
            self._report(error)
            return
        self._report(None)

    def over(self, recommender: Recommender) -> Recommender:
        """Returns a bundle's recommender with the changes of its catalogue.

        The very same one as long as nothing has changed.
        """
        if self._store is None or self._version == 0:
            return recommender
        bundle = recommender.laid_over or recommender
        followed = self._followed.get(bundle)
        if followed is None:
            followed = self._followed[bundle] = _Followed(CatalogueFollower(bundle))
        followed.looks_left = 1
        if followed.seen < self._version:
            try:
                self._catch_up(followed, self._store)
            except StoreError as error:
                self._report(error)
        elif followed.follower.waits and followed.ready():
            followed.follower.follow([])
        return followed.follower.recommender

    def over_all(self, held: Mapping[str, Recommender]) -> Mapping[str, Recommender]:
        """Returns what `over` returns for each; the same mapping if none is another."""
        laid = {version: self.over(each) for version, each in held.items()}
        if laid == held:
            return held
        if laid != self._laid:
            self._laid = laid
        return self._laid

    def _drop_unused(self) -> None:
        for bundle, followed in list(self._followed.items()):
            if followed.looks_left == 0:
                del self._followed[bundle]
            followed.looks_left -= 1

    def _meet(self, recommender: Recommender) -> None:
        if self._store is None:
            return
        try:
            if self._store.versions().get(COUNTER, 0) == 0:
                return
            followed = _Followed(CatalogueFollower(recommender))
            self._catch_up(followed, self._store)
        except StoreError as error:
            self._report(error)
            return
        while followed.follower.waits:
            followed.follower.follow([])
        self._followed[recommender] = followed

    @staticmethod
    def _catch_up(followed: _Followed, store: Store) -> None:
        rows = store.changed_items(followed.seen)
        if rows:
            followed.follower.follow(rows, seek=followed.follower.prepared)
            followed.seen = rows[-1].change_number
            _log.info(CATALOGUE_FOLLOWED, items=len(rows), change_number=followed.seen)

    def _report(self, error: StoreError | None) -> None:
        """Logs that the store is lost, once until it is back."""
        if error is not None and not self._lost:
            _log.error(CATALOGUE_LOST, error=str(error))
        self._lost = error is not None
