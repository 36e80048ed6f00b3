"""One shop twice, with items of other names: a list that mixes two bundles is seen at once."""

import threading
from collections import Counter
from dataclasses import dataclass, field

import grpc
import polars as pl

from recsys.data.dataset import Dataset
from recsys.v1 import recommendation_service_pb2 as pb
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceStub

NAMES = ("left", "right")


def renamed(shop: Dataset, name: str) -> Dataset:
    """Returns the shop with a name before the id and the title of every item."""
    item_id, title = pl.col("item_id"), pl.col("title").fill_null("")
    before = pl.lit(f"{name}/")
    events = shop.events.with_columns(item_id=before + item_id)
    items = shop.items.with_columns(item_id=before + item_id, title=before + title)
    return Dataset(events, items, shop.customers, f"{shop.digest}-{name}")


@dataclass
class Load:
    """Callers that ask without a pause, and what they were told."""

    target: str
    named: dict[str, str]
    """Bundle version -> name of its shop."""
    customers: tuple[str, ...]
    placements: tuple[str, ...] = ("for_you", "popular", "discover")
    answered: Counter[str] = field(default_factory=Counter)
    """By bundle version."""
    failed: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    """Lists with an item, or with details of one, of another bundle."""
    over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, threads: int) -> None:
        self._threads = [threading.Thread(target=self._call, args=(n,)) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()

    def _call(self, number: int) -> None:
        with grpc.insecure_channel(self.target) as channel:
            stub = RecommendationServiceStub(channel)
            while not self.over.is_set():
                number += 1
                request = pb.RecommendRequest(
                    placement=self.placements[number % len(self.placements)],
                    customer_id=self.customers[number % len(self.customers)],
                    page_size=10,
                    item_fields=["title"],
                )
                try:
                    self._note(stub.Recommend(request, timeout=30))
                except grpc.RpcError as error:
                    with self._lock:
                        self.failed.append(f"{error.code().name}: {error.details()}")

    def _note(self, answer: pb.RecommendResponse) -> None:
        name = f"{self.named[answer.bundle_version]}/"
        whole = all(
            item.item_id.startswith(name) and item.details.title.startswith(name)
            for item in answer.items
        )
        with self._lock:
            self.answered[answer.bundle_version] += 1
            if not answer.items:
                self.failed.append("an empty list")
            elif not whole:
                self.mixed.append(str(answer))
