"""What a server answers with, for a command that answers by itself: one moment's snapshot."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recsys.assembly import load_recommender
from recsys.store.store import Store
from serving.answering.attribution import Attribution
from serving.settings import ServingSettings
from serving.state.arm_bundles import ArmBundles
from serving.state.arranger import Arranger
from serving.state.deployment_file import DeploymentFile
from serving.state.live_catalogue import LiveCatalogue
from serving.state.live_offers import LiveOffers
from serving.state.live_state import LiveState
from serving.state.patience import Patience
from serving.state.refusals import RefusalFollower
from serving.state.snapshot import Live, Snapshot
from serving.state.tombstones import TombstoneFollower

LOOKUP_S = 60.0
"""Seconds that a store on another machine has to look customers up: nobody waits for a page."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that answers, as a server has it."""

    snapshot: Snapshot
    state: LiveState
    attribution: Attribution
    """Signs; logs nothing."""


@contextmanager
def opened_desk(
    settings: ServingSettings,
    bundle: Path,
    store: Store | None,
    *,
    clock: Callable[[], float] = time.time,
) -> Iterator[Desk]:
    """Yields what answers from a bundle and the state of now.

    Args:
        settings: of the deployment, the same as the servers'.
        bundle: that answers where no experiment says otherwise.
        store: where there is one.
        clock: returns Unix seconds.

    Raises:
        BundleError: the bundle is not there, or damaged.
        StoreError: the store cannot be read.
    """
    catalogue = LiveCatalogue(store)
    load = catalogue.following(load_recommender)
    recommender = load(bundle)
    arms = ArmBundles(settings.bundles, load)
    file = DeploymentFile(settings.deployment)
    live = Live(
        lambda: recommender,
        arranger=Arranger(file, arms, catalogue=catalogue, clock=clock),
        catalogue=catalogue,
        tombstones=TombstoneFollower(store),
        offers=LiveOffers(store, settings.values),
        refusals=RefusalFollower(store, time.monotonic),
        refresh_interval_s=1.0,
    )
    attribution = Attribution(store, log=None)
    live.refresh()
    arms.start()  # loads what the deployment file names
    try:
        live.refresh()
        attribution.start()
        yield Desk(live.snapshot(), LiveState(store, Patience(time.monotonic)), attribution)
    finally:
        attribution.stop()
        arms.stop()
