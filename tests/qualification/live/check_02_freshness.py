"""Check 2: what one server acknowledged, every other knows at the next call."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from recsys.client import RecsysClient
from recsys.data.dataset import Dataset
from tests.freshness import Freshness
from tests.postgres import Postgres
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_most, equal, figure
from tests.qualification.servers import READY_S, started

CHECKS, WARM_UP = 10_000, 200
P99_S = 0.050
SERVERS = 2
PLACEMENT = "for_you"


def run(room: Room) -> Iterator[Row]:
    """Writes to one of two processes and asks the other, over both kinds of stores."""
    data = Dataset.open(room.demo_data())
    customers = data.events.select("customer_id").unique().sort("customer_id").head(2_000)
    item_ids = data.items["item_id"].to_list()
    for kind in ("SQLite", "PostgreSQL"):
        with _store(kind) as url, _clients(room, kind, url) as clients:
            fresh = Freshness(
                clients,
                customer_ids=customers.collect()["customer_id"].to_list(),
                item_ids=item_ids,
                placement=PLACEMENT,
            )
            yield from _checked(room, kind, fresh)


def _checked(room: Room, kind: str, fresh: Freshness) -> Iterator[Row]:
    for number in fresh.check(WARM_UP + CHECKS):
        if number % 1_000 == 0:
            room.step(f"{kind}: check {number:,} of {WARM_UP + CHECKS:,}")
    milliseconds = np.array(fresh.seconds[WARM_UP:]) * 1_000
    yield equal(f"{kind}: checks", len(milliseconds), CHECKS)
    yield equal(f"{kind}: answers that did not know what was acknowledged", len(fresh.missed), 0)
    if fresh.missed:
        yield equal(f"{kind}: the first of them", fresh.missed[0], "none")
    yield figure(f"{kind}: ms from acknowledged to known, p50", float(np.median(milliseconds)))
    p99 = float(np.quantile(milliseconds, 0.99))
    yield at_most(f"{kind}: ms from acknowledged to known, p99", p99, P99_S * 1_000)


@contextmanager
def _store(kind: str) -> Iterator[str]:
    """Lends the URL of a new store that survives power cuts."""
    if kind == "SQLite":
        with TemporaryDirectory(prefix="recsys-") as folder:
            yield f"store://{Path(folder) / 'store'}"
        return
    server = Postgres()
    server.start()
    try:
        yield server.new_database()
    finally:
        server.remove()


@contextmanager
def _clients(room: Room, kind: str, url: str) -> Iterator[list[RecsysClient]]:
    """Lends one client for each of the processes of a server."""
    log = room.folder / "logs" / f"live-2-{kind}.log"
    bundles = room.demo_bundles()
    with ExitStack() as opened:
        server = opened.enter_context(
            started(room.root, bundles, log, processes=SERVERS, store=url)
        )
        clients = [
            opened.enter_context(RecsysClient([target], timeout_s=30)) for target in server.targets
        ]
        for client in clients:
            client.wait_until_ready(READY_S)
        yield clients
