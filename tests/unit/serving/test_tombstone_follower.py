"""Who was erased, as a server hears of it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from recsys.errors import StoreUnavailableError
from recsys.store.customers import Customers
from recsys.store.database import Session
from recsys.store.store import Store
from recsys.store.tombstones import NOBODY
from serving.state.tombstones import TombstoneFollower
from tests.stores import log_event


def test_a_server_without_a_store_knows_of_nobody() -> None:
    assert TombstoneFollower(None).look() is NOBODY
    assert not NOBODY.hides("anna", 0)


def test_it_hears_of_each_erasure_and_is_the_same_until_then(store: Store) -> None:
    store.append([log_event("a"), log_event("b", "ben")])
    follower = TombstoneFollower(store)
    first = follower.look()
    assert follower.look() is first
    assert not first.hides("anna", 2)
    Customers(store).erase("anna")
    second = follower.look()
    assert second.hides("anna", 2)
    assert not second.hides("ben", 2)
    Customers(store).erase("ben")
    Customers(store).erase("anna")
    third = follower.look()
    assert len(third) == 2
    assert third.hides("ben", 2)
    assert not second.hides("ben", 2)
    assert follower.look() is third


def test_a_store_that_cannot_be_read_leaves_what_is_known(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def gone(_: object) -> Iterator[Session]:
        raise StoreUnavailableError("gone")
        yield

    Customers(store).erase("anna")
    follower = TombstoneFollower(store)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "read", gone)
        assert follower.look().hides("ben", 7), "nobody can tell who was erased"
    assert not follower.look().hides("ben", 7)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "read", gone)
        assert follower.look().hides("anna", 0)
        assert not follower.look().hides("ben", 0)
