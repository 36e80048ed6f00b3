"""What is left of a customer after an erasure: nothing, in every driver."""

import pytest

from recsys.errors import VisitorTakenError
from recsys.store.choosing import Candidate, Choosing
from recsys.store.consent import Consent
from recsys.store.impressions import Impression
from recsys.store.offers import Offers
from recsys.store.places import CONTACTS, IMPRESSIONS, PLACES
from recsys.store.store import Store
from recsys.store.tables import consents, tombstones
from recsys.store.tombstones import Tombstones
from recsys.types import visitor_key
from tests.shown import impression
from tests.stores import NOON, log_event

DAY = 86_400_000_000
WITHOUT_CUSTOMERS = {
    "archive_files",
    "catalogue",
    "catalogue_history",
    "counters",
    "deployments",
    "event_keys",
    "experiments",
    "impression_losses",
    "meta",
    "offers",
    "plans",
    "tombstones",
}
"""Tables that know no customer, or only by a hash."""


def erase(store: Store, customer_id: str) -> dict[str, int]:
    _, counts, _ = store.writer.write("erase_customer", {"customer_id": customer_id})
    return dict(counts)


def stones(store: Store) -> Tombstones:
    with store.read() as session:
        return Tombstones(store.secret).with_newer(tombstones.newer(session, 0))


def columns(store: Store) -> dict[str, set[str]]:
    """The schema, by asking the database."""
    with store.read() as session:
        try:
            rows = session.rows(
                "SELECT m.name, p.name FROM sqlite_schema m, pragma_table_info(m.name) p "
                "WHERE m.type = 'table'"
            )
        except Exception:  # noqa: BLE001  not SQLite
            rows = []
    if not rows:
        with store.read() as session:
            rows = session.rows(
                "SELECT table_name::text, column_name::text FROM information_schema.columns "
                "WHERE table_schema = 'public'"
            )
    found: dict[str, set[str]] = {}
    for table, column in rows:
        found.setdefault(table, set()).add(column)
    return found


def shown(time: int, customer_id: str) -> Impression:
    return impression(f"{customer_id} {time}", customer_id, "tea")._replace(answer_time=time)


def give_offers(store: Store, customer_id: str, time: int) -> None:
    """Gives an offer, and one that is held out."""
    offers = Offers(store)
    offers.upsert([("tea", "{}", None, None)])
    for held_out, channel in ((False, "email"), (True, "onsite")):
        candidate = Candidate("tea", 0, 0, 0, 0, held_out=held_out)
        name = f"{customer_id} {time} {channel}"
        offers.give(Choosing(name, customer_id, channel, time, "use_in_email", (), [candidate]))


def times_of(store: Store, customer_id: str) -> dict[str, list[int]]:
    """When a customer, or a visitor by the key, was shown a list and chosen for an offer."""
    with store.read() as session:
        return {
            place.table: [
                row[0]
                for row in session.rows(
                    f"SELECT {place.time} FROM {place.table} "  # noqa: S608  our own names
                    "WHERE customer_id = ? ORDER BY 1",
                    (customer_id,),
                )
            ]
            for place in (IMPRESSIONS, CONTACTS)
        }


def test_every_table_is_a_place_or_knows_no_customer(store: Store) -> None:
    found = columns(store)
    assert {place.table: set(place.columns) for place in PLACES} == {
        table: names for table, names in found.items() if table not in WITHOUT_CUSTOMERS
    }
    for table in WITHOUT_CUSTOMERS:
        assert not [name for name in found[table] if "customer" in name or "visitor" in name]


def test_an_erasure_takes_the_customer_and_the_visitors_and_nobody_else(store: Store) -> None:
    store.append([log_event("a"), log_event("b", visitor_key("v1")), log_event("c", "ben")])
    store.link_visitor("v1", "anna")
    store.writer.write("set_consent", {"customer_id": "anna", "consent": [True, False, True]})
    found = {"events": 2, "impressions": 0, "visitors": 1, "consent": 1, "contacts": 0}
    assert erase(store, "anna") == found
    assert [row[1] for row in store.rows(0, 9, 9)] == ["c"]
    assert store.tail("anna", 0).events == ()
    assert store.tail(visitor_key("v1"), 0).customer_id == visitor_key("v1")
    assert erase(store, "anna") == dict.fromkeys(found, 0)


def test_old_events_do_not_come_back_and_new_ones_do(store: Store) -> None:
    old = [log_event("a"), log_event("b", visitor_key("v1"))]
    store.append([*old, log_event("c", "ben")])
    store.link_visitor("v1", "anna")
    erase(store, "anna")
    again = store.append([*old, log_event("d"), log_event("c", "ben"), log_event("e", "ben")])
    assert again == (1, 1, 3, 4, 0)
    new = NOON + 30 * 365 * DAY
    assert store.append([log_event("a", event_time=new)]).stored == 1
    assert store.append([log_event("f", visitor_key("v1"), event_time=new)]).stored == 1


def test_events_of_a_clock_that_is_ahead_do_not_come_back(store: Store) -> None:
    ahead = NOON + 200 * 365 * DAY
    store.append([log_event("a", event_time=ahead)])
    erase(store, "anna")
    assert store.append([log_event("a", event_time=ahead)]).erased == 1
    assert store.append([log_event("b", event_time=ahead + 1)]).stored == 1
    erase(store, "anna")
    erase(store, "anna")
    assert store.append([log_event("b", event_time=ahead + 1)]).erased == 1


def test_a_visitor_who_logs_in_after_the_erasure_brings_no_old_events(store: Store) -> None:
    new = NOON + 30 * 365 * DAY
    v1 = visitor_key("v1")
    store.append([log_event("a"), log_event("b", v1), log_event("c", v1, event_time=new)])
    erase(store, "anna")
    store.link_visitor("v1", "anna")
    assert [row[1] for row in store.rows(0, 9, 9)] == ["c"]
    assert store.append([log_event("b", v1)]).erased == 1


def test_a_visitor_who_logs_in_after_the_erasure_leaves_all_that_was_before(store: Store) -> None:
    """Lists, contacts with offers and held-out ones too; what came later is the customer's."""
    new, v1 = NOON + 30 * 365 * DAY, visitor_key("v1")
    erase(store, "anna")
    for name in (v1, "ben"):
        for time in (NOON, new):
            store.log_impressions([shown(time, name)])
            give_offers(store, name, time)
    everything = {"impressions": [NOON, new], "contacts": [NOON, NOON, new, new]}
    assert times_of(store, v1) == times_of(store, "ben") == everything
    store.link_visitor("v1", "anna")
    assert times_of(store, v1) == {"impressions": [new], "contacts": [new, new]}
    assert times_of(store, "ben") == everything


def test_a_link_takes_nothing_back_of_what_was_erased_of_the_visitor(store: Store) -> None:
    v1 = visitor_key("v1")
    erase(store, "anna")
    stored = log_event("a", v1, event_time=NOON + 200 * 365 * DAY)  # after anna's erasure
    store.append([stored])
    erase(store, v1)
    store.link_visitor("v1", "anna")
    assert store.append([stored]).erased == 1


def test_a_visitor_is_erased_alone_but_not_from_under_a_customer(store: Store) -> None:
    store.append([log_event("a", visitor_key("v1")), log_event("b", visitor_key("v2"))])
    store.link_visitor("v2", "anna")
    assert erase(store, visitor_key("v1"))["events"] == 1
    with pytest.raises(VisitorTakenError):
        erase(store, visitor_key("v2"))
    assert [row[1] for row in store.rows(0, 9, 9)] == ["b"]


def test_tombstones_hide_what_older_bundles_hold(store: Store) -> None:
    store.append([log_event("a"), log_event("b", "ben")])
    store.link_visitor("v1", "anna")
    assert not stones(store).hides("anna", 0)
    erase(store, "anna")
    laid = stones(store)
    assert len(laid) == 2
    assert laid.sequence == store.versions()["tombstones"] == 2
    for known_as in ("anna", visitor_key("v1")):
        assert [laid.hides(known_as, position) for position in (0, 2, 3)] == [True, True, False]
    assert not laid.hides("ben", 0)
    assert all(b"anna" not in stone.id_hash for stone in laid.by_hash.values())


def test_a_consent_is_read_with_the_tail(store: Store) -> None:
    store.append([log_event("a"), log_event("b", visitor_key("v1"))])
    store.link_visitor("v1", "anna")
    assert store.tail("anna", 0).consent == Consent()
    for consent in (Consent(recommend_on_site=False), Consent(use_in_training=False), Consent()):
        store.writer.write("set_consent", {"customer_id": "anna", "consent": consent})
        assert store.tail("anna", 0).consent == consent
        assert store.tail(visitor_key("v1"), 5).consent == consent
        with store.read() as session:
            assert consents.read(session, "anna").consent == consent
            refused = consents.refusing_training(session)
        assert refused == ([] if consent.use_in_training else ["anna"])
