"""A real bundle and store behind a real port, with both clients."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.assembly import load_recommender
from recsys.bundle import current
from recsys.client import RecsysClient
from recsys.store.impressions import Impression
from recsys.store.store import Store
from recsys.store.tables import impressions
from serving.server import Server
from serving.settings import ServingSettings
from tests.small_shop import END

NOW = int(END.timestamp()) + 3600


@contextmanager
def shop_server(
    bundles: Path,
    store: Store | None,
    deployment: Path | None = None,
    clock: Callable[[], float] = lambda: float(NOW),
) -> Iterator[str]:
    """Yields the target of a server."""
    settings = ServingSettings(bundles=bundles, drain_s=0.0, deployment=deployment)
    server = Server(settings, current=current, load=load_recommender, store=store, clock=clock)
    try:
        port = server.listen(0)
        server.load()
        yield f"127.0.0.1:{port}"
    finally:
        server.stop()


@contextmanager
def shop_client(
    bundles: Path, store: Store | None, deployment: Path | None = None
) -> Iterator[RecsysClient]:
    """Yields a client of such a server."""
    with (
        shop_server(bundles, store, deployment) as target,
        RecsysClient([target], timeout_s=30) as client,
    ):
        yield client


def logged(store: Store, count: int) -> dict[str, Impression]:
    """Returns the latest impressions by request id, once so many were written."""
    deadline = time.monotonic() + 20
    while True:
        with store.read() as session:
            found = impressions.latest(session, count)
        if len(found) >= count:
            return {each.request_id: each for each in found}
        assert time.monotonic() < deadline, f"only {len(found)} of {count} were logged"
        time.sleep(0.05)
