"""A shop in which everything changes between two answers, for those who make answers again."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from recsys.assembly import load_recommender
from recsys.live.deployment import Deployment
from recsys.live.filter_parameters import to_parameters
from recsys.live.rules import UNTUNED, Tuning
from recsys.pipeline.arrangement import arrange
from recsys.pipeline.catalogue_follower import CatalogueFollower
from recsys.pipeline.query import Query, RecentEvent
from recsys.pipeline.recommender import Recommender
from recsys.store.catalogue import ItemColumns
from recsys.store.consent import Consent
from recsys.store.events import LogEvent
from recsys.store.store import Store
from recsys.store.tables import tombstones
from recsys.store.tombstones import Tombstones
from recsys.types import CustomerId, EventType, ItemId, LogPosition, visitor_key
from serving.answering.answers import Answer, answer_all
from serving.answering.impression_rows import to_impression
from serving.state.live_state import LiveState
from serving.state.patience import Patience
from serving.state.snapshot import Snapshot
from tests.small_shop import END, shop_events

NOW = int(END.timestamp())
HOUR = 3_600
PLACEMENTS = ("for_you", "discover", "buy_again", "similar_items", "bought_together", "popular")
FILTERS = ("", "", "price < 30", "brand = 'brand-1'", "caffeine AND price > 3")
DEPLOYMENTS = (
    {},
    {"exploration": {"for_you": {"temperature": 5}, "popular": {"new_item_days": 9}}},
    {
        "experiments": {
            "e1": {
                "placements": ["for_you", "popular"],
                "hold_out": 0.1,
                "arms": {
                    "plain": {},
                    "short": {
                        "placements": {"for_you": {"sources": [{"name": "taste", "weight": 1}]}}
                    },
                },
            }
        },
        "exploration": {"for_you": {"temperature": 1}},
    },
    {
        "experiments": {
            "e2": {
                "placements": ["discover"],
                "arms": {"a": {"bundle": "older"}, "b": {"bundle": "now"}},
            }
        }
    },
    {
        "filters": {"cheap": {"sql": "price < :most"}},
        "rules": {
            "for_you": {
                "no-tea-here": {"kind": "exclude", "filter": "price > 55"},
                "coffee": {"kind": "boost", "factor": 3, "filter": "title LIKE 'Coffee%'"},
                "mix": {"kind": "at-most", "count": 2, "column": "brand"},
            },
            "popular": {
                "first": {"kind": "pin", "item_id": "item-10", "position": 2},
                "fresh": {"kind": "hide-bought", "days": 30, "unless": {"filter": "caffeine"}},
                "paid": {"kind": "margin", "least_share": 0.1, "strict": False},
            },
            "discover": {
                "half": {
                    "kind": "at-least",
                    "share": 0.5,
                    "filter_name": "cheap",
                    "parameters": {"most": 20},
                },
                "band": {"kind": "price-band"},
            },
        },
        "exploration": {"popular": {"temperature": 2}},
    },
)


@dataclass(eq=False)
class ChangingShop:
    """One shop with its store, a bundle, an older bundle, and what is deployed."""

    store: Store
    root: Path
    random: np.random.Generator
    now: int = NOW
    deployment: Deployment = field(default_factory=Deployment)
    answers: list[Answer] = field(default_factory=list)
    _events: int = 0
    _position: int = 0
    _seen: int = 0
    _deployed: int = 0

    def __post_init__(self) -> None:
        """Begins with the log that the bundle was fitted on."""
        rows = shop_events().iter_rows(named=True)
        self.store.append(
            [
                LogEvent(
                    row["event_id"],
                    row["customer_id"],
                    None,
                    row["basket_id"],
                    row["item_id"],
                    None,
                    row["event_type"],
                    int(row["event_time"].timestamp() * 1e6),
                )
                for row in rows
            ]
        )
        self._position = self.store.last_position
        self._follower = CatalogueFollower(self.load(self.root / "now"))
        self._older = CatalogueFollower(self.load(self.root / "older"))

    def load(self, path: Path) -> Recommender:
        """Loads a bundle of this shop's log by its made-up name: `now`, or `older`."""
        version = (self.root / "current").read_text().strip()
        loaded = load_recommender(self.root / version)
        position = self._position if path.name == "now" else self._position // 2
        return replace(
            loaded,
            bundle_version=path.name,
            log_position=LogPosition(self.store.id, position),
        )

    def customer(self) -> str:
        """Somebody known, new, or who has not logged in."""
        kinds = (
            f"customer-{self.random.integers(0, 60):02}",
            f"new-{self.random.integers(0, 5)}",
            visitor_key(f"v{self.random.integers(0, 8)}"),
        )
        return kinds[self.random.choice(3, p=[0.7, 0.1, 0.2])]

    def item(self) -> str:
        """An item of the bundle, or one that came later."""
        if self.random.random() < 0.1:
            return f"new-{self.random.integers(0, 9)}"
        return f"item-{self.random.integers(0, 48):02}"

    def turn(self) -> None:
        """Lets something happen."""
        self.now += int(self.random.integers(1, 600))
        happens = (self.act, self.act, self.restock, self.add, self.link, self.deploy, self.wish)
        happens[self.random.integers(0, len(happens))]()

    def act(self) -> None:
        """Somebody looks, buys or gives back, perhaps told late."""
        kinds = ("view", "purchase", "add-to-cart", "return", "search")
        batch = []
        for _ in range(self.random.integers(1, 5)):
            self._events += 1
            late = self.random.random() < 0.3
            when = self.now - int(self.random.integers(0, 60 * 24 * HOUR if late else 60))
            kind = kinds[self.random.integers(0, len(kinds))]
            item = None if kind == "search" else self.item()
            batch.append(
                LogEvent(
                    f"live-{self._events}",
                    self.customer(),
                    None,
                    None,
                    item,
                    None,
                    kind,
                    when * 10**6,
                )
            )
        self.store.append(batch)

    def restock(self) -> None:
        """Items are sold out, come back, cost something else, or go."""
        for _ in range(2):
            item = f"item-{self.random.integers(0, 48):02}"
            if self.random.random() < 0.15:
                self.store.remove_items([item], bundled=[item])
                continue
            columns = {
                "price": float(self.random.integers(1, 60)),
                "available": bool(self.random.random() < 0.7),
            }
            if not self._removed(item):
                changed = [ItemColumns(item, columns)]
                self.store.upsert_items(changed, replaces=False, bundled=[item])

    def _removed(self, item: str) -> bool:
        return any(row.item_id == item and row.removed for row in self.store.changed_items())

    def add(self) -> None:
        """A new item, or an old new one with other words."""
        number = self.random.integers(0, 9)
        columns = {
            "title": f"{'Tea' if self.random.random() < 0.5 else 'Coffee'} no. {number}",
            "category": ["Drinks", "Tea" if number % 2 else "Coffee"],
            "price": float(number),
            "available": True,
        }
        self.store.upsert_items([ItemColumns(f"new-{number}", columns)], replaces=True)

    def link(self) -> None:
        """A visitor logs in, once."""
        visitor = f"v{self.random.integers(0, 8)}"
        known = {link.visitor_id for link in self.store.links()}
        if visitor not in known:
            self.store.link_visitor(visitor, f"customer-{self.random.integers(0, 60):02}")

    def deploy(self) -> None:
        """The deployment file says something else."""
        self._deployed = (self._deployed + 1) % len(DEPLOYMENTS)
        self.deployment = Deployment.model_validate(DEPLOYMENTS[self._deployed])

    def wish(self) -> None:
        """Somebody refuses lists of the own, or is forgotten."""
        name = f"customer-{self.random.integers(0, 60):02}"
        if self.random.random() < 0.3:
            self.store.writer.write("erase_customer", {"customer_id": name})
            gone = {each.request_id for each in self.answers if each.query.customer_id == name}
            self.answers = [each for each in self.answers if each.request_id not in gone]
            return
        consent = Consent(recommend_on_site=bool(self.random.random() < 0.3))
        named = {"customer_id": name, "consent": list(consent)}
        self.store.writer.write("set_consent", named)

    def snapshot(self) -> Snapshot:
        """What a server would answer from."""
        rows = self.store.changed_items(self._seen)
        if rows:
            self._seen = max(row.change_number for row in rows)
        seek = self.random.random() < 0.9
        now, older = (each.follow(rows, seek=seek) for each in (self._follower, self._older))
        with self.store.read() as session:
            laid = tombstones.newer(session, 0)
        return Snapshot(
            now,
            arrange(self.deployment, now, {"older": older, "now": now}),
            Tombstones(self.store.secret).with_newer(laid),
        )

    def query(self) -> Query:
        """Any question."""
        context = tuple(ItemId(self.item()) for _ in range(self.random.integers(0, 3)))
        events = tuple(
            RecentEvent(ItemId(self.item()), EventType.VIEW, self.now - 5)
            for _ in range(self.random.integers(0, 3))
        )
        named = "cheap" in self.deployment.filters and self.random.random() < 0.3
        return Query(
            PLACEMENTS[self.random.integers(0, len(PLACEMENTS))],
            self.now,
            CustomerId(self.customer()) if self.random.random() < 0.9 else None,
            limit=int(self.random.integers(1, 15)),
            context_item_ids=context,
            events=events,
            filter=FILTERS[self.random.integers(0, len(FILTERS))],
            exclude_item_ids=(ItemId(self.item()),) if self.random.random() < 0.2 else (),
            market="de" if self.random.random() < 0.1 else None,
            filter_name="cheap" if named else "",
            filter_parameters=to_parameters({"most": 30.5}) if named else (),
            tuning=Tuning(diversity=0.5) if self.random.random() < 0.1 else UNTUNED,
        )

    def ask(self, count: int) -> None:
        """Asks questions and logs the answers; now and then the store cannot be read."""
        reader = self.store if self.random.random() < 0.95 else None
        state = LiveState(reader, Patience(time.monotonic))
        snapshot = self.snapshot()
        answers = answer_all(
            snapshot, [self.query() for _ in range(count)], time.time(), state=state
        )
        if reader is None:
            answers = [replace(each, live_state_missing=True) for each in answers]
        self.store.log_impressions(
            [to_impression(each) for each in answers],
            experiments=[each.experiment for each in answers if each.experiment],
            deployments=[snapshot.deployment],
        )
        self.answers += answers
