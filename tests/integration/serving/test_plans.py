"""Plans over the wire: listed, streamed, and resolved when they are opened."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recsys.client import AsyncRecsysClient, Consent, Offer, RecsysClient
from recsys.errors import InvalidQueryError, StoreNotConfiguredError, UnknownPlanError
from recsys.live.attribution import Tokens
from recsys.store.contacts import Contact
from recsys.store.plans import PlanNote, Plans
from recsys.store.store import Store
from recsys.store.tables.plans import contact_id
from tests.integration.serving.shop_server import NOW, shop_client, shop_server

ANNA, BEN, CLEO = "customer-02", "customer-03", "customer-04"
TIME = datetime.fromtimestamp(NOW, UTC)
PURPOSES = {"email": "use_in_email", "web": "recommend_on_site"}
DEPLOYMENT = "[contacts]\nhold_out = 0\n[[contacts.caps]]\nmost = 1\ndays = 7\n"


def offer(offer_id: str, **more: object) -> Offer:
    values = {"offer_id": offer_id, "kind": "content", "channels": ["email"]}
    return Offer.model_validate({**values, "gain_per_redemption": 5, **more})


@pytest.fixture
def client(bundle_root: Path, store: Store, tmp_path: Path) -> Iterator[RecsysClient]:
    file = tmp_path / "deployment.toml"
    file.write_text(DEPLOYMENT)
    with shop_client(bundle_root, store, file) as made:
        offers = [offer("tea", voucher_stock=10), offer("mug", gain_per_redemption=3)]
        made.upsert_offers(offers)
        yield made


def planned(store: Store, *rows: tuple[str, str], plan_id: str = "plan-a") -> Plans:
    plans = Plans(store)
    time = NOW * 1_000_000
    details = '{"bundle_version": "v1"}'
    plans.begin(PlanNote(plan_id, time, time, 0, 0.0, 0.0, finished=False, details=details))
    contacts = [
        Contact(
            contact_id(plan_id, number),
            who,
            what or "tea",
            "email",
            time,
            plan_id=plan_id,
            held_out=not what,
            value=2.5,
            probability=0.5,
            basis="affinity",
        )
        for number, (who, what) in enumerate(rows, 1)
    ]
    assert plans.add(contacts, seen=plans.ledger_number(), purposes=PURPOSES) == []
    plans.finish(plan_id, row_count=len(rows), expected_value=2.5 * len(rows), gap=0.004)
    return plans


def test_plans_are_listed_and_streamed_from_any_row(client, store) -> None:
    planned(store, *((f"c-{number:04}", "mug") for number in range(1_200)), (ANNA, ""))
    [plan] = client.plans()
    assert (plan.plan_id, plan.rows, plan.gap, plan.create_time) == ("plan-a", 1_201, 0.004, TIME)
    rows = list(client.stream_plan("plan-a"))
    assert [row.row for row in rows] == list(range(1, 1_202))
    assert [row.row for row in client.stream_plan("plan-a", after_row=1_150)] == list(
        range(1_151, 1_202)
    )
    assert (rows[0].customer_id, rows[0].offer_id, rows[0].channel) == ("c-0000", "mug", "email")
    assert (rows[-1].customer_id, rows[-1].offer_id, rows[-1].hold_out) == (ANNA, "", True)
    shown = Tokens(store.secret).read(rows[0].attribution_token)
    assert shown is not None
    assert (shown.placement, shown.bundle_version) == ("plan", "v1")


def test_a_planned_offer_is_kept(client, store) -> None:
    planned(store, (ANNA, "tea"), (BEN, ""))
    [first, second] = [client.resolve_offer("plan-a", ANNA, "email") for _ in range(2)]
    assert first == second
    assert (first.outcome, first.change_reason, first.contact_id) == (
        "kept",
        "",
        contact_id("plan-a", 1),
    )
    assert first.choice is not None
    assert (first.choice.offer.offer_id, first.choice.expected_value) == ("tea", 2.5)
    [row, _] = client.stream_plan("plan-a")
    assert row.attribution_token == first.attribution_token
    for who, channel in ((BEN, "email"), (CLEO, "email"), (ANNA, "web")):
        assert client.resolve_offer("plan-a", who, channel).outcome == "nothing"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"end_time": TIME - timedelta(hours=1)}, "expired"),
        ({"eligibility": "purchases > 1000"}, "not-eligible"),
        ({"channels": ["web"]}, "not-eligible"),
        ({"scope": {"item_ids": ["item-04"]}}, "items-unavailable"),
        ({"voucher_stock": 0}, "out-of-stock"),
        (None, "removed"),
    ],
)
def test_what_may_no_longer_be_given_is_substituted_once(client, store, change, reason) -> None:
    planned(store, (ANNA, "tea"))
    if change is None:
        client.remove_offers(["tea"])
    else:
        client.upsert_offers([offer("tea", **change)])
    [first, second] = [client.resolve_offer("plan-a", ANNA, "email") for _ in range(2)]
    assert first == second
    assert (first.outcome, first.change_reason) == ("substituted", reason)
    assert first.choice is not None
    assert first.choice.offer.offer_id == "mug"
    [contact] = [each for each in client.contacts(ANNA) if each.contact_id == first.contact_id]
    assert contact.plan_id == "plan-a"
    # The exchange is no second contact for the cap, and leaves no room for another.
    nothing = client.next_best_offer("email", customer_id=ANNA, query_time=TIME)
    assert nothing.no_offer_reason == "capped"


def test_who_took_consent_back_gets_nothing(client, store) -> None:
    planned(store, (ANNA, "tea"))
    client.set_consent(ANNA, Consent(use_in_email=False))
    answer = client.resolve_offer("plan-a", ANNA, "email")
    assert (answer.outcome, answer.change_reason, answer.choice) == ("nothing", "no-consent", None)
    client.set_consent(ANNA, Consent())
    assert client.resolve_offer("plan-a", ANNA, "email").outcome == "kept"


def test_the_erased_are_in_no_plan(client, store) -> None:
    planned(store, (ANNA, "tea"), (BEN, "tea"))
    client.erase_customer(ANNA)
    assert [row.customer_id for row in client.stream_plan("plan-a")] == [BEN]
    assert client.resolve_offer("plan-a", ANNA, "email").outcome == "nothing"


def test_wrong_requests_are_refused(client, store) -> None:
    planned(store, (ANNA, "tea"))
    with pytest.raises(UnknownPlanError):
        next(client.stream_plan("plan-b"))
    with pytest.raises(UnknownPlanError):
        client.resolve_offer("plan-b", ANNA, "email")
    for arguments in (("", ANNA, "email"), ("plan-a", "", "email"), ("plan-a", ANNA, "")):
        with pytest.raises(InvalidQueryError):
            client.resolve_offer(*arguments)


def test_the_client_for_asyncio_has_the_same_calls(bundle_root, store) -> None:
    async def calls(target: str) -> None:
        async with AsyncRecsysClient([target], timeout_s=30) as client:
            await client.upsert_offers([offer("tea")])
            planned(store, (ANNA, "tea"), (BEN, "tea"))
            assert [each.plan_id for each in await client.plans()] == ["plan-a"]
            assert [row.row async for row in client.stream_plan("plan-a", after_row=1)] == [2]
            answer = await client.resolve_offer("plan-a", ANNA, "email", query_time=TIME)
            assert answer.outcome == "kept"
            with pytest.raises(UnknownPlanError):
                await client.resolve_offer("plan-b", ANNA, "email")
            with pytest.raises(UnknownPlanError):
                [row async for row in client.stream_plan("plan-b")]

    with shop_server(bundle_root, store) as target:
        asyncio.run(calls(target))


def test_a_server_without_a_store_has_no_plans(bundle_root) -> None:
    with shop_client(bundle_root, None) as client, pytest.raises(StoreNotConfiguredError):
        client.plans()
