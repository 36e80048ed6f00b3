"""A slip in a call is refused before anything is sent, by the name of the argument."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, get_type_hints

import grpc
import numpy as np
import pytest

from recsys.client import (
    ArgumentError,
    AsyncRecsysClient,
    Consent,
    ContactUpdate,
    DeadlineExceededError,
    PageSlot,
    RecentEvent,
    RecsysClient,
    ShopEvent,
    Tuning,
    UnavailableError,
    offer_requests,
    page_requests,
    requests,
)
from recsys.client.errors import to_error
from recsys.errors import InvalidEventError, InvalidItemError, RecsysError
from recsys.pipeline.query import RecentEvent as QueryEvent
from recsys.types import EventType, ItemId

NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001  the slip
NAN = float("nan")
AWAY = "127.0.0.1:1"
VIEW: dict[str, Any] = {"event_type": "view", "customer_id": "c-1", "item_id": "tea"}

Call = Callable[[Any], Any]
SLIPS: list[tuple[str, Call, str]] = [
    (
        "misspelt keyword",
        lambda c: c.recommend("for_you", custmer_id="c-1"),
        "custmer_id: is no argument of this call; did you mean 'customer_id'?",
    ),
    ("another's keyword", lambda c: c.recommend("p", user_id="u"), "did you mean 'customer_id'?"),
    ("contract's keyword", lambda c: c.recommend("p", page_size=5), "did you mean 'limit'?"),
    ("time limit", lambda c: c.recommend("p", timeout=3), "did you mean 'timeout_s'?"),
    ("batch", lambda c: c.recommend_batch("p", ["a"], customer_id="b"), "customer_id: is no arg"),
    ("page", lambda c: c.recommend_page(["p"], limit=3), "limit: is no argument of this call"),
    ("order", lambda c: c.rank_items("p", ["a"], limits=3), "limits: is no argument"),
    ("labels", lambda c: c.recommend_labels("p", custmer="x"), "did you mean 'customer_id'?"),
    ("audience", lambda c: c.recommend_customers("p", "i", exclude_buyer=True), "exclude_buyers"),
    ("offer", lambda c: c.next_best_offer("email", dryrun=True), "did you mean 'dry_run'?"),
    ("events", lambda c: c.write_events([], timeout=1), "did you mean 'timeout_s'?"),
    ("identify", lambda c: c.identify_customer("v", custmer_id="c"), "'customer_id'?"),
    ("import", lambda c: c.import_events([], timout_s=1), "did you mean 'timeout_s'?"),
    ("upsert", lambda c: c.upsert_items([], column=["price"]), "did you mean 'columns'?"),
    ("items", lambda c: c.items(filters="a"), "did you mean 'filter'?"),
    ("export", lambda c: c.export_customer(custmer_id="c"), "did you mean 'customer_id'?"),
    ("contacts", lambda c: c.contacts("c", limits=3), "did you mean 'limit'?"),
    ("resolve", lambda c: c.resolve_offer("p", "c", "e", querytime=NAIVE), "'query_time'?"),
    ("stream", lambda c: c.stream_plan("p", after=3), "after_row"),
    ("id", lambda c: c.recommend("p", customer_id=17850), "is 17850 (int): write '17850'"),
    (
        "visitor",
        lambda c: c.recommend("p", visitor_id=b"v"),
        "visitor_id: must be a text, is a byt",
    ),
    (
        "text as a list",
        lambda c: c.recommend("p", exclude_item_ids="a"),
        "exclude_item_ids: must be a list of texts, is 'a' (str): write ['a']",
    ),
    ("fields", lambda c: c.recommend("p", item_fields="title"), "write ['title']"),
    ("context", lambda c: c.recommend("p", context_item_ids={"a": 1}), "must be a list of texts"),
    ("number in a list", lambda c: c.recommend("p", context_item_ids=["a", 7]), "ids[1]: must be"),
    ("limit", lambda c: c.recommend("p", limit=-1), "limit: must not be negative, is -1"),
    ("text limit", lambda c: c.recommend("p", limit="5"), "limit: must be a whole number, is '5'"),
    ("part", lambda c: c.recommend("p", limit=1.5), "limit: must be a whole number, is 1.5"),
    ("truth", lambda c: c.recommend("p", limit=True), "limit: must be a whole number, is True"),
    ("huge", lambda c: c.recommend("p", limit=2**40), "limit: must be below 2,147,483,648"),
    ("naive", lambda c: c.recommend("p", query_time=NAIVE), "query_time: needs a time zone, 2026"),
    ("text time", lambda c: c.recommend("p", query_time="2026"), "must be a datetime with a time"),
    ("empty placement", lambda c: c.recommend(""), "placement: must not be empty: name one"),
    ("number placement", lambda c: c.recommend(3), "placement: must be a text, is 3 (int)"),
    ("purpose", lambda c: c.recommend("p", purpose="mail"), "did you mean 'email'?"),
    ("strictness", lambda c: c.recommend("p", strictness=1), "must be one of as-rules, strict"),
    ("explain", lambda c: c.recommend("p", explain="yes"), "explain: must be True or False"),
    ("tuning", lambda c: c.recommend("p", tuning={"diversity": 1}), "must be a Tuning, is a dict"),
    (
        "level",
        lambda c: c.recommend("p", tuning=Tuning(diversity="hihg")),
        "tuning.diversity: must be one of none, low, medium, high, is 'hihg' (str); did you mean",
    ),
    (
        "NaN level",
        lambda c: c.recommend("p", tuning=Tuning(freshness=NAN)),
        "finite number, is nan",
    ),
    (
        "parameter",
        lambda c: c.recommend("p", filter="a < :b", filter_parameters={"b": NAN}),
        "filter_parameters['b']: must be a finite number, is nan",
    ),
    ("parameters", lambda c: c.recommend("p", filter_parameters=[1]), "must be values by name"),
    ("filter", lambda c: c.recommend("p", filter=["a"]), "filter: must be a text, is a list"),
    (
        "event as a mapping",
        lambda c: c.recommend("p", events=[{"item_id": "a"}]),
        "events[0]: must be a RecentEvent, is a dict: {'item_id': 'a'}: write RecentEvent(",
    ),
    (
        "type",
        lambda c: c.recommend("p", events=[QueryEvent(ItemId("a"), "purchse", 5)]),
        "events[0].event_type: must be an EventType or a usual name, is 'purchse' (str); did you",
    ),
    (
        "datetime",
        lambda c: c.recommend("p", events=[RecentEvent(ItemId("a"), EventType.VIEW, NAIVE)]),
        "events[0].event_time: must be whole Unix seconds",
    ),
    ("no time", lambda c: c.recommend("p", timeout_s=0), "timeout_s: must be seconds, above 0"),
    ("NaN time", lambda c: c.recommend("p", timeout_s=NAN), "timeout_s: must be a finite number"),
    (
        "customers",
        lambda c: c.recommend_batch("p", "c-1"),
        "customer_ids: must be a list of texts",
    ),
    ("slots", lambda c: c.recommend_page("popular"), "slots: must be a list of PageSlot or names"),
    (
        "slot",
        lambda c: c.recommend_page([{"placement": "p"}]),
        "slots[0]: must be a PageSlot or a",
    ),
    ("slot limit", lambda c: c.recommend_page([PageSlot("p", limit=-2)]), "slots[0].limit: must"),
    ("item_ids", lambda c: c.rank_items("p", "a"), "item_ids: must be a list of texts"),
    ("item_id", lambda c: c.recommend_customers("p", ""), "item_id: must not be empty"),
    ("labels limit", lambda c: c.recommend_labels("p", limit=-1), "limit: must not be negative"),
    ("one event", lambda c: c.write_events(ShopEvent(**VIEW)), "is one: write [event]"),
    (
        "event",
        lambda c: c.write_events([VIEW]),
        "events[0]: must be a ShopEvent, is a dict: {'event_type': 'view'",
    ),
    (
        "id of an event",
        lambda c: c.write_events([ShopEvent(**VIEW), ShopEvent(**(VIEW | {"item_id": 3}))]),
        "events[1].item_id: must be a text, is 3 (int): write '3'",
    ),
    (
        "NaN",
        lambda c: c.write_events([ShopEvent(**VIEW, quantity=NAN)]),
        "events[0].quantity: must be a finite number, is nan",
    ),
    (
        "properties",
        lambda c: c.import_events([ShopEvent(**VIEW, properties={"when": NAIVE})]),
        "events[0].properties: must be what JSON has",
    ),
    ("no list", lambda c: c.import_events(5), "events: must be a list of ShopEvent, is 5 (int)"),
    ("empty visitor", lambda c: c.identify_customer("", "c"), "visitor_id: must not be empty"),
    ("one item", lambda c: c.upsert_items({"item_id": "a"}), "items: must be a list of items"),
    ("item", lambda c: c.upsert_items(["tea"]), "items[0]: must be a mapping such as"),
    (
        "price",
        lambda c: c.upsert_items([{"item_id": "a", "price": "9,99"}]),
        "items[0].price: must be a number, is '9,99' (str)",
    ),
    ("NaN price", lambda c: c.upsert_items([{"item_id": "a", "price": NAN}]), "finite number"),
    ("category", lambda c: c.upsert_items([{"category": "Tea"}]), "category: must be a list of"),
    (
        "creation",
        lambda c: c.upsert_items([{"item_id": "a", "created_at": "2026-01-01"}]),
        "items[0].created_at: must be a datetime with a time zone",
    ),
    ("naive item", lambda c: c.upsert_items([{"created_at": NAIVE}]), "created_at: needs a time"),
    (
        "attribute",
        lambda c: c.upsert_items([{"colour": object()}]),
        "items[0].colour: must be text",
    ),
    (
        "markets",
        lambda c: c.upsert_items([{"markets": [{"name": 1}]}]),
        "markets[0]: must have mar",
    ),
    ("mask", lambda c: c.upsert_items([], columns="price"), "columns: must be a list of texts"),
    ("item by number", lambda c: c.item(5), "item_id: must be a text, is 5 (int): write '5'"),
    ("removed", lambda c: c.remove_items("tea"), "item_ids: must be a list of texts, is 'tea'"),
    ("nobody", lambda c: c.erase_customer(), "give it or visitor_id; neither is given"),
    ("both", lambda c: c.verify_erasure("c", visitor_id="v"), "both are given"),
    ("customer", lambda c: c.erase_customer(17850), "customer_id: must be a text, is 17850 (int)"),
    (
        "consent",
        lambda c: c.set_consent("c", {"use_in_email": False}),
        "consent: must be a Consent",
    ),
    (
        "consents",
        lambda c: c.set_consent("c", Consent("no")),
        "consent.recommend_on_site: must be",
    ),
    ("offers", lambda c: c.upsert_offers([{"offer_id": "a"}]), "offers[0]: must be a Offer"),
    ("offer id", lambda c: c.offer(5), "offer_id: must be a text, is 5 (int)"),
    ("value", lambda c: c.next_best_offer("email", min_value=NAN), "min_value: must be a finite"),
    ("channel", lambda c: c.next_best_offer(""), "channel: must not be empty"),
    (
        "state",
        lambda c: c.record_contacts([ContactUpdate("a", "opend")]),
        "updates[0].state: must be one of chosen, sent, shown, opened, redeemed, cancelled, is",
    ),
    ("offer ids", lambda c: c.remove_offers("a"), "offer_ids: must be a list of texts"),
    ("plan", lambda c: c.resolve_offer("", "c", "email"), "plan_id: must not be empty"),
    ("row", lambda c: c.stream_plan("p", after_row=-1), "after_row: must not be negative"),
]


def threads(call: Call) -> None:
    with RecsysClient([AWAY]) as client:
        done = call(client)
        if isinstance(done, Iterator):
            next(done)


def asynchronously(call: Call) -> None:
    async def made() -> None:
        async with AsyncRecsysClient([AWAY]) as client:
            done = call(client)
            await (anext(done) if hasattr(done, "__anext__") else done)

    asyncio.run(made())


@pytest.mark.parametrize("use", [threads, asynchronously])
@pytest.mark.parametrize(("call", "text"), [slip[1:] for slip in SLIPS], ids=[s[0] for s in SLIPS])
def test_a_slip_is_named_before_anything_is_sent(
    use: Callable[[Call], None], call: Call, text: str
) -> None:
    with pytest.raises((ArgumentError, InvalidEventError, InvalidItemError)) as caught:
        use(call)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.violations


@pytest.mark.parametrize(
    ("kind", "checks"),
    [
        (requests.ListSettings, requests.LIST_CHECKS),
        (requests.ContextSettings, requests.CONTEXT_CHECKS),
        (page_requests.PageSettings, page_requests.PAGE_CHECKS),
        (page_requests.OrderSettings, page_requests.ORDER_CHECKS),
        (page_requests.LabelSettings, page_requests.LABEL_CHECKS),
        (page_requests.AudienceSettings, page_requests.AUDIENCE_CHECKS),
        (offer_requests.OfferSettings, offer_requests.OFFER_CHECKS),
    ],
)
def test_every_keyword_has_a_check(kind: type, checks: dict[str, Any]) -> None:
    assert checks.keys() == get_type_hints(kind).keys()


@pytest.mark.parametrize(
    ("kind", "use"), [(RecsysClient, threads), (AsyncRecsysClient, asynchronously)]
)
def test_every_public_call_refuses_an_unknown_keyword(
    kind: type, use: Callable[[Call], None]
) -> None:
    calls = [n for n, _ in inspect.getmembers(kind, inspect.isfunction) if not n.startswith("_")]
    assert len(calls) > 25
    for name in set(calls):
        parameters = inspect.signature(getattr(kind, name)).parameters.values()
        needed = [
            p.name
            for p in parameters
            if p.default is p.empty and p.kind is not p.VAR_KEYWORD and p.name != "self"
        ]
        arguments = [["a"] if each in LISTS else "a" for each in needed]
        with pytest.raises(ArgumentError, match="zebra: is no argument of this call"):
            use(lambda client: getattr(client, name)(*arguments, zebra=1))  # noqa: B023


LISTS = {"slots", "item_ids", "customer_ids"}


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: ShopEvent(event_type="view", custmer_id="c"), "did you mean 'customer_id'?"),
        (lambda: Tuning(diversty="low"), "did you mean 'diversity'?"),
        (lambda: PageSlot("p", limits=3), "did you mean 'limit'?"),
        (lambda: ContactUpdate("a", state="sent", costs=3), "did you mean 'cost'?"),
        (lambda: RecsysClient(["localhost:1"], timeout=3), "did you mean 'timeout_s'?"),
        (lambda: RecsysClient("localhost:50051"), "write ['localhost:50051']"),
        (lambda: RecsysClient([]), "at least one 'host:port'"),
        (lambda: RecsysClient([50051]), "targets[0]: must be a text, is 50051"),
        (lambda: RecsysClient(["http://localhost:50051"]), "is an address of the web"),
        (lambda: RecsysClient(["localhost"]), "target 'localhost' is not 'host:port'"),
        (lambda: RecsysClient(["localhost:99999"]), "is not 'host:port'"),
        (lambda: RecsysClient(["localhost:1"], timeout_s=-1), "timeout_s: must be seconds"),
    ],
)
def test_a_value_refuses_what_it_does_not_have(make: Callable[[], Any], text: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        make()
    assert text in str(caught.value)


def test_what_is_right_in_another_way_is_taken() -> None:
    request = requests.recommend_request(
        "p",
        {
            "customer_id": None,
            "limit": np.int64(5),
            "exclude_item_ids": {"a"},
            "context_item_ids": np.array(["x", "y"]),
            "explain": np.bool_(True),  # noqa: FBT003
            "events": (QueryEvent(ItemId("a"), "Product Viewed", 5) for _ in range(2)),
            "filter_parameters": {"few": np.float32(2.5), "words": ("a", "b"), "yes": True},
            "query_time": datetime(2026, 1, 1, tzinfo=UTC),
        },
    )
    assert (request.customer_id, request.page_size, request.explain) == ("", 5, True)
    assert (list(request.exclude_item_ids), list(request.context_item_ids)) == (["a"], ["x", "y"])
    assert [event.event_type for event in request.events] == ["view", "view"]
    assert dict(request.filter_parameters)["few"] == 2.5


@pytest.mark.parametrize("use", [threads, asynchronously])
def test_a_server_that_is_away_is_named_with_how_to_start_one(
    use: Callable[[Call], None],
) -> None:
    with pytest.raises(UnavailableError) as caught:
        use(lambda client: client.recommend("for_you", timeout_s=5))
    assert "Connection refused" in str(caught.value)
    assert AWAY in str(caught.value)
    assert "recsys serve --bundles" in str(caught.value)
    with pytest.raises(UnavailableError, match=r"within 0\.1 s at 127.0.0.1:1\. Is a server"):
        use(lambda client: client.wait_until_ready(0.1))


def test_errors_are_both_the_librarys_and_pythons() -> None:
    assert issubclass(ArgumentError, RecsysError)
    assert issubclass(ArgumentError, ValueError)
    late = to_error(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", {})
    assert isinstance(late, DeadlineExceededError)
    assert "no answer came within timeout_s. Allow more seconds" in str(late)


def test_a_closed_client_says_so() -> None:
    client = RecsysClient([AWAY])
    client.close()
    client.close()
    calls: list[Call] = [
        lambda c: c.recommend("for_you"),
        lambda c: c.write_events([ShopEvent(**VIEW)]),
        lambda c: c.offer("o"),
        lambda c: c.wait_until_ready(1),
    ]
    for call in calls:
        with pytest.raises(ArgumentError, match="client: is closed: call it within its `with`"):
            call(client)


def test_a_closed_client_of_asyncio_says_so() -> None:
    async def late() -> None:
        async with AsyncRecsysClient([AWAY]) as client:
            pass
        await client.close()
        await client.recommend("for_you")

    with pytest.raises(ArgumentError, match="client: is closed: call it within its `with`"):
        asyncio.run(late())


def test_a_client_of_asyncio_outside_of_a_loop_says_so() -> None:
    async def nothing() -> None:
        pass

    asyncio.run(nothing())  # leaves its thread without a loop
    with pytest.raises(ArgumentError, match="client: needs a running event loop: make it in a"):
        AsyncRecsysClient([AWAY])
