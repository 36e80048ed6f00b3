"""Check 4: the same steps on two other shops: one with views, one through a mapping."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from recsys.client import RecsysClient
from recsys.data.dataset import Dataset
from recsys.pipeline.query import RecentEvent
from recsys.types import EventType, ItemId, Tier
from tests.qualification.room import Room
from tests.qualification.rows import Row, equal, figure
from tests.qualification.servers import client_of, started

LIMIT, SESSIONS, VIEWS = 20, 100, 3
UNSEEN = '[placements.discover]\nexclude = "seen"\n'
"""No test item of retailrocket is among what its customer touched."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A prepared data set, its bundles, and the name it goes by."""

    name: str
    data: Path
    bundles: Path


def run(room: Room) -> Iterator[Row]:
    """Prepares, fits, serves and asks, first retailrocket, then Online Retail."""
    rocket, retail = room.shared("retailrocket"), room.shared("online_retail")
    config = room.folder / "unseen.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(UNSEEN, encoding="utf-8")
    shop = _shop(room, "retailrocket")
    yield from _made(room, shop, ["--events", rocket / "events.parquet"], ["--config", config])
    with (
        started(room.root, shop.bundles, room.folder / "logs" / "4-rocket-server.log") as server,
        client_of(server) as client,
    ):
        yield from _asked(room, shop, client)
        yield from _hits(room, client, pl.read_parquet(rocket / "test.parquet"))
    shop = _shop(room, "online_retail")
    rows, mapping = retail / "online_retail.parquet", "docs/examples/online_retail.toml"
    words = ["--events", rows, "--items", rows, "--mapping", room.root / mapping]
    yield from _made(room, shop, words, [])
    with (
        started(room.root, shop.bundles, room.folder / "logs" / "4-retail-server.log") as server,
        client_of(server) as client,
    ):
        yield from _asked(room, shop, client)


def _shop(room: Room, name: str) -> Shop:
    """Returns a shop with nothing left of an earlier run."""
    shutil.rmtree(room.folder / name, ignore_errors=True)
    return Shop(name, room.folder / name / "data", room.folder / name / "bundles")


def _made(
    room: Room, shop: Shop, prepare: Sequence[object], fit: Sequence[object]
) -> Iterator[Row]:
    name = f"4-{shop.name}"
    words = ["-m", "training", "prepare", *prepare, "--out", shop.data]
    outcome = room.must(f"{name}-prepare", *words)
    yield figure(f"{shop.name}: prepare, seconds", outcome.seconds)
    words = ["-m", "training", "run", "--no-choose", "--data", shop.data, *fit]
    words += ["--bundles", shop.bundles]
    outcome = room.must(f"{name}-fit", *words)
    yield figure(f"{shop.name}: fit and publish, seconds", outcome.seconds)
    yield figure(f"{shop.name}: fit and publish, peak MiB", outcome.peak_mb)


def _asked(room: Room, shop: Shop, client: RecsysClient) -> Iterator[Row]:
    """Asks for visitors who looked at what some customers did, and for these customers."""
    room.step(f"ask {shop.name}")
    lately = _last_items(shop.data)
    end = int(datetime.now(UTC).timestamp())
    for placement in ("for_you", "discover"):
        anonymous = [
            client.recommend(placement, events=_views(items, end), limit=LIMIT)
            for items in lately.values()
        ]
        full = sum(len(answer.items) == LIMIT for answer in anonymous)
        tier = sum(answer.tier is Tier.SESSION for answer in anonymous)
        asked = f"{shop.name}: {placement}, {SESSIONS} visitors with {VIEWS} views"
        yield equal(f"{asked}: full lists", full, SESSIONS)
        yield equal(f"{asked}: lists of tier session", tier, SESSIONS)
        known = [
            client.recommend(placement, customer_id=name, limit=LIMIT).tier for name in lately
        ]
        personal = sum(tier is Tier.PERSONALISED for tier in known)
        asked = f"{shop.name}: {placement}, {SESSIONS} customers"
        yield equal(f"{asked}: lists of tier personalised", personal, SESSIONS)


def _last_items(data: Path) -> dict[str, list[str]]:
    """Returns the last distinct items of customers with enough of them, who returned nothing."""
    events = Dataset.open(data).events
    back = events.filter(pl.col("event_type") == EventType.RETURN.value)
    kept = events.join(back, on="customer_id", how="anti")
    items = (
        kept.select("customer_id", "item_id", "event_time")
        .drop_nulls()
        .group_by("customer_id", "item_id")
        .agg(pl.col("event_time").max())
    )
    last = (
        items.sort("event_time", "item_id", descending=True)
        .group_by("customer_id")
        .agg(pl.col("item_id").head(VIEWS))
        .filter(pl.col("item_id").list.len() == VIEWS)
        .collect()
        .sort("customer_id")
        .sample(SESSIONS, seed=4)
    )
    return dict(last.iter_rows())


def _views(items: Sequence[str], end: int) -> list[RecentEvent]:
    times = range(end - 60 * len(items), end, 60)
    return [
        RecentEvent(ItemId(item), EventType.VIEW, time)
        for item, time in zip(items, times, strict=True)
    ]


def _hits(room: Room, client: RecsysClient, test: pl.DataFrame) -> Iterator[Row]:
    """How often the one item that a customer bought later is in the list; to know, no bar."""
    room.step("hit rate")
    bought = dict(test.select("customer_id", "item_id").iter_rows())
    lists = client.recommend_batch("discover", bought, limit=10)
    hits = [bought[one.customer_id] in {item.item_id for item in one.items} for one in lists]
    yield figure("retailrocket: customers asked", len(hits))
    yield figure("retailrocket: discover of unseen items, hr@10", sum(hits) / len(hits))
