"""Bundles take each other's place under load: nothing fails, nothing is mixed, nothing stays."""

import gc
import time
import weakref
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from recsys.assembly import FitConfig, load_recommender
from recsys.bundle import activate, current, rollback
from recsys.data.dataset import Dataset
from recsys.fitting.fit import fit, write_fitted
from recsys.pipeline.recommender import Recommender
from recsys.store.open import open_store
from recsys.types import NumArray
from serving.server import Server
from serving.settings import ServingSettings
from tests.small_shop import END
from tests.two_shops import NAMES, Load, renamed

RELOADS = 8
WAIT_S = 60.0


@pytest.fixture(scope="module")
def named(shop: Dataset, shop_config: FitConfig, tmp_path_factory) -> dict[Path, str]:
    """A bundle of each shop, below one root, the oldest first."""
    root = tmp_path_factory.mktemp("two")
    return {
        write_fitted(
            fit(renamed(shop, name), shop_config, end_time=END),
            root,
            now=END + timedelta(hours=place),
        ): name
        for place, name in enumerate(NAMES)
    }


@pytest.fixture
def without_gc() -> Iterator[None]:
    """What is only freed because the collector comes by fails here."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_gc")
@pytest.mark.parametrize("with_store", [False, True], ids=["alone", "store"])
def test_reloads_under_load(named: dict[Path, str], tmp_path: Path, *, with_store: bool) -> None:
    paths = list(named)
    root = paths[0].parent
    activate(root, paths[0].name)
    loaded: list[weakref.ref[NumArray]] = []

    def load(path: Path) -> Recommender:
        recommender = load_recommender(path)
        loaded.append(weakref.ref(recommender.resolver.states.rows.item_nums))
        return recommender

    store = open_store(f"store://{tmp_path / 'store'}") if with_store else None
    if store is not None:
        store.remove_items(["left/item-01", "right/item-01"], bundled=["left/item-01"])
    settings = ServingSettings(bundles=root, poll_interval_s=0.01, drain_s=0.0)
    server = Server(settings, current=current, load=load, store=store)
    callers = Load(
        f"127.0.0.1:{server.listen(0)}",
        {path.name: name for path, name in named.items()},
        tuple(f"customer-{number:02}" for number in range(0, 60, 7)),
    )
    try:
        server.load()
        callers.start(2)
        for number in range(1, RELOADS + 1):
            if number % 2:
                activate(root, paths[1].name)
            else:
                rollback(root)
            _wait_for(lambda n=number: len(loaded) == n + 1)
            before = callers.answered[paths[number % 2].name]
            _wait_for(lambda b=before, n=number: callers.answered[paths[n % 2].name] > b + 2)
        callers.stop()
        _wait_for(lambda: [each() is None for each in loaded] == [True] * RELOADS + [False])
    finally:
        callers.stop()
        server.stop()
        if store is not None:
            store.close()
    assert (callers.failed, callers.mixed) == ([], [])
    assert all(callers.answered[path.name] > RELOADS for path in paths)


def _wait_for(condition) -> None:
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)
