"""Who refuses what, as a server knows it when the store is away."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from recsys.errors import StoreUnavailableError
from recsys.store.consent import NO_REFUSALS, Consent
from recsys.store.customers import Customers
from recsys.store.database import Session
from recsys.store.store import Store
from serving.state.refusals import REST_S, RefusalFollower


def test_a_server_without_a_store_knows_of_none() -> None:
    assert RefusalFollower(None, lambda: 0.0).look() is NO_REFUSALS


def test_it_reads_again_when_somebody_said_something_and_rests_between(store: Store) -> None:
    now = [0.0]
    follower, customers = RefusalFollower(store, lambda: now[0]), Customers(store)
    assert follower.look() is NO_REFUSALS
    customers.set_consent("anna", Consent(use_in_email=False))
    first = follower.look()
    assert first.refuses("anna", "use_in_email")
    assert not first.refuses("anna", "recommend_on_site")
    assert not first.refuses("ben", "use_in_email")
    customers.set_consent("anna", Consent())
    assert follower.look() is first
    now[0] = REST_S
    second = follower.look()
    assert not second.refuses("anna", "use_in_email")
    assert follower.look() is second


def test_a_store_that_is_away_leaves_what_is_known(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def gone(_: object) -> Iterator[Session]:
        raise StoreUnavailableError("gone")
        yield

    now = [0.0]
    follower = RefusalFollower(store, lambda: now[0])
    Customers(store).set_consent("anna", Consent(recommend_on_site=False))
    known = follower.look()
    now[0] = REST_S
    monkeypatch.setattr(Store, "read", gone)
    assert follower.look() is known
    assert known.refuses("anna", "recommend_on_site")
