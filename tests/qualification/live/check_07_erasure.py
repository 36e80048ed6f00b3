"""Check 7: of an erased customer no byte and no row is left, and no log brings one back."""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from recsys.bundle import current
from recsys.bundle_parts import load_customers
from recsys.client import Consent, RecsysClient, ShopEvent
from recsys.data.events import EVENT_SCHEMA, TIME
from recsys.store.events import LogEvent
from recsys.store.open import open_store
from recsys.types import VISITOR_PREFIX, CustomerId, Tier, visitor_key
from tests.postgres import Postgres
from tests.qualification.room import Room
from tests.qualification.rows import Row, above, at_most, equal
from tests.qualification.servers import READY_S, Running, started
from tests.traces import in_files, in_postgres

DAY_US = 86_400_000_000
SPAN_DAYS, KEPT_DAYS = 60, 30
"""Events lie in so many days; older ones than so many are archived."""
WITHIN_S = 1.0
CANARY_EVENTS, VISITOR_EVENTS, WATCHED_EVENTS = 60, 20, 20
WATCHED = "watched"
"""A second customer who is erased and asked for all the time: each answer is logged as somebody
new's, so this one leaves traces."""


@dataclass(frozen=True)
class Shop:
    """A log with a customer who will be erased, and one store that holds it."""

    folder: Path
    url: str
    customers: int
    events: int
    postgres: bool = False
    canary: str = field(default_factory=lambda: f"canary-{secrets.token_hex(8)}")
    visitor: str = field(default_factory=lambda: f"guest-{secrets.token_hex(8)}")

    @property
    def texts(self) -> Sequence[str]:
        return (self.canary, self.visitor)

    @property
    def archives(self) -> Path:
        return self.folder / "store" / "archives"

    @property
    def bundles(self) -> Path:
        return self.folder / "bundles"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def log(self) -> list[LogEvent]:
        """All events, those of the canary and of the canary's visitor among the others'."""
        chance = np.random.default_rng(7)
        names = [f"c{n:07}" for n in chance.permutation(self.customers)]
        own = [self.canary] * CANARY_EVENTS + [visitor_key(self.visitor)] * VISITOR_EVENTS
        own += [WATCHED] * WATCHED_EVENTS
        who = [*own, *(names[n] for n in chance.integers(self.customers, size=self.events))]
        end = time.time_ns() // 1000
        return [
            LogEvent(
                f"e-{who[place]}-{number}",
                who[place],
                f"s-{who[place]}",
                None,
                f"item-{place % 5}{chance.integers(8)}",
                None,
                ("view", "purchase")[number % 2],
                end - int(chance.integers(1, SPAN_DAYS * DAY_US)),
            )
            for number, place in enumerate(chance.permutation(len(who)).tolist())
        ]

    def traces(self) -> list[str]:
        """Where the canary is: files of the store and of logs, columns of the database."""
        found = in_files([self.folder / "store", self.logs], self.texts)
        return found + (in_postgres(self.url, self.texts) if self.postgres else [])


def run(room: Room) -> Iterator[Row]:
    """Erases a canary from a store of each kind."""
    with TemporaryDirectory(prefix="recsys-7-") as folder:
        shop = Shop(Path(folder), f"store://{folder}/store", customers=20_000, events=200_000)
        yield from erased(room, shop, "SQLite")
    with TemporaryDirectory(prefix="recsys-7-") as folder:
        server = Postgres()
        server.start()
        try:
            url = server.new_database()
            shop = Shop(Path(folder), url, customers=20_000, events=200_000, postgres=True)
            yield from erased(room, shop, "PostgreSQL")
        finally:
            server.remove()


def erased(room: Room, shop: Shop, kind: str) -> Iterator[Row]:
    """Fills, fits, serves and erases; looks for the canary after each step."""
    log = shop.log()
    room.step(f"{kind}: {len(log):,} events of {shop.customers:,} customers")
    store = open_store(shop.url, archives=shop.archives)
    for start in range(0, len(log), 1_000):
        store.append(log[start : start + 1_000])
    store.link_visitor(shop.visitor, shop.canary)
    store.close()
    history = _history(room, shop, log)
    _must(room, shop, "fit", "training", "run", *_source(shop), "--bundles", shop.bundles)
    archive = ("store", "archive", shop.url, "--older-than", KEPT_DAYS, "--bundles", shop.bundles)
    _must(room, shop, "archive", "training", *archive, "--archives", shop.archives)
    yield equal(f"{kind}: the first bundle knows the canary", _known(shop), "yes")
    settings = {"store": shop.url, "archives": shop.archives, "processes": 2}
    with started(room.root, shop.bundles, shop.logs / "server.log", **settings) as server:
        _wait_ready(server, 2)
        yield from _served(room, shop, server, kind, log)
    yield equal(f"{kind}: traces after the servers have stopped", _told(shop.traces()), "none")
    files = (*_source(shop), "--source", history)
    _must(room, shop, "fit-again", "training", "run", *files, "--bundles", shop.bundles)
    yield equal(f"{kind}: the next bundle knows the canary", _known(shop), "no")
    yield equal(
        f"{kind}: files of the next bundle with traces",
        _told(in_files([current(shop.bundles)], shop.texts)),
        "none",
    )


def _served(
    room: Room, shop: Shop, server: Running, kind: str, log: Sequence[LogEvent]
) -> Iterator[Row]:
    host, _, port = server.target.rpartition(":")
    targets = [server.target, f"{host}:{int(port) + 1}"]
    with ExitStack() as stack:
        clients = [stack.enter_context(RecsysClient([each], timeout_s=30)) for each in targets]
        clients[0].set_consent(shop.canary, Consent(use_in_email=False))
        tiers = [_tier(client, name) for client in clients for name in (shop.canary, WATCHED)]
        yield equal(f"{kind}: answers by a history before", tiers.count(Tier.PERSONALISED), 4)
        _wait_impressions(clients[0], shop.canary)
        yield above(f"{kind}: places with traces before", len(shop.traces()), 2)
        receipt = clients[0].erase_customer(shop.canary)
        events = receipt.erased["events"] + receipt.erased["archives"]
        yield equal(f"{kind}: events erased", events, CANARY_EVENTS + VISITOR_EVENTS)
        yield above(f"{kind}: of them archived", receipt.erased["archives"], 0)
        yield above(f"{kind}: shown lists erased", receipt.erased["impressions"], 0)
        yield equal(f"{kind}: traces after the erasure", _told(shop.traces()), "none")
        clients[1].erase_customer(WATCHED)
        seconds = _ignored_after(clients)
        yield at_most(f"{kind}: seconds until every server ignores its bundle", seconds, WITHIN_S)
        again = clients[1].import_events(_events(log))
        refused = CANARY_EVENTS + VISITOR_EVENTS + WATCHED_EVENTS
        yield equal(f"{kind}: old events refused", again.erased, refused)
        yield equal(f"{kind}: old events stored", again.stored, 0)
        yield equal(f"{kind}: other events still known", again.duplicates, shop.events)
        yield equal(f"{kind}: traces after an old log", _told(shop.traces()), "none")
        erase = ("-m", "serving", "erase", "--target", targets[1], "--customer")
        done = room.python(f"live-7-{kind}-verify", *erase, shop.canary, "--verify")
        yield equal(f"{kind}: exit status of --verify", done.status, 0)
        other = room.python(f"live-7-{kind}-erase", *erase, "c0000001")
        yield equal(f"{kind}: exit status of another erasure", other.status, 0)


def _history(room: Room, shop: Shop, log: Sequence[LogEvent]) -> Path:
    """Prepares the same events as a data set beside the store, as a shop may have them."""
    file, folder = shop.folder / "history.parquet", shop.folder / "history"
    schema = {**EVENT_SCHEMA, "event_time": pl.Int64()}
    frame = pl.DataFrame(log, schema=schema, orient="row")
    time_ = pl.col("event_time").cast(pl.Datetime("us")).cast(TIME)
    frame.with_columns(time_).write_parquet(file)
    _must(room, shop, "prepare", "training", "prepare", "--events", file, "--out", folder)
    return folder


def _events(log: Sequence[LogEvent]) -> Iterator[ShopEvent]:
    """Yields the same events as a caller has them."""
    for event in log:
        visitor_id = event.customer_id.removeprefix(VISITOR_PREFIX)
        is_visitor = visitor_id != event.customer_id
        yield ShopEvent(
            event_type=event.event_type,
            customer_id="" if is_visitor else event.customer_id,
            visitor_id=visitor_id if is_visitor else "",
            item_id=event.item_id or "",
            event_time=datetime.fromtimestamp(event.event_time / 1e6, UTC),
            event_id=event.event_id or "",
        )


def _source(shop: Shop) -> tuple[object, ...]:
    return ("--no-choose", "--source", shop.url, "--archives", shop.archives)


def _must(room: Room, shop: Shop, name: str, *words: object) -> None:
    room.must(f"live-7-{shop.folder.name}-{name}", "-m", *words)


def _known(shop: Shop) -> str:
    customers = load_customers(current(shop.bundles))
    names = (shop.canary, visitor_key(shop.visitor))
    return "yes" if any(customers.number(CustomerId(name)) is not None for name in names) else "no"


def _tier(client: RecsysClient, customer_id: str) -> Tier:
    return client.recommend("for_you", customer_id=customer_id).tier


def _ignored_after(clients: Sequence[RecsysClient]) -> float:
    """Returns the seconds until no server answers by what its bundle holds of the watched one."""
    began = time.monotonic()
    while any(_tier(client, WATCHED) is Tier.PERSONALISED for client in clients):
        if time.monotonic() - began > READY_S:
            break
        time.sleep(0.01)
    return time.monotonic() - began


def _wait_impressions(client: RecsysClient, customer_id: str) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        if any(record.kind == "impression" for record in client.export_customer(customer_id)):
            return
        time.sleep(0.1)


def _wait_ready(server: Running, processes: int) -> None:
    end = time.monotonic() + READY_S
    while len(server.lines("server.ready")) < processes and time.monotonic() < end:
        time.sleep(0.05)


def _told(traces: Sequence[str]) -> str:
    return ", ".join(traces) or "none"
