"""Plans reserve what they need and are resolved once, in every driver."""

import pytest

from recsys.store.choosing import Candidate, Choosing, Outcome
from recsys.store.consent import Consent
from recsys.store.contacts import Contact, ContactState
from recsys.store.customers import Customers
from recsys.store.ledger import ContactUpdate
from recsys.store.offers import Offers
from recsys.store.plans import PlanNote, Plans, Resolution
from recsys.store.store import Store
from recsys.store.tables.plans import contact_id
from recsys.types import visitor_key
from tests.stores import NOON

DAY = 86_400_000_000
PURPOSES = {"email": "use_in_email", "web": "recommend_on_site"}
NOTE = PlanNote("plan-a", NOON, NOON, 0, 0.0, 0.0, finished=False, details="{}")


@pytest.fixture
def offers(store: Store) -> Offers:
    made = Offers(store)
    made.upsert([("tea", "{}", 2, None), ("coffee", "{}", None, 5_000_000), ("milk", "{}", 1, 9)])
    return made


@pytest.fixture
def plans(offers: Offers) -> Plans:
    made = Plans(offers.store)
    made.begin(NOTE)
    return made


def row(number: int, customer: str, offer: str = "tea", **more) -> Contact:
    name = contact_id("plan-a", number)
    return Contact(name, customer, offer, "email", NOON, plan_id="plan-a", cost=1)._replace(**more)


def add(plans: Plans, *rows: Contact, seen: int = 0) -> list[str]:
    return plans.add(rows, seen=seen, purposes=PURPOSES)


def asked(*offer_ids: str, customer: str = "anna", time: int = NOON + DAY) -> Choosing:
    candidates = [Candidate(each, 1, 0, 1, 0, held_out=False) for each in offer_ids]
    return Choosing("", customer, "email", time, "use_in_email", (), candidates)


def resolve(plans: Plans, fault: str = "", *others: str, customer: str = "anna"):
    planned = plans.planned("plan-a", customer, "email")
    return plans.resolve(planned, plans.current(planned), fault, asked(*others, customer=customer))


def test_rows_take_vouchers_and_money_that_live_calls_cannot_have(plans, offers) -> None:
    assert add(plans, row(1, "anna"), row(2, "ben"), row(3, "cleo", "coffee", cost=7)) == []
    assert offers.of(["tea"])["tea"].vouchers_taken == 2
    assert offers.of(["coffee"])["coffee"].spent == 7
    live = offers.give(asked("tea", customer="dora")._replace(contact_id="live"))
    assert live.outcome is Outcome.SPENT


def test_a_repeated_batch_changes_nothing(plans, offers) -> None:
    batch = [row(1, "anna"), row(2, "ben")]
    assert add(plans, *batch) == add(plans, *batch) == []
    assert offers.of(["tea"])["tea"].vouchers_taken == 2
    assert len(plans.rows("plan-a", 0, 9)) == 2


def test_what_live_calls_took_meanwhile_is_not_planned(plans, offers) -> None:
    offers.give(asked("tea", customer="dora")._replace(contact_id="live"))
    seen = plans.ledger_number()
    refused = add(plans, row(1, "anna"), row(2, "ben"), row(3, "cleo", "milk"), seen=seen)
    assert refused == [contact_id("plan-a", 2)]


def test_who_was_contacted_erased_or_refused_meanwhile_is_left_out(plans, store, offers) -> None:
    seen = plans.ledger_number()
    offers.give(asked("coffee", customer="anna", time=NOON)._replace(contact_id="live"))
    store.writer.write("erase_customer", {"customer_id": "ben"})
    Customers(store).set_consent("cleo", Consent(use_in_email=False))
    rows = [row(1, "anna"), row(2, "ben"), row(3, "cleo"), row(4, "dora")]
    assert add(plans, *rows, seen=seen) == [contact_id("plan-a", number) for number in (1, 2, 3)]


def test_who_was_contacted_as_a_visitor_meanwhile_is_left_out(plans, store, offers) -> None:
    for name in ("before", "meanwhile"):
        seen = plans.ledger_number()
        visitor = asked("coffee", customer=visitor_key(name), time=NOON)
        offers.give(visitor._replace(contact_id=name))
    store.link_visitor("before", "anna")
    store.link_visitor("meanwhile", "ben")
    rows = [row(1, "anna"), row(2, "ben"), row(3, "dora")]
    assert add(plans, *rows, seen=seen) == [contact_id("plan-a", 2)]
    assert add(plans, row(4, "anna", "coffee"), seen=seen) == [], "its own rows do not count"


def test_who_is_held_out_takes_nothing(plans, offers) -> None:
    held = [row(n, f"c{n}", held_out=True, cost=0) for n in range(1, 5)]
    assert add(plans, *held) == []
    assert offers.of(["tea"])["tea"].vouchers_taken == 0
    assert resolve(plans, customer="c1")[:2] == (Resolution.NOTHING, "")


def test_a_plan_is_shown_once_it_is_finished(plans) -> None:
    add(plans, row(1, "anna"))
    assert plans.all() == []
    assert plans.find("plan-a") is None
    plans.finish("plan-a", row_count=1, expected_value=2.5, gap=0.01)
    plans.begin(NOTE)
    [note] = plans.all()
    assert note == NOTE._replace(row_count=1, expected_value=2.5, gap=0.01, finished=True)
    assert plans.find("plan-a") == note


def test_rows_go_on_after_any_row(plans) -> None:
    add(plans, *(row(n, f"c{n}", "coffee") for n in range(1, 8)))
    assert [each.row for each in plans.rows("plan-a", 0, 3)] == [1, 2, 3]
    assert [each.row for each in plans.rows("plan-a", 3, 9)] == [4, 5, 6, 7]
    assert plans.rows("plan-a", 7, 9) == []
    assert plans.rows("plan-b", 0, 9) == []


def test_an_offer_is_kept_as_long_as_it_may_be_given(plans, offers) -> None:
    add(plans, row(1, "anna"))
    for _ in range(2):
        kept = resolve(plans, "", "milk")
        assert (kept.resolution, kept.change_reason) == (Resolution.KEPT, "")
        assert kept.contact.offer_id == "tea"
    assert offers.of(["milk"])["milk"].vouchers_taken == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda offers: offers.remove(["tea"]), "removed"),
        (lambda offers: offers.upsert([("tea", "{}", 0, None)]), "out-of-stock"),
        (lambda offers: offers.upsert([("tea", "{}", 2, 0)]), "budget-spent"),
    ],
)
def test_what_is_gone_is_substituted_and_stays_so(plans, offers, change, reason) -> None:
    add(plans, row(1, "anna"))
    change(offers)
    for _ in range(2):
        found = resolve(plans, "", "tea", "milk", "coffee")
        assert (found.resolution, found.change_reason) == (Resolution.SUBSTITUTED, reason)
        assert found.contact.offer_id == "milk"
    taken = offers.of(["tea", "milk", "coffee"])
    assert [taken[name].vouchers_taken for name in ("tea", "milk", "coffee")] == [0, 1, 0]
    [planned] = plans.rows("plan-a", 0, 9)
    assert planned.contact.offer_id == "tea"
    assert planned.contact.state is ContactState.CANCELLED


def test_a_substitute_that_is_gone_too_is_substituted_again(plans, offers) -> None:
    add(plans, row(1, "anna"))
    assert resolve(plans, "expired", "milk", "coffee").contact.offer_id == "milk"
    offers.remove(["milk"])
    again = resolve(plans, "", "milk", "coffee")
    assert (again.contact.offer_id, again.change_reason) == ("coffee", "removed")
    assert resolve(plans).contact.offer_id == "coffee"


def test_nothing_in_its_place_stays_nothing(plans, offers) -> None:
    add(plans, row(1, "anna"))
    assert resolve(plans, "expired", "tea")[:2] == (Resolution.NOTHING, "expired")
    assert resolve(plans, "", "coffee")[:2] == (Resolution.NOTHING, "expired")
    assert offers.of(["tea"])["tea"].vouchers_taken == 0


def test_a_refusal_gives_nothing_up(plans, store) -> None:
    add(plans, row(1, "anna"))
    Customers(store).set_consent("anna", Consent(use_in_email=False))
    assert resolve(plans, "", "milk")[:2] == (Resolution.NOTHING, "no-consent")
    Customers(store).set_consent("anna", Consent())
    assert resolve(plans).resolution is Resolution.KEPT


def test_what_was_redeemed_stays(plans, offers) -> None:
    add(plans, row(1, "anna"))
    offers.record([ContactUpdate(contact_id("plan-a", 1), ContactState.REDEEMED, NOON)])
    assert resolve(plans, "expired", "milk").resolution is Resolution.KEPT


def test_two_who_resolve_at_once_agree(plans) -> None:
    add(plans, row(1, "anna"))
    planned = plans.planned("plan-a", "anna", "email")
    first = plans.resolve(planned, planned, "expired", asked("milk"))
    late = plans.resolve(planned, planned, "expired", asked("coffee"))
    assert (first.contact.offer_id, late.resolution) == ("milk", Resolution.AGAIN)


def test_a_cancelled_plan_gives_back_what_was_not_sent(plans, offers) -> None:
    add(plans, *(row(n, f"c{n}", "coffee") for n in range(1, 6)))
    offers.record([ContactUpdate(contact_id("plan-a", 2), ContactState.SENT, NOON)])
    assert plans.cancel("plan-a", NOON + DAY, at_once=2) == 4
    assert offers.of(["coffee"])["coffee"].spent == 1
    assert plans.cancel("plan-a", NOON + DAY) == 0


def test_an_erasure_and_an_export_cover_plans(plans, store) -> None:
    add(plans, row(1, "anna"), row(2, "ben"))
    found = [record for kind, record in Customers(store).records("anna") if kind == "contact"]
    assert [record["plan_id"] for record in found] == ["plan-a"]
    store.writer.write("erase_customer", {"customer_id": "anna"})
    assert [each.contact.customer_id for each in plans.rows("plan-a", 0, 9)] == ["ben"]
    assert plans.planned("plan-a", "anna", "email") is None
