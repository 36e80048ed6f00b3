"""Everything that may change while the server runs, as one value that a request takes once."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from recsys.live.deployment_note import note_of
from recsys.pipeline.arrangement import Arrangement
from recsys.pipeline.recommender import Recommender
from recsys.store.consent import NO_REFUSALS, Refusals
from recsys.store.impressions import DeploymentNote
from recsys.store.tombstones import NOBODY, Tombstones
from serving.logs import SNAPSHOT_FAILED
from serving.state.arranger import Arranger
from serving.state.live_catalogue import LiveCatalogue
from serving.state.live_offers import LiveOffers, OfferDesk
from serving.state.refusals import RefusalFollower
from serving.state.tombstones import TombstoneFollower

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What one request works with to its end, however much changes meanwhile."""

    recommender: Recommender
    """Of the current bundle."""
    arrangement: Arrangement
    """Who answers which query."""
    tombstones: Tombstones = NOBODY
    """Who was erased: what a bundle holds of them must not be used."""
    offers: OfferDesk | None = None
    """What may be given; None: there are no offers."""
    refusals: Refusals = NO_REFUSALS
    """Who refused what at the last look, for answers while the store is away."""
    deployment: DeploymentNote = field(init=False)
    """What the deployment file says, as far as it fits the bundle."""

    def __post_init__(self) -> None:
        """Notes the deployment once, for all answers."""
        object.__setattr__(self, "deployment", note_of(self.arrangement.deployment))


class Live:
    """Holds the snapshot of now; a thread makes a new one when a part of it has changed."""

    def __init__(
        self,
        recommender: Callable[[], Recommender],
        *,
        arranger: Arranger,
        catalogue: LiveCatalogue,
        tombstones: TombstoneFollower,
        refresh_interval_s: float,
        refusals: RefusalFollower,
        offers: LiveOffers | None = None,
    ) -> None:
        """Takes where the parts come from.

        Args:
            recommender: returns the bundle's recommender, raises BundleNotReadyError before.
            arranger: says who answers, by the deployment file.
            catalogue: lays over a bundle what has changed of its items.
            tombstones: says who was erased.
            refresh_interval_s: seconds between two looks at all parts.
            refusals: says who refuses what.
            offers: says what may be given; None: nothing.
        """
        self._recommender = recommender
        self._arranger = arranger
        self._catalogue = catalogue
        self._tombstones = tombstones
        self._refusals = refusals
        self._offers = offers
        self._refresh_interval_s = refresh_interval_s
        self._snapshot: Snapshot | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="snapshot", daemon=True)

    def snapshot(self) -> Snapshot:
        """Returns what holds now.

        Raises:
            BundleNotReadyError: the first bundle is not loaded yet.
        """
        if self._snapshot is None:
            self.refresh()
        if self._snapshot is None:
            raise AssertionError("a refresh makes a snapshot or raises")
        return self._snapshot

    def refresh(self) -> None:
        """Looks at all parts and makes a new snapshot if one of them is another.

        Raises:
            BundleNotReadyError: the first bundle is not loaded yet.
        """
        with self._lock:  # two threads ask: the one below, and that of the bundle
            self._catalogue.look()
            recommender = self._catalogue.over(self._recommender())
            arrangement = self._arranger.arranged(recommender)
            tombstones = self._tombstones.look()
            refusals = self._refusals.look()
            offers = None if self._offers is None else self._offers.look(recommender)
            before = self._snapshot
            if (
                before is None
                or before.arrangement is not arrangement
                or before.tombstones is not tombstones
                or before.offers is not offers
                or before.refusals is not refusals
            ):
                self._snapshot = Snapshot(recommender, arrangement, tombstones, offers, refusals)

    def start(self) -> None:
        """Makes the first snapshot, then follows all parts in a thread.

        Raises:
            BundleNotReadyError: the bundle is not loaded yet.
        """
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        """Stops following; the last snapshot keeps answering."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        failed = ""
        while not self._stopped.wait(self._refresh_interval_s):
            try:
                self.refresh()
            except Exception as error:  # noqa: BLE001  a thread that ends would freeze the shop
                if failed != type(error).__name__:  # four lines a second would tell no more
                    _log.error(SNAPSHOT_FAILED, exc_info=error)
                failed = type(error).__name__
            else:
                failed = ""
