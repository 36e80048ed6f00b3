"""Everything on a customer is shown, and after an erasure none of it is anywhere."""

import io
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from recsys.errors import ConfigError, DataError, VisitorTakenError
from recsys.store.archives import Archives
from recsys.store.archiving import archive
from recsys.store.consent import Consent
from recsys.store.customers import Customers
from recsys.store.impressions import Impression
from recsys.store.store import Store
from recsys.types import visitor_key
from tests.stores import NOON, log_event

DAY = 86_400_000_000
ANNA = "anna-8d1f3c"
VISITOR = "visit-77ab01"


@pytest.fixture
def shop(store: Store) -> Store:
    """A customer in every place, with a visitor, among others."""
    key = visitor_key(VISITOR)
    store.append([log_event("a1", ANNA), log_event("v1", key), log_event("b1", "ben")])
    later = NOON + 3 * DAY
    store.append(
        [
            log_event("a2", ANNA, event_time=later)._replace(properties='{"page": 2}'),
            log_event("v2", key, event_time=later),
            log_event("b2", "ben", event_time=later),
        ]
    )
    archive(Archives(store), before=NOON + 2 * DAY, up_to=6)
    store.link_visitor(VISITOR, ANNA)
    store.log_impressions([shown("1", ANNA), shown("2", key), shown("3", "ben"), shown("4", None)])
    Customers(store).set_consent(ANNA, Consent(use_in_email=False))
    Customers(store).set_consent("ben", Consent(use_in_training=False))
    return store


def shown(number: str, customer_id: str | None) -> Impression:
    request_id = number.zfill(32)
    rest = ("home", "b", "", "", "", ["tea"], [0.5], ["als"], None, None, {"limit": 10})
    return Impression(request_id, NOON, customer_id, *rest)


def everything(store: Store) -> bytes:
    """All bytes of the store's files, archives as rows too, and all rows of all tables."""
    found = io.BytesIO()
    for file in sorted(store.archives.rglob("*")) if store.archives else []:
        if file.is_file():
            found.write(file.read_bytes())
        if file.suffix == ".parquet":
            found.write(pl.read_parquet(file, hive_partitioning=False).write_csv().encode())
    with store.read() as session:
        for table in ("events", "visitors", "impressions", "consents", "meta", "archive_files"):
            found.write(repr(session.rows(f"SELECT * FROM {table}")).encode())  # noqa: S608
    database = getattr(store.database, "_file", None)
    for file in database.parent.iterdir() if isinstance(database, Path) else []:
        found.write(file.read_bytes() if file.is_file() else b"")
    return found.getvalue()


def test_an_export_has_everything(shop: Store) -> None:
    records = list(Customers(shop).records(ANNA))
    assert Counter(kind for kind, _ in records) == {
        "event": 2,
        "archived-event": 2,
        "visitor": 1,
        "impression": 2,
        "consent": 1,
    }
    events = [record for kind, record in records if kind == "event"]
    assert events[0]["event_time"] == "2024-01-04T12:00:00+00:00"
    assert events[0]["properties"] == {"page": 2}
    assert {record["event_id"] for kind, record in records if kind == "archived-event"} == {
        "a1",
        "v1",
    }
    [consent] = [record for kind, record in records if kind == "consent"]
    assert (consent["recommend_on_site"], consent["use_in_email"]) == (True, False)
    [first, _] = [record for kind, record in records if kind == "impression"]
    assert (first["item_ids"], first["query"]) == (["tea"], {"limit": 10})
    assert first["request_id"] == "1".zfill(32)
    assert list(Customers(shop).records("nobody")) == []


def test_nothing_is_left_of_a_customer_and_all_of_the_others(shop: Store) -> None:
    customers = Customers(shop)
    others = list(customers.records("ben"))
    assert ANNA.encode() in everything(shop)
    found = customers.find(ANNA)
    assert found.tombstone is None
    done = customers.erase(ANNA)
    assert done.counts == found.counts
    assert done.counts == {
        "events": 2,
        "archives": 2,
        "impressions": 2,
        "visitors": 1,
        "consent": 1,
        "contacts": 0,
    }
    assert done.customer_ids == [ANNA, visitor_key(VISITOR)]
    left = everything(shop)
    assert ANNA.encode() not in left
    assert VISITOR.encode() not in left
    after = customers.find(ANNA)
    assert after.tombstone is not None
    assert after.tombstone.erase_time == done.erase_time
    assert not any(after.counts.values())
    assert list(customers.records(ANNA)) == []
    assert list(customers.records("ben")) == others
    assert customers.consent(ANNA) == (Consent(), None)
    assert customers.erase(ANNA).counts == dict.fromkeys(done.counts, 0)


def test_what_was_archived_or_shown_before_does_not_come_back(shop: Store) -> None:
    Customers(shop).erase(ANNA)
    key = visitor_key(VISITOR)
    old = [log_event("a1", ANNA), log_event("v1", key), log_event("b1", "ben")]
    assert shop.append(old)[:3] == (0, 1, 2)
    assert shop.log_impressions([shown("1", ANNA), shown("5", key), shown("6", None)]) == 1


def test_who_comes_back_is_somebody_new(shop: Store) -> None:
    customers = Customers(shop)
    customers.erase(ANNA)
    shop.append([log_event("new", ANNA, event_time=NOON + 30 * 365 * DAY)])
    customers.set_consent(ANNA, Consent())
    assert not any(customers.find(ANNA).counts.values())
    assert {kind for kind, _ in customers.records(ANNA)} == {"event", "consent"}


def test_a_visitor_who_logs_in_after_the_erasure_leaves_nothing_of_before(shop: Store) -> None:
    customers, late = Customers(shop), visitor_key("visit-late-9")
    customers.erase(ANNA)
    position, coming = shop.last_position, NOON + 30 * 365 * DAY
    shop.append([log_event("w1", late), log_event("w2", late, event_time=coming)])
    shop.log_impressions([shown("7", late)])
    archive(Archives(shop), before=coming + 2 * DAY, up_to=position + 2)
    shop.append([log_event("w3", late)])
    link = customers.link_visitor("visit-late-9", ANNA)
    assert link.linked_now
    assert not any(customers.find(ANNA).counts.values())
    assert Archives(shop).events_of([late])["event_id"].to_list() == ["w2"]
    assert shop.append([log_event("w1", late), log_event("w2", late, event_time=coming)])[:3] == (
        0,
        1,
        1,
    )
    assert customers.erase(ANNA).counts["archives"] == 1
    assert b"visit-late-9" not in everything(shop)


def test_a_link_that_was_broken_off_can_be_repeated(
    shop: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise PermissionError("read-only disk")

    customers, late = Customers(shop), visitor_key("visit-late-9")
    customers.erase(ANNA)
    position = shop.last_position
    shop.append([log_event("w1", late), log_event("b3", "ben")])
    archive(Archives(shop), before=NOON + 2 * DAY, up_to=position + 2)
    with monkeypatch.context() as patch:
        patch.setattr("recsys.store.archives.write_file", broken)
        with pytest.raises(PermissionError, match="read-only"):
            customers.link_visitor("visit-late-9", ANNA)
    assert customers.find(ANNA).counts["archives"] == 1
    customers.link_visitor("visit-late-9", ANNA)
    assert not any(customers.find(ANNA).counts.values())


def test_a_visitor_of_a_customer_who_was_never_erased_brings_all(shop: Store) -> None:
    archived = Archives(shop).files()
    position = shop.last_position
    shop.append([log_event("w1", visitor_key("v9"))])
    archive(Archives(shop), before=NOON + 2 * DAY, up_to=position + 1)
    Customers(shop).link_visitor("v9", "ben")
    assert Customers(shop).find("ben").counts["archives"] == 2
    assert len(Archives(shop).files()) == len(archived) + 1


def test_an_erasure_that_was_broken_off_can_be_repeated(
    shop: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise PermissionError("read-only disk")

    customers = Customers(shop)
    with monkeypatch.context() as patch:
        patch.setattr("recsys.store.archives.write_file", broken)
        with pytest.raises(PermissionError, match="read-only"):
            customers.erase(ANNA)
    assert customers.find(ANNA).counts["archives"] == 2
    assert customers.erase(ANNA).counts["archives"] == 2
    assert VISITOR.encode() not in everything(shop)


def test_rubbish_of_archives_goes_too(shop: Store) -> None:
    assert shop.archives is not None
    rubbish = shop.archives / "date=2024-01-01" / "000000000001-000000000003-dead.parquet"
    rubbish.write_text(f"what a killed command left of {ANNA}")
    Customers(shop).erase(ANNA)
    assert not rubbish.exists()


def test_archives_that_cannot_be_searched_stop_an_erasure(shop: Store) -> None:
    assert shop.archives is not None
    with pytest.raises(ConfigError, match="archives"):
        Customers(Store(shop.database, shop.writer)).erase(ANNA)
    for file in shop.archives.glob("*/*.parquet"):
        file.unlink()
    with pytest.raises(DataError, match="missing"):
        Customers(shop).erase(ANNA)


def test_a_visitor_is_shown_alone_but_not_from_under_a_customer(shop: Store) -> None:
    customers = Customers(shop)
    shop.append([log_event("w", visitor_key("v9"))])
    assert [kind for kind, _ in customers.records(visitor_key("v9"))] == ["event"]
    for look in (customers.find, customers.erase, lambda name: list(customers.records(name))):
        with pytest.raises(VisitorTakenError):
            look(visitor_key(VISITOR))
