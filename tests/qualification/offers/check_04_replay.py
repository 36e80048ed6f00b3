"""Check 4: answers of a shop that changes all the time are made again, item for item."""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from recsys.bundle import current
from recsys.client import Consent, RecsysClient, ShopEvent
from recsys.client.events import now
from recsys.data.dataset import Dataset
from recsys.pipeline.query import RecentEvent
from recsys.store.events import LogEvent
from recsys.store.impressions import Impression
from recsys.store.open import open_store
from recsys.types import EventType, ItemId
from tests.qualification.room import Room
from tests.qualification.rows import Row, above, at_least, equal, figure
from tests.qualification.servers import READY_S, Running, started

ANSWERS, BATCH = 1_000, 10
PROCESSES = 2
LOADED = "arm_bundle.loaded"
"""What a process logs when it has the bundle of an arm."""
LOGGED_EVENTS = 5_000
"""Of the demo's last that the store has before the bundle is fitted."""
PLACEMENTS = ("for_you", "discover", "buy_again", "similar_items", "bought_together", "popular")
FILTERS = ("", "", "", "price < 5", "price > 1 AND brand = 'National'")
FILES = (
    "",
    """
[exploration.for_you]
temperature = 2.0

[exploration.popular]
new_item_days = 7
""",
    """
[experiments.sources]
placements = ["for_you", "popular"]
hold_out = 0.1
[experiments.sources.arms.control]
[experiments.sources.arms.taste.placements.for_you]
sources = [{{ name = "taste", weight = 1.0 }}]

[rules.discover.dear]
kind = "boost"
factor = 2.0
filter = "price > 4"

[rules.discover.mix]
kind = "at-most"
count = 2
column = "brand"
""",
    """
[experiments.bundles]
placements = ["for_you", "discover"]
[experiments.bundles.arms.now]
[experiments.bundles.arms.before]
bundle = "{other}"

[filters.cheap]
sql = "price < 2"

[rules.popular.first]
kind = "pin"
item_id = "{item}"
position = 3

[rules.for_you.bought]
kind = "hide-bought"
days = 20

[rules.for_you.half]
kind = "at-least"
share = 0.3
filter_name = "cheap"

[exploration.discover]
temperature = 1.0
""",
)


@dataclass(slots=True)
class Shop:
    """A shop with callers, and what they were told."""

    clients: Sequence[RecsysClient]
    file: Path
    other: str
    """Version of the bundle beside the current one."""
    customers: Sequence[str]
    items: Sequence[str]
    bought: Sequence[tuple[str, str]]
    """Customers and items of purchases that both the bundle and the store know."""
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(23))
    told: dict[str, list[str]] = field(default_factory=dict)
    """Items by request id."""
    linked: set[str] = field(default_factory=set)
    files: int = 0

    def change(self) -> None:
        """Lets something happen."""
        turns = (self.act, self.act, self.price, self.add, self.link, self.refuse)
        turns[self.random.integers(0, len(turns))]()

    def deploy(self) -> None:
        """Puts another file in the place of the last."""
        text = FILES[self.files % len(FILES)].format(other=self.other, item=self.items[0])
        part = self.file.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(self.file)
        self.files += 1

    def act(self) -> None:
        """Customers look, buy, and give back; some of it is told late."""
        client, kinds = self.client(), ("view", "purchase", "add-to-cart", "return")
        events = []
        for _ in range(self.random.integers(1, 8)):
            late = self.random.random() < 0.3
            ago = timedelta(days=float(self.random.integers(1, 300))) if late else timedelta()
            kind = kinds[self.random.integers(0, len(kinds))]
            customer_id, visitor_id = self.who()
            item_id = self.items[self.random.integers(0, 20)] if late else self.item()
            if kind == "return":
                customer_id, item_id = self.bought[self.random.integers(0, len(self.bought))]
                visitor_id = ""
            events.append(
                ShopEvent(
                    event_type=kind,
                    customer_id=customer_id,
                    visitor_id=visitor_id,
                    item_id=item_id,
                    event_time=now() - ago,
                )
            )
        client.write_events(events)

    def price(self) -> None:
        """Items cost something else, are sold out, come back, or go."""
        client = self.client()
        for _ in range(2):
            item_id = self.item()
            if self.random.random() < 0.1 and item_id != self.items[0]:
                client.remove_items([item_id])
                continue
            changed = {
                "item_id": item_id,
                "price": float(self.random.integers(1, 900)) / 100,
                "available": bool(self.random.random() < 0.8),
                "title": f"Item {item_id}",
            }
            client.upsert_items([changed])

    def add(self) -> None:
        """A new item, or an old new one in other words."""
        number = int(self.random.integers(0, 40))
        category = ["GROCERY", f"SHELF {number % 5}"]
        item = {"item_id": f"new-{number}", "title": f"Tea {self.random.integers(0, 9)}"}
        self.client().upsert_items([{**item, "category": category, "price": 1.0 + number}])

    def link(self) -> None:
        """A visitor logs in."""
        visitor_id = f"v{self.random.integers(0, 60)}"
        if visitor_id not in self.linked:
            self.linked.add(visitor_id)
            self.client().identify_customer(visitor_id, self.customer())

    def refuse(self) -> None:
        """A customer wants no list of the own, or wants it again."""
        consent = Consent(recommend_on_site=bool(self.random.random() < 0.5))
        self.client().set_consent(self.customer(), consent)

    def ask(self) -> None:
        """Asks one question and keeps the answer."""
        customer_id, visitor_id = self.who()
        context = [self.item() for _ in range(self.random.integers(0, 3))]
        lately = int(now().timestamp()) - 5
        seen = [
            RecentEvent(ItemId(self.item()), EventType.VIEW, lately)
            for _ in range(self.random.integers(0, 2))
        ]
        answer = self.client().recommend(
            PLACEMENTS[self.random.integers(0, len(PLACEMENTS))],
            customer_id=customer_id,
            visitor_id=visitor_id,
            context_item_ids=context,
            events=seen,
            filter=FILTERS[self.random.integers(0, len(FILTERS))],
            limit=int(self.random.integers(1, 25)),
        )
        self.told[answer.request_id] = [item.item_id for item in answer.items]

    def client(self) -> RecsysClient:
        """Any of the processes."""
        return self.clients[self.random.integers(0, len(self.clients))]

    def customer(self) -> str:
        """One of few, so that most have done something since."""
        return self.customers[self.random.integers(0, len(self.customers))]

    def who(self) -> tuple[str, str]:
        """A customer, or a visitor."""
        if self.random.random() < 0.8:
            return self.customer(), ""
        return "", f"v{self.random.integers(0, 60)}"

    def item(self) -> str:
        """An item, now and then a new one."""
        if self.random.random() < 0.1:
            return f"new-{self.random.integers(0, 40)}"
        return self.items[self.random.integers(0, len(self.items))]


def run(room: Room) -> Iterator[Row]:
    """Serves a changing shop with two processes, then makes every answer again."""
    with TemporaryDirectory(prefix="recsys-4-") as name:
        folder = Path(name)
        url, bundles = f"store://{folder / 'store'}", folder / "bundles"
        shop = _fitted(room, url, bundles, folder / "deployment.toml")
        settings = {"store": url, "processes": PROCESSES, "deployment": shop.file}
        log = room.folder / "logs" / "offers-4-server.log"
        with started(room.root, bundles, log, **settings) as server:
            _ask_all(room, server, shop)
            room.step("waiting for the log of answers")
            _wait_logged(url, ANSWERS)
        yield from _replayed(room, url, bundles, shop)


def _fitted(room: Room, url: str, bundles: Path, file: Path) -> Shop:
    """Fits a bundle on the demo and the store, beside one that knows nothing of the store."""
    data = room.demo_data()
    dataset = Dataset.open(data)
    events = dataset.events.tail(LOGGED_EVENTS).collect()
    names = [name for name in LogEvent._fields if name in events.columns]
    columns = events.select(names).with_columns(pl.col("event_time").dt.epoch("us"))
    store = open_store(url)
    for part in columns.iter_slices(1_000):
        store.append([LogEvent(**row) for row in part.iter_rows(named=True)])
    store.close()
    shutil.copytree(room.demo_bundles(), bundles)
    other = current(bundles).name
    words = ["-m", "training", "run", "--no-choose", "--source", url, "--source", data]
    room.must("replay-fit", *words, "--bundles", bundles)
    customers = events["customer_id"].unique().sort().head(150).to_list()
    items = events["item_id"].value_counts(sort=True)["item_id"].head(400).to_list()
    is_one = pl.col("customer_id").is_in(customers)
    pairs = events.filter(is_one & (pl.col("event_type") == EventType.PURCHASE.value))
    bought = pairs.select("customer_id", "item_id").rows()
    shop = Shop((), file, other, customers, items, bought)
    shop.deploy()
    return shop


def _ask_all(room: Room, server: Running, shop: Shop) -> None:
    with ExitStack() as stack:
        shop.clients = [
            stack.enter_context(RecsysClient([target], timeout_s=30)) for target in server.targets
        ]
        for client in shop.clients:
            client.wait_until_ready(READY_S)
        while len(shop.told) < ANSWERS:
            if len(shop.told) % 100 == 0:
                room.step(f"answer {len(shop.told):,} of {ANSWERS:,}")
                loaded = len(server.lines(LOADED))
                shop.deploy()
                if shop.other in shop.file.read_text(encoding="utf-8"):
                    _wait_loaded(server, loaded + PROCESSES)
            shop.change()
            for _ in range(BATCH):
                shop.ask()
            time.sleep(0.05)  # servers follow changes four times a second


def _wait_loaded(server: Running, bundles: int) -> None:
    """Waits until every process has the bundle beside the current one."""
    end = time.monotonic() + READY_S
    while len(server.lines(LOADED)) < bundles and time.monotonic() < end:
        time.sleep(0.1)


def _replayed(room: Room, url: str, bundles: Path, shop: Shop) -> Iterator[Row]:
    store = open_store(url, role="reader")
    logged = store.latest_impressions(ANSWERS)
    store.close()
    yield equal("answers that were logged", len(logged), ANSWERS)
    same = sum(list(each.item_ids) == shop.told[each.request_id] for each in logged)
    yield equal("of them as callers were told", same, ANSWERS)
    yield from _variety(logged)
    words = ["-m", "serving", "replay", "--last", ANSWERS, "--json"]
    done = room.python("offers-4-replay", *words, "--store", url, "--bundles", bundles)
    told = [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]
    yield equal("answers that were made again", len(told), ANSWERS)
    wrong = [each for each in told if not each["identical"]]
    yield equal("identical lists", len(told) - len(wrong), ANSWERS)
    if wrong:
        yield equal("the first that is not", json.dumps(wrong[0]), "none")
    yield figure("seconds", done.seconds)


def _variety(logged: Sequence[Impression]) -> Iterator[Row]:
    """Says how much had changed, so that nobody replays a shop that stood still."""
    bases = [each.query["basis"] for each in logged]
    changes = {basis.get("catalogue", 0) for basis in bases}
    yield above("catalogues that answered", len(changes), 20)
    yield equal("deployments", len({basis["deployment"] for basis in bases}), len(FILES))
    yield at_least("arms", len({(each.experiment, each.arm) for each in logged}), 6)
    yield equal("bundles", len({each.bundle_version for each in logged}), 2)
    yield above("explored lists", sum(each.propensity is not None for each in logged), 50)
    for name, least in (("events", 10), ("earlier", 10), ("last_link", 10)):
        yield above(f"answers with {name}", sum(bool(basis.get(name)) for basis in bases), least)
    refused = sum("consent_refused" in each.query for each in logged)
    yield above("answers as for somebody unknown", refused, 10)


def _wait_logged(url: str, count: int) -> None:
    store = open_store(url, role="reader")
    end = time.monotonic() + READY_S
    while len(store.latest_impressions(count + 1)) < count and time.monotonic() < end:
        time.sleep(0.2)
    store.close()
