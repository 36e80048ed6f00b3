"""Offers are given within their limits, in every driver."""

import threading
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.errors import ContactTakenError
from recsys.store.choosing import Candidate, Choosing, Outcome
from recsys.store.consent import Consent
from recsys.store.contacts import Cap, ContactState
from recsys.store.customers import Customers
from recsys.store.ledger import ContactUpdate
from recsys.store.offers import Offers
from recsys.store.store import Store
from recsys.store.tables import contacts as contact_table
from recsys.types import visitor_key
from tests.stores import NOON, log_event

HOUR = 3_600_000_000
DAY = 24 * HOUR


@pytest.fixture
def offers(store: Store) -> Offers:
    made = Offers(store)
    made.upsert([("tea", "{}", None, None), ("coffee", "{}", 2, 5_000_000)])
    return made


def candidate(offer_id: str = "tea", *, cost: int = 0, cooldown: int = 0, **more) -> Candidate:
    return Candidate(offer_id, cost, 0, cost, cooldown, held_out=False)._replace(**more)


def asked(contact_id: str, *candidates: Candidate, **more) -> Choosing:
    return Choosing(
        contact_id,
        customer_id="anna",
        channel="email",
        time=NOON,
        purpose="use_in_email",
        caps=(),
        candidates=candidates or (candidate(),),
    )._replace(**more)


def outcomes(offers: Offers, *choosings: Choosing) -> list[Outcome]:
    return [offers.give(each).outcome for each in choosings]


def test_the_first_offer_that_is_left_is_given(offers: Offers) -> None:
    both = (candidate("coffee", cost=1), candidate("tea"))
    given = [
        offers.give(asked(f"c{number}", *both, customer_id=f"customer-{number}"))
        for number in range(3)
    ]
    assert [each.contact.offer_id for each in given] == ["coffee", "coffee", "tea"]
    assert [each.left for each in given] == [[0], [0], [1]]
    assert offers.of(["coffee"])["coffee"].vouchers_taken == 2


def test_alternates_are_left_too_and_take_nothing(offers: Offers) -> None:
    both = (candidate("gone"), candidate("coffee"), candidate("tea"))
    assert offers.give(asked("c1", *both, alternates=5)).left == [1, 2]
    assert offers.of(["tea"])["tea"].contact_count == 0


def test_a_repeated_request_takes_nothing_again(offers: Offers) -> None:
    first = offers.give(asked("c1", candidate("coffee", cost=2)))
    again = offers.give(asked("c1", candidate("coffee", cost=2)))
    assert (again.contact, again.repeated) == (first.contact, True)
    assert offers.of(["coffee"])["coffee"][5:9] == (1, 2, 1, 0)
    with pytest.raises(ContactTakenError):
        offers.give(asked("c1", customer_id="ben"))


def test_a_budget_ends_before_it_is_exceeded(offers: Offers) -> None:
    costly = candidate("coffee", cost=3_000_000)
    assert outcomes(offers, asked("c1", costly), asked("c2", costly)) == ["given", "spent"]
    assert offers.of(["coffee"])["coffee"].spent == 3_000_000


def test_a_removed_offer_is_given_to_nobody_and_keeps_what_it_took(offers: Offers) -> None:
    offers.give(asked("c1", candidate("coffee", cost=1)))
    assert offers.remove(["coffee", "none"]) == (1, 1)
    assert [each.offer_id for each in offers.all()] == ["tea"]
    assert outcomes(offers, asked("c2", candidate("coffee"))) == ["spent"]
    assert offers.upsert([("coffee", "{}", 1, None)]) == (1, 0)
    assert outcomes(offers, asked("c3", candidate("coffee"))) == ["spent"]
    assert offers.upsert([("coffee", "{}", 2, None)]) == (0, 1)
    assert outcomes(offers, asked("c4", candidate("coffee"))) == ["given"]


def test_caps_count_channels_together_and_apart(offers: Offers) -> None:
    caps = [Cap(["email"], 1, DAY), Cap([], 2, 7 * DAY)]
    told = outcomes(
        offers,
        asked("c1", caps=caps),
        asked("c2", caps=caps, time=NOON + DAY - 1),
        asked("c3", caps=caps, time=NOON + DAY - 1, channel="web"),
        asked("c4", caps=caps, time=NOON + 6 * DAY),
        asked("c5", caps=caps, time=NOON + 7 * DAY),
    )
    assert told == ["given", "capped", "given", "capped", "given"]


def test_a_contact_in_the_past_counts_those_that_came_after(offers: Offers) -> None:
    caps = [Cap([], 1, DAY)]
    told = outcomes(offers, asked("c1", caps=caps), asked("c2", caps=caps, time=NOON - HOUR))
    assert told == ["given", "capped"]


def test_nobody_is_contacted_under_a_cap_of_none(offers: Offers) -> None:
    assert outcomes(offers, asked("c1", caps=[Cap(["email"], 0, DAY)])) == ["capped"]


def test_a_cooldown_leaves_other_offers(offers: Offers) -> None:
    tea = candidate("tea", cooldown=DAY)
    told = [
        offers.give(each)
        for each in (
            asked("c1", tea),
            asked("c2", tea, time=NOON + DAY - 1),
            asked("c3", tea, candidate("coffee"), time=NOON + DAY - 1),
            asked("c4", tea, time=NOON + DAY),
        )
    ]
    assert [each.outcome for each in told] == ["given", "capped", "given", "given"]
    assert told[2].contact.offer_id == "coffee"


def test_a_visitor_counts_as_the_customer_who_logged_in(store: Store, offers: Offers) -> None:
    caps = [Cap([], 1, DAY)]
    v1 = visitor_key("v1")
    assert outcomes(offers, asked("c1", customer_id=v1, caps=caps)) == ["given"]
    store.link_visitor("v1", "anna")
    told = outcomes(
        offers, asked("c2", caps=caps), asked("c3", customer_id=v1, caps=caps), asked("c1")
    )
    assert told == ["capped", "capped", "given"]
    assert [each.contact_id for each in offers.contacts("anna", 9)] == ["c1"]


def test_consent_and_erasure_hold_to_the_last_moment(store: Store, offers: Offers) -> None:
    Customers(store).set_consent("anna", Consent(use_in_email=False))
    told = outcomes(offers, asked("c1"), asked("c2", purpose="recommend_on_site"))
    assert told == ["no-consent", "given"]
    Customers(store).erase("ben")
    assert outcomes(offers, asked("c3", customer_id="ben")) == ["erased"]


def test_who_is_held_out_takes_nothing_and_counts_for_caps(offers: Offers) -> None:
    caps = [Cap([], 1, DAY)]
    out = asked("c1", candidate("coffee", cost=9, held_out=True), caps=caps, hold_out_share=0.1)
    assert outcomes(offers, out, asked("c2", caps=caps)) == ["held-out", "capped"]
    [contact] = offers.contacts("anna", 9)
    assert (contact.held_out, contact.hold_out_share, contact.cost) == (True, 0.1, 0)
    assert offers.of(["coffee"])["coffee"][5:9] == (0, 0, 0, 0)
    done = offers.record([ContactUpdate("c1", ContactState.REDEEMED, NOON)])
    assert done == (0, 1, [])


def test_looking_writes_nothing(offers: Offers) -> None:
    looked = offers.look(asked("c1", candidate("coffee", cost=1)))
    assert (looked.outcome, looked.contact.offer_id) == (Outcome.GIVEN, "coffee")
    assert offers.contacts("anna", 9) == []
    assert offers.of(["coffee"])["coffee"].contact_count == 0


def test_what_became_of_a_contact_is_noted_once(offers: Offers) -> None:
    offers.give(asked("c1", candidate("coffee", cost=2_000_000, redemption_cost=3_000_000)))
    updates = [
        ContactUpdate("c1", ContactState.SENT, NOON + 1),
        ContactUpdate("c1", ContactState.REDEEMED, NOON + 2),
        ContactUpdate("c1", ContactState.REDEEMED, NOON + 3),
        ContactUpdate("c1", ContactState.CANCELLED, NOON + 4),
        ContactUpdate("none", ContactState.SENT, NOON),
    ]
    assert offers.record(updates) == (2, 2, ["none"])
    assert offers.record(updates) == (0, 4, ["none"])
    [contact] = offers.contacts("anna", 9)
    assert contact.state is ContactState.REDEEMED
    assert (contact.redeemed_time, contact.cost) == (NOON + 2, 3_000_000)
    assert offers.of(["coffee"])["coffee"][5:9] == (1, 3_000_000, 1, 1)


def test_a_redemption_may_cost_what_the_caller_says(offers: Offers) -> None:
    offers.give(asked("c1", candidate("coffee", cost=2_000_000, contact_cost=10)))
    offers.record([ContactUpdate("c1", ContactState.REDEEMED, NOON, 500_000)])
    assert offers.of(["coffee"])["coffee"].spent == 500_010


def test_what_is_cancelled_is_free_again(offers: Offers) -> None:
    caps = [Cap([], 1, DAY)]
    last = candidate("coffee", cost=5_000_000)
    offers.give(asked("c1", last, caps=caps))
    cancel = ContactUpdate("c1", ContactState.CANCELLED, NOON)
    assert offers.record([cancel, ContactUpdate("c1", ContactState.SENT, NOON)]) == (1, 1, [])
    assert offers.of(["coffee"])["coffee"][5:9] == (0, 0, 0, 0)
    assert outcomes(offers, asked("c2", last, caps=caps)) == ["given"]


def test_events_move_the_ledger_as_calls_do(store: Store, offers: Offers) -> None:
    offers.give(asked("c1", candidate("coffee", cost=1)))
    offers.give(asked("c2", candidate("coffee", cost=1), time=NOON + DAY))

    def event(kind: str, hours: int, offer_id: str = "coffee"):
        made = log_event(
            f"{kind}{hours}{offer_id}", event_type=kind, event_time=NOON + hours * HOUR
        )
        return made._replace(offer_id=offer_id)

    told = [
        event("offer-shown", 1),
        event("email-open", 25),
        event("offer-redeemed", 26),
        event("offer-redeemed", -1),
        event("offer-redeemed", 3, "tea"),
        event("view", 3),
    ]
    for _ in range(2):
        store.append(told)
    later, earlier = offers.contacts("anna", 9)
    assert (earlier.shown_time, earlier.redeemed_time) == (NOON + HOUR, None)
    assert (later.opened_time, later.redeemed_time) == (NOON + 25 * HOUR, NOON + 26 * HOUR)
    assert offers.of(["coffee"])["coffee"].redemption_count == 1


def test_contacts_are_exported_and_erased(store: Store, offers: Offers) -> None:
    store.link_visitor("v1", "anna")
    offers.give(asked("c1", note='{"alternates": []}'))
    customers = Customers(store)
    [found] = [record for kind, record in customers.records("anna") if kind == "contact"]
    assert (found["offer_id"], found["held_out"]) == ("tea", False)
    assert found["choose_time"].startswith("2024-01-01T12:00")
    assert found["answer"] == {"alternates": []}
    assert customers.erase("anna").counts["contacts"] == 1
    assert customers.find("anna").counts["contacts"] == 0
    assert offers.of(["tea"])["tea"].contact_count == 1


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    times=st.lists(st.integers(0, 30), max_size=25),
    most=st.integers(0, 3),
    days=st.integers(1, 8),
)
def test_no_stretch_of_time_has_more_than_its_cap(
    store: Store, times: list[int], most: int, days: int
) -> None:
    offers = Offers(store)
    offers.upsert([("tea", "{}", None, None)])
    customer = f"customer-{offers.change_number()}"
    cap = Cap([], most, days * DAY)
    for number, day in enumerate(times):
        choosing = asked(f"{customer}-{number}", caps=[cap], time=NOON + day * DAY)
        offers.give(choosing._replace(customer_id=customer))
    made = sorted(each.choose_time for each in offers.contacts(customer, 99))
    for start in made:
        assert sum(start <= time < start + days * DAY for time in made) <= most
    if most:
        assert bool(made) == bool(times)


def test_callers_at_once_exceed_nothing(store: Store) -> None:
    """The last voucher and the last contact, asked for by eight threads at a time."""
    offers, rounds, threads = Offers(store), 6, 8
    offers.upsert([(f"o{number}", "{}", 1, None) for number in range(rounds)])
    start, told = threading.Barrier(threads), Counter()

    def call(caller: int) -> None:
        for number in range(rounds):
            start.wait()
            # One voucher for all; then one contact for one customer.
            voucher = asked(f"v{number}-{caller}", candidate(f"o{number}"))
            one = offers.give(voucher._replace(customer_id=f"customer-{caller}-{number}"))
            two = offers.give(
                asked(f"c{number}-{caller}", caps=[Cap([], 1, DAY)])._replace(
                    customer_id=f"same-{number}", candidates=[candidate("any")]
                )
            )
            told[number, "voucher", one.outcome] += 1
            told[number, "contact", two.outcome] += 1

    offers.upsert([("any", "{}", None, None)])
    crew = [threading.Thread(target=call, args=(caller,)) for caller in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    for number in range(rounds):
        assert told[number, "voucher", Outcome.GIVEN] == 1
        assert told[number, "contact", Outcome.GIVEN] == 1
        assert told[number, "contact", Outcome.CAPPED] == threads - 1


def test_contacts_of_a_campaign_are_read_in_order_page_by_page(offers: Offers) -> None:
    for number in range(5):
        name, offer_id = f"c{number}", "coffee" if number == 2 else "tea"
        plan = "spring" if number > 2 else ""
        offers.give(asked(name, candidate(offer_id), customer_id=f"x{number}", plan_id=plan))
    columns = ("number", "contact_id")
    with offers.store.read() as session:
        first = contact_table.of_campaign(session, columns, 0, 2, offer_id="tea")
        rest = contact_table.of_campaign(session, columns, first[-1][0], 9, offer_id="tea")
        plan = contact_table.of_campaign(session, columns, 0, 9, plan_id="spring")
        none = contact_table.of_campaign(session, columns, 0, 9, offer_id="cake")
    ids = [[row[1] for row in rows] for rows in (first, rest, plan, none)]
    assert ids == [["c0", "c1"], ["c3", "c4"], ["c3", "c4"], []]
