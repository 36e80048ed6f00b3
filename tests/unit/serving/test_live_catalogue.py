"""The catalogue that follows the store, look by look."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from recsys.errors import StoreUnavailableError
from recsys.pipeline.catalogue_follower import AT_ONCE
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.store.catalogue import ItemColumns, ItemRow
from recsys.store.store import Store
from recsys.store.tables.catalogue import COUNTER
from serving.logs import CATALOGUE_LOST
from serving.state.live_catalogue import UNUSED_LOOKS, LiveCatalogue
from tests.small_shop import END

NOW = int(END.timestamp())


class MemoryStore(Store):
    """What a live catalogue asks of a store, in memory; `away` makes it fail."""

    def __init__(self) -> None:
        self.away = False
        self.read = 0
        self._rows: dict[str, ItemRow] = {}

    def upsert(self, *ids: str, price: float = 1.0) -> None:
        number = self._number() + 1
        for item_id in ids:
            content = f'{{"price":{price},"title":"Tea","brand":"brand-1"}}'
            self._rows[item_id] = ItemRow(
                item_id, replaces=True, removed=False, content=content, change_number=number
            )

    def versions(self) -> dict[str, int]:
        if self.away:
            raise StoreUnavailableError("the store is away")
        return {COUNTER: self._number()} if self._rows else {}

    def changed_items(self, after: int = 0) -> list[ItemRow]:
        if self.away:
            raise StoreUnavailableError("the store is away")
        found = [row for row in self._rows.values() if row.change_number > after]
        self.read += len(found)
        return sorted(found, key=lambda row: row.change_number)

    def _number(self) -> int:
        return max((row.change_number for row in self._rows.values()), default=0)


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


def price_of(recommender: Recommender, item_id: str) -> object:
    [num] = recommender.catalogue.present([item_id]).tolist()
    return recommender.catalogue.frame["price"][num]


def test_nothing_changed_is_the_very_same(memory: MemoryStore, recommender: Recommender) -> None:
    for catalogue in (LiveCatalogue(None), LiveCatalogue(memory)):
        catalogue.look()
        held = {"arm": recommender}
        assert catalogue.over(recommender) is recommender
        assert catalogue.over_all(held) is held


def test_only_what_changed_is_read(memory: MemoryStore, recommender: Recommender) -> None:
    catalogue = LiveCatalogue(memory)
    memory.upsert("item-01", "item-02")
    catalogue.look()
    first = catalogue.over(recommender)
    assert first is not recommender
    assert first.laid_over is recommender
    assert price_of(first, "item-01") == 1.0
    catalogue.look()
    assert catalogue.over(recommender) is first
    assert catalogue.over(first) is first, "what was laid is known by its bundle"
    memory.upsert("item-01", price=3.0)
    catalogue.look()
    second = catalogue.over(first)
    assert (price_of(second, "item-01"), price_of(second, "item-02")) == (3.0, 1.0)
    assert price_of(first, "item-01") == 1.0, "requests in work see what they began with"
    assert memory.read == 3


def test_every_bundle_follows(memory: MemoryStore, recommender: Recommender) -> None:
    catalogue, other = LiveCatalogue(memory), replace(recommender, bundle_version="other")
    held = {"one": recommender, "other": other}
    memory.upsert("new")
    catalogue.look()
    first = catalogue.over_all(held)
    assert [each.laid_over for each in first.values()] == [recommender, other]
    catalogue.look()
    assert catalogue.over_all(held) is first
    assert catalogue.over_all(first) is first
    memory.upsert("item-01")
    catalogue.look()
    second = catalogue.over_all(first)
    assert all(second[name] is not first[name] for name in held)
    assert all(price_of(each, "item-01") == 1.0 for each in second.values())


def test_a_store_out_of_reach_leaves_all_as_it_was(
    memory: MemoryStore, recommender: Recommender
) -> None:
    catalogue = LiveCatalogue(memory)
    memory.upsert("item-01")
    catalogue.look()
    before = catalogue.over(recommender)
    memory.upsert("item-01", price=9.0)
    with structlog.testing.capture_logs() as lines:
        memory.away = True
        for _ in range(3):
            catalogue.look()
            assert catalogue.over(recommender) is before
        memory.away = False
        catalogue.look()
        assert price_of(catalogue.over(recommender), "item-01") == 9.0
        memory.away = True
        memory.upsert("item-01", price=8.0)
        catalogue.look()
    assert [line["event"] for line in lines].count(CATALOGUE_LOST) == 2, "once for each time"


def test_a_loaded_bundle_is_ready(memory: MemoryStore, recommender: Recommender) -> None:
    catalogue = LiveCatalogue(memory)
    load = catalogue.following(lambda _: recommender)
    many = [f"new-{number:03}" for number in range(AT_ONCE + 5)]
    memory.upsert(*many)
    assert load(Path("bundle")) is recommender
    read = memory.read
    catalogue.look()
    now = catalogue.over(recommender)
    assert memory.read == read, "it was read while it was loaded"
    assert now.new_items is not None
    assert (now.new_items.named >= 0).all(), "all that is like something is known"
    [answer] = now.recommend([Query("popular", NOW, filter="price = 1", limit=500)])
    assert len(answer.items) == len(many)


def test_a_load_does_not_need_the_store(memory: MemoryStore, recommender: Recommender) -> None:
    catalogue = LiveCatalogue(memory)
    memory.upsert("item-01")
    memory.away = True
    assert catalogue.following(lambda _: recommender)(Path("bundle")) is recommender
    memory.away = False
    catalogue.look()
    assert price_of(catalogue.over(recommender), "item-01") == 1.0


def test_new_items_come_in_steps(memory: MemoryStore, recommender: Recommender) -> None:
    catalogue = LiveCatalogue(memory)
    memory.upsert(*(f"new-{number:03}" for number in range(2 * AT_ONCE + 1)))
    known = []
    catalogue.look()
    new = catalogue.over(recommender).new_items
    assert new is not None
    assert (new.named < 0).all(), "what they are like is sought aside"
    catalogue.look()
    catalogue.over(recommender)
    for thread in threading.enumerate():
        if thread.name == "likeness":
            thread.join()
    for _ in range(4):
        catalogue.look()
        new = catalogue.over(recommender).new_items
        assert new is not None
        known.append(int((new.named >= 0).sum()))
    assert known == [AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE + 1, 2 * AT_ONCE + 1]


def test_bundles_that_answer_no_more_are_forgotten(
    memory: MemoryStore, recommender: Recommender
) -> None:
    catalogue = LiveCatalogue(memory)
    memory.upsert("item-01")
    others = [replace(recommender, bundle_version=str(number)) for number in range(5)]
    for each in others:
        catalogue.look()
        catalogue.over(each)
    for _ in range(2):
        catalogue.look()
        catalogue.over(others[-1])
    assert list(catalogue._followed) == [others[-1]]
    catalogue.following(lambda _: recommender)(Path("bundle"))
    for _ in range(UNUSED_LOOKS + 2):
        assert len(catalogue._followed) <= 2
        catalogue.look()
        catalogue.over(others[-1])
    assert list(catalogue._followed) == [others[-1]], "one that never answered goes, too"


def test_a_real_store(store: Store, recommender: Recommender) -> None:
    catalogue = LiveCatalogue(store)
    catalogue.look()
    assert catalogue.over(recommender) is recommender
    store.upsert_items(
        [ItemColumns("item-01", {"price": 7.0})], replaces=False, bundled=["item-01"]
    )
    catalogue.look()
    assert price_of(catalogue.over(recommender), "item-01") == 7.0
