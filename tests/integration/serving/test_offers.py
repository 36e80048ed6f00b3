"""Offers over the wire: kept, judged, given within their limits, and followed up."""

import asyncio
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recsys.client import (
    AsyncRecsysClient,
    Consent,
    ContactState,
    ContactUpdate,
    Offer,
    RecsysClient,
    ShopEvent,
)
from recsys.errors import (
    ContactTakenError,
    InvalidFilterError,
    InvalidOfferError,
    InvalidQueryError,
    StoreNotConfiguredError,
    UnknownOfferError,
)
from recsys.live.attribution import Tokens
from recsys.offers.values import ValueBasis
from recsys.store.store import Store
from tests.integration.serving.shop_server import NOW, shop_client, shop_server

ANNA, BEN = "customer-02", "customer-03"
TIME = datetime.fromtimestamp(NOW, UTC)
DEPLOYMENT = """
[contacts]
hold_out = 0
[[contacts.caps]]
channels = ["email"]
most = 2
days = 7
"""


def offer(offer_id: str = "tea", **more: object) -> Offer:
    values = {"offer_id": offer_id, "kind": "content", "channels": ["email", "web"]}
    return Offer.model_validate({**values, "gain_per_redemption": 5, **more})


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    file = tmp_path / "deployment.toml"
    file.write_text(DEPLOYMENT)
    return file


@pytest.fixture
def client(bundle_root: Path, store: Store, deployment: Path) -> Iterator[RecsysClient]:
    with shop_client(bundle_root, store, deployment) as made:
        yield made


def test_offers_come_back_as_they_went(client: RecsysClient) -> None:
    full = offer(
        "full",
        title="10 % off tea",
        kind="percent",
        discount=10,
        scope={"category": ["drinks", "tea"]},
        cost={"per_contact": 0.01, "per_redemption": 0.5},
        budget=100,
        voucher_stock=7,
        start_time=TIME - timedelta(days=1),
        end_time=TIME + timedelta(days=1),
        eligibility="purchases > 0 AND region = 'south'",
        priority=-3,
        cooldown_days=1.5,
        attributes={"link": "https://shop.example/tea", "more": {"texts": ["a", "b"]}},
    )
    items = offer("items", scope={"item_ids": ["tea-1"]}, gain_per_redemption=None)
    assert client.upsert_offers([full, items]) == (2, 0)
    assert client.upsert_offers([full]) == (0, 1)
    assert [each.offer for each in client.offers()] == [full, items]
    state = client.offer("full")
    assert (state.vouchers_left, state.budget_left, state.contact_count) == (7, 100.0, 0)
    assert client.offer("items").budget_left is None
    assert client.remove_offers(["items", "none"]) == 1
    with pytest.raises(UnknownOfferError):
        client.offer("items")


def test_wrong_offers_are_refused_with_their_fields(client: RecsysClient) -> None:
    wrong = offer("wrong").model_copy(update={"channels": (), "kind": "percent"})
    with pytest.raises(InvalidOfferError) as refused:
        client.upsert_offers([offer(), wrong.model_copy(update={"kind": offer().kind})])
    assert refused.value.violations[0].field == "offers[1].channels"
    costly = offer("costly").model_copy(
        update={"cost": offer().cost.model_copy(update={"per_contact": 1.0})}
    )
    with pytest.raises(InvalidOfferError) as refused:
        client.upsert_offers([costly])
    assert refused.value.violations[0].field == "offers[0].budget"
    for eligibility, position in [("income > 3", 0), ("purchases > 0 AND nope", 18)]:
        with pytest.raises(InvalidFilterError) as bad:
            client.upsert_offers([offer(), offer("b", eligibility=eligibility)])
        assert (bad.value.field, bad.value.position) == ("offers[1].eligibility", position)
    with pytest.raises(InvalidQueryError, match="twice"):
        client.upsert_offers([offer(), offer()])
    with pytest.raises(InvalidQueryError, match="empty"):
        client.upsert_offers([])
    assert list(client.offers()) == []


def test_the_best_offer_is_given_and_recorded(client: RecsysClient, store: Store) -> None:
    client.upsert_offers([offer("small", gain_per_redemption=1), offer("large")])
    answer = client.next_best_offer("email", customer_id=ANNA)
    assert answer.best is not None
    assert answer.best.offer.offer_id == "large"
    assert [each.offer.offer_id for each in answer.alternates] == ["small"]
    assert answer.best.expected_value > answer.alternates[0].expected_value > 0
    assert answer.value_basis is ValueBasis.AFFINITY
    assert len(answer.best.item_ids) == 10
    assert answer.best.reasons
    told = Tokens(store.secret).read(answer.attribution_token)
    assert told is not None
    assert (told.request_id, told.placement) == (answer.request_id, "next_best_offer")
    [contact] = client.contacts(ANNA)
    assert (contact.contact_id, contact.offer_id) == (answer.contact_id, "large")
    assert (contact.state, contact.choose_time) == (ContactState.CHOSEN, TIME)


def test_the_rules_of_the_shop_hold_for_the_items_of_offers(
    bundle_root: Path, store: Store, deployment: Path
) -> None:
    rule = "[rules.{place}.gone]\nkind = 'exclude'\nfilter = \"'Tea' IN category\"\n"
    tea = offer("tea", scope={"category": ["Drinks", "Tea"]})

    def named(text: str) -> int:
        deployment.write_text(DEPLOYMENT + text)
        with shop_client(bundle_root, store, deployment) as client:
            client.upsert_offers([tea])
            answer = client.next_best_offer("email", customer_id=ANNA, dry_run=True)
        assert answer.best is not None
        return len(answer.best.item_ids)

    assert named("") > 0
    assert named(rule.format(place="for_you")) == 0
    assert named(rule.format(place="everywhere")) == 0
    assert named(rule.format(place="popular")) > 0


def test_each_offer_names_the_items_of_its_own_that_may_be_shown(client: RecsysClient) -> None:
    some = ["item-04", "item-40", "item-41", "item-46", "nowhere"]  # 04 is not available
    client.upsert_offers(
        [
            offer("tea", scope={"category": ["Drinks", "Tea"]}),
            offer("some", scope={"item_ids": some}, gain_per_redemption=4),
            offer("none", scope={"item_ids": ["item-04"]}, gain_per_redemption=3),
            offer("all", gain_per_redemption=2),
            offer("more-tea", scope={"category": ["Drinks", "Tea"]}, gain_per_redemption=1),
        ]
    )
    answer = client.next_best_offer("web", customer_id=BEN, limit=4)  # who drinks coffee
    assert answer.best is not None
    told = {each.offer.offer_id: each.item_ids for each in (answer.best, *answer.alternates)}
    by_list = client.recommend("for_you", customer_id=BEN, limit=10).items
    assert told["all"] == tuple(item.item_id for item in by_list)
    assert len(told["tea"]) == 10
    assert all(int(item_id[-2:]) % 2 == 0 for item_id in told["tea"])
    assert len(told["some"]) == 2  # 40 and 41 are variants of one product
    assert "item-46" in told["some"]
    assert told["none"] == ()
    assert told["more-tea"] == told["tea"]
    assert {reason.code for reason in answer.best.reasons}


def test_an_offer_that_was_removed_still_names_its_own_items(client: RecsysClient) -> None:
    client.upsert_offers([offer("tea", scope={"category": ["Drinks", "Tea"]})])
    request_id = uuid.uuid4().hex
    first = client.next_best_offer("web", customer_id=BEN, request_id=request_id)
    client.remove_offers(["tea"])
    again = client.next_best_offer("web", customer_id=BEN, request_id=request_id)
    assert first.best is not None
    assert again.best is not None
    assert again.best.item_ids == first.best.item_ids


def test_a_call_that_is_repeated_takes_nothing_again(client: RecsysClient) -> None:
    client.upsert_offers([offer("a", voucher_stock=1), offer("b", gain_per_redemption=1)])
    request_id = uuid.uuid4().hex
    first = client.next_best_offer("email", customer_id=ANNA, request_id=request_id)
    client.upsert_offers([offer("c", gain_per_redemption=9)])
    again = client.next_best_offer("email", customer_id=ANNA, request_id=request_id)
    assert again.best == first.best
    assert again.alternates == first.alternates
    assert again.contact_id == first.contact_id == request_id
    assert client.offer("a").vouchers_left == 0
    with pytest.raises(ContactTakenError):
        client.next_best_offer("email", customer_id=BEN, request_id=request_id)


def test_limits_hold_and_say_which(client: RecsysClient) -> None:
    client.upsert_offers([offer("a", voucher_stock=2)])

    def reason(channel: str = "email", customer_id: str = ANNA, **more: object) -> str:
        return client.next_best_offer(channel, customer_id=customer_id, **more).no_offer_reason

    assert reason(min_value=10.0) == "below-min-value"
    assert reason(exclude_offer_ids=["a"]) == "not-eligible"
    assert reason("push") == "not-eligible"
    assert [reason(), reason()] == ["", ""]
    assert reason() == "capped"
    assert reason(customer_id=BEN) == "spent"
    client.set_consent(BEN, Consent(use_in_email=False))
    assert reason(customer_id=BEN) == "no-consent"
    assert reason("web", customer_id=BEN) == "spent"


def test_a_dry_run_takes_nothing(client: RecsysClient) -> None:
    client.upsert_offers([offer("a", voucher_stock=1)])
    for _ in range(2):
        answer = client.next_best_offer("email", customer_id=ANNA, dry_run=True)
        assert answer.best is not None
        assert answer.contact_id == ""
    assert client.contacts(ANNA) == []
    assert client.offer("a").vouchers_left == 1


def test_eligibility_knows_the_last_event(client: RecsysClient) -> None:
    newcomer = {"customer_id": "nobody-knows"}
    client.upsert_offers(
        [
            offer("welcome", eligibility="purchases = 0"),
            offer("buyers", eligibility="purchases > 0"),
        ]
    )
    first = client.next_best_offer("web", **newcomer)
    assert first.best is not None
    assert first.best.offer.offer_id == "welcome"
    client.write_events(
        [
            ShopEvent(
                event_type="purchase",
                **newcomer,
                item_id="item-02",
                event_time=TIME - timedelta(hours=1),
            )
        ]
    )
    second = client.next_best_offer("web", **newcomer)
    assert second.best is not None
    assert second.best.offer.offer_id == "buyers"


def test_what_runs_out_is_known_until_the_last_purchase(client: RecsysClient) -> None:
    newcomer = {"customer_id": "nobody-knows"}

    def buy(*days_ago: float) -> None:
        moments = [TIME - timedelta(days=each) for each in days_ago]
        purchase = {"event_type": "purchase", "item_id": "item-02", **newcomer}
        client.write_events([ShopEvent(**purchase, event_time=each) for each in moments])

    buy(70, 60, 50, 40)
    [item] = client.recommend("buy_again", **newcomer).items
    days = (item.replenishment.due_time - NOW) / 86_400
    assert 0 < days < 10
    within, before = f"days_until_due < {days + 0.01}", f"days_until_due < {days}"
    client.upsert_offers(
        [
            offer("refill", scope={"item_ids": ["item-02"]}, eligibility=within),
            offer("early", scope={"item_ids": ["item-02"]}, eligibility=before),
            offer("other", scope={"item_ids": ["item-04"]}, eligibility=within),
        ]
    )
    first = client.next_best_offer("web", **newcomer)
    assert first.best is not None
    assert first.best.offer.offer_id == "refill"
    assert first.alternates == ()
    buy(0.01)
    assert client.next_best_offer("web", **newcomer).no_offer_reason == "not-eligible"


def test_a_visitor_gets_offers_too(client: RecsysClient) -> None:
    client.upsert_offers([offer("a", eligibility="is_visitor")])
    assert client.next_best_offer("web", visitor_id="v1").best is not None
    assert client.next_best_offer("web", customer_id=ANNA).best is None
    with pytest.raises(InvalidQueryError):
        client.next_best_offer("web")


def test_who_is_held_out_gets_nothing(bundle_root: Path, store: Store, deployment: Path) -> None:
    deployment.write_text("[contacts]\nhold_out = 0.999\n")
    with shop_client(bundle_root, store, deployment) as client:
        client.upsert_offers([offer("a", voucher_stock=1)])
        answer = client.next_best_offer("email", customer_id=ANNA)
        assert (answer.best, answer.no_offer_reason) == (None, "hold-out")
        assert answer.contact_id == ""
        [contact] = client.contacts(ANNA)
        assert contact.offer_id == ""
        assert client.offer("a").vouchers_left == 1


def test_what_became_of_a_contact_is_recorded(client: RecsysClient) -> None:
    cost = {"per_contact": 0.1, "per_redemption": 2.0}
    client.upsert_offers([offer("a", cost=cost, budget=10, voucher_stock=5)])
    contact_id = client.next_best_offer("email", customer_id=ANNA).contact_id
    expected = 10 - client.offer("a").budget_left
    assert 0.1 < expected < 0.3
    updates = [
        ContactUpdate(contact_id, ContactState.SENT, TIME),
        ContactUpdate(contact_id, ContactState.REDEEMED),
        ContactUpdate("unknown", ContactState.SENT),
    ]
    assert client.record_contacts(updates) == (2, 0, ("unknown",))
    assert client.record_contacts(updates[:2]) == (0, 2, ())
    state = client.offer("a")
    assert state.budget_left == pytest.approx(10 - 2.1)
    assert (state.contact_count, state.redemption_count) == (1, 1)
    assert client.contacts(ANNA)[0].state is ContactState.REDEEMED
    with pytest.raises(InvalidQueryError):
        client.record_contacts([ContactUpdate(contact_id, ContactState.CHOSEN)])
    with pytest.raises(InvalidQueryError):
        client.record_contacts([ContactUpdate(contact_id, ContactState.REDEEMED, cost=-1)])


def test_offer_events_and_contacts_agree(client: RecsysClient) -> None:
    client.upsert_offers([offer("a")])
    client.next_best_offer("web", customer_id=ANNA)
    client.write_events(
        [ShopEvent(event_type="offer-redeemed", customer_id=ANNA, offer_id="a", event_time=TIME)]
    )
    assert client.contacts(ANNA)[0].state is ContactState.REDEEMED


def test_an_erased_customer_has_no_contacts(client: RecsysClient) -> None:
    client.upsert_offers([offer("a")])
    client.next_best_offer("web", customer_id=ANNA)
    kinds = [record.kind for record in client.export_customer(ANNA)]
    assert "contact" in kinds
    assert client.erase_customer(ANNA).erased["contacts"] == 1
    assert client.contacts(ANNA) == []


def test_nothing_works_without_a_store(bundle_root: Path) -> None:
    with shop_client(bundle_root, None) as client:
        with pytest.raises(StoreNotConfiguredError):
            client.upsert_offers([offer()])
        with pytest.raises(StoreNotConfiguredError):
            client.next_best_offer("email", customer_id=ANNA)


def test_the_asynchronous_client_does_the_same(
    bundle_root: Path, store: Store, deployment: Path
) -> None:
    async def calls(target: str) -> None:
        async with AsyncRecsysClient([target], timeout_s=30) as client:
            assert await client.upsert_offers([offer("a"), offer("b")]) == (2, 0)
            assert [each.offer.offer_id async for each in client.offers()] == ["a", "b"]
            assert (await client.offer("a")).contact_count == 0
            answer = await client.next_best_offer("email", customer_id=ANNA)
            sent = ContactUpdate(answer.contact_id, ContactState.SENT)
            assert await client.record_contacts([sent]) == (1, 0, ())
            [contact] = await client.contacts(ANNA)
            assert contact.state is ContactState.SENT
            assert await client.remove_offers(["a"]) == 1
            with pytest.raises(UnknownOfferError):
                await client.offer("a")
            with pytest.raises(InvalidQueryError):
                await client.next_best_offer("", customer_id=ANNA)

    with shop_server(bundle_root, store, deployment) as target:
        asyncio.run(calls(target))
