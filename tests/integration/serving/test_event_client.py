"""The shipped clients write events, each once, whatever happens on the way."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recsys.client import (
    AsyncRecsysClient,
    CallError,
    RecsysClient,
    ShopEvent,
    WrittenEvents,
)
from recsys.errors import (
    InvalidBatchError,
    InvalidEventError,
    InvalidQueryError,
    StoreNotConfiguredError,
    VisitorTakenError,
)
from recsys.store.store import Store
from tests.events import NOW_S
from tests.integration.serving.proxy import Proxy
from tests.integration.serving.steered import RunningServer, ServerFactory

NOW = datetime.fromtimestamp(NOW_S, UTC)


def view(item_id: str = "tea", **changes: Any) -> ShopEvent:
    values: dict[str, Any] = {"event_type": "view", "customer_id": "anna", "event_time": NOW}
    return ShopEvent(item_id=item_id, **(values | changes))


@pytest.fixture
def running(start_server: ServerFactory, store: Store) -> RunningServer:
    return start_server(event_store=store, now=NOW_S)


def with_threads(target: str, use: Callable[[Any], Any]) -> Any:
    with RecsysClient([target], timeout_s=10) as client:
        return use(client)


def with_asyncio(target: str, use: Callable[[Any], Any]) -> Any:
    async def used() -> Any:
        async with AsyncRecsysClient([target], timeout_s=10) as client:
            return await use(client)

    return asyncio.run(used())


@pytest.fixture(params=[with_threads, with_asyncio], ids=["threads", "asyncio"])
def ask(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_events_are_written_and_known_again(
    ask: Any, running: RunningServer, store: Store
) -> None:
    batch = [view(), view(), view("cup", event_type="store-visit")]
    assert ask(running.target, lambda client: client.write_events(batch)) == WrittenEvents(
        stored=3, duplicates=0, erased=0, unknown_types=1, last_position=3
    )
    again = ask(running.target, lambda client: client.write_events(iter(batch)))
    assert (again.stored, again.duplicates) == (0, 3)
    assert store.last_position == 3


def test_an_import_takes_any_number(
    ask: Any, running: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.client.events.CALL_MESSAGES", 2)

    def log() -> Iterator[ShopEvent]:
        for second in range(2_500):
            yield view(event_id="", event_time=NOW - timedelta(seconds=second))

    done = ask(running.target, lambda client: client.import_events(log()))
    assert done == WrittenEvents(2_500, 0, 0, 0, 2_500)
    again = ask(running.target, lambda client: client.import_events(log()))
    assert again == WrittenEvents(0, 2_500, 0, 0, 2_500)
    assert ask(running.target, lambda client: client.import_events([])).stored == 0


def test_a_visitor_logs_in(ask: Any, running: RunningServer) -> None:
    first = ask(running.target, lambda client: client.identify_customer("v", "anna"))
    again = ask(running.target, lambda client: client.identify_customer("v", "anna"))
    assert (first.linked_now, again.linked_now) == (True, False)
    assert first.link_time == again.link_time
    assert datetime.now(UTC) - first.link_time < timedelta(minutes=5)
    with pytest.raises(VisitorTakenError):
        ask(running.target, lambda client: client.identify_customer("v", "ben"))
    with pytest.raises(InvalidQueryError, match="customer_id"):
        ask(running.target, lambda client: client.identify_customer("v", ""))


def test_what_is_wrong_is_raised(ask: Any, running: RunningServer, store: Store) -> None:
    bad = [view(), view(quantity=-1), view(unit_price=-0.01, item_id="")]
    with pytest.raises(InvalidEventError) as caught:
        ask(running.target, lambda client: client.write_events(bad))
    fields = ["events[1].quantity", "events[2].item_id", "events[2].unit_price"]
    assert [violation.field for violation in caught.value.violations] == fields
    with pytest.raises(InvalidBatchError):
        ask(running.target, lambda client: client.write_events([]))
    assert store.last_position == 0
    with pytest.raises(InvalidEventError) as caught:
        ask(running.target, lambda client: client.import_events([*[view()] * 1_000, *bad]))
    assert caught.value.metadata["stored_messages"] == "1"


def test_a_server_without_a_store_says_so(ask: Any, start_server: ServerFactory) -> None:
    with pytest.raises(StoreNotConfiguredError):
        ask(start_server().target, lambda client: client.write_events([view()]))


@pytest.fixture
def proxy(running: RunningServer) -> Iterator[Proxy]:
    proxy = Proxy(running.port)
    yield proxy
    proxy.close()


def until_stored(store: Store, count: int) -> None:
    end = time.monotonic() + 20
    while store.last_position < count:
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize("named", [True, False], ids=["named", "nameless"])
def test_a_connection_cut_before_the_answer_stores_once(
    proxy: Proxy, store: Store, *, named: bool
) -> None:
    batch = [view(item) if named else view(item, event_id="") for item in ("tea", "cup", "cup")]
    with RecsysClient([proxy.target]) as client, ThreadPoolExecutor(1) as pool:
        client.wait_until_ready(20)
        proxy.hold_answers()
        writing = pool.submit(client.write_events, batch, timeout_s=30)
        until_stored(store, 3)
        proxy.cut()
        assert writing.result(30) == WrittenEvents(0, 3, 0, 0, 3)
    assert store.last_position == 3


def test_a_caller_may_write_again_what_was_left_open(
    proxy: Proxy, running: RunningServer, store: Store
) -> None:
    batch = [view(), view()]
    with RecsysClient([proxy.target]) as client, ThreadPoolExecutor(1) as pool:
        client.wait_until_ready(20)
        proxy.hold_answers()
        writing = pool.submit(client.write_events, batch, timeout_s=3)
        until_stored(store, 2)
        proxy.cut(for_good=True)
        with pytest.raises(CallError):
            writing.result(30)
    with RecsysClient([running.target]) as client:
        assert client.write_events(batch, timeout_s=20) == WrittenEvents(0, 2, 0, 0, 2)
    assert store.last_position == 2
