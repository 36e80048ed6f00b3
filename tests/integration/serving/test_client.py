"""The shipped client, with threads and with asyncio, against a real port."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Self

import grpc
import pytest
from structlog.testing import capture_logs

from recsys.client import (
    AsyncRecsysClient,
    CallError,
    DeadlineExceededError,
    OverloadedError,
    Reason,
    RecentEvent,
    RecsysClient,
    RejectedError,
    ServerError,
    UnavailableError,
)
from recsys.client.errors import to_error
from recsys.errors import (
    BundleNotReadyError,
    InvalidFilterError,
    InvalidQueryError,
    UnknownPlacementError,
)
from recsys.types import EventType, ItemId, Tier
from tests.integration.serving.steered import NOW, RunningServer, ServerFactory, SteeredRecommender


class Blocking:
    """The asyncio client behind the methods of the other, so that one test serves both."""

    def __init__(self, targets: list[str], **options: Any) -> None:
        self._runner = asyncio.Runner()
        self._client = self._run(self._made(targets, options))

    async def _made(self, targets: list[str], options: dict[str, Any]) -> AsyncRecsysClient:
        return await AsyncRecsysClient(targets, **options).__aenter__()

    def _run(self, awaitable: Any) -> Any:
        return self._runner.run(awaitable)

    def recommend(self, *args: Any, **options: Any) -> Any:
        return self._run(self._client.recommend(*args, **options))

    def recommend_batch(self, *args: Any, **options: Any) -> Iterator[Any]:
        async def listed() -> list[Any]:
            return [each async for each in self._client.recommend_batch(*args, **options)]

        yield from self._run(listed())

    def wait_until_ready(self, timeout_s: float) -> None:
        self._run(self._client.wait_until_ready(timeout_s))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._client.__aexit__(None, None, None))
        self._runner.close()


@pytest.fixture(params=[RecsysClient, Blocking], ids=["threads", "asyncio"])
def client_kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def client(client_kind: Any, running: RunningServer) -> Iterator[Any]:
    with client_kind([running.target], timeout_s=10) as client:
        yield client


def test_one_list(client: Any, running: RunningServer) -> None:
    answer = client.recommend(
        "for_you",
        customer_id="c-1",
        limit=2,
        context_item_ids=["a", "gone"],
        events=[RecentEvent(ItemId("a"), EventType.VIEW, NOW - 9)],
        exclude_item_ids=["b"],
        filter="price < 9",
        market="north",
        query_time=datetime.fromtimestamp(NOW, UTC),
        item_fields=["title", "created_at", "weight", "brand"],
    )
    assert [(item.item_id, item.rank) for item in answer.items] == [("a", 1), ("c", 2)]
    assert answer.items[0].reason == Reason("because-you-bought", (ItemId("a"),), 1)
    assert answer.items[0].details == {
        "title": "Green tea",
        "brand": "Leaf",
        "created_at": datetime(2020, 1, 2, tzinfo=UTC),
        "weight": 100.0,
    }
    assert answer.tier is Tier.PERSONALISED
    assert answer.missing_item_ids == ("gone",)
    assert answer.page_size == 2
    assert answer.bundle_version == running.recommender.bundle_version
    assert answer.query_time == datetime.fromtimestamp(NOW, UTC)
    assert answer.data_end_time == datetime.fromtimestamp(NOW - 86_400, UTC)
    [asked] = running.recommender.asked
    assert (asked.filter, asked.market) == ("price < 9", "north")
    assert asked.events == (RecentEvent(ItemId("a"), EventType.VIEW, NOW - 9),)


def test_nobody_in_particular(client: Any) -> None:
    answer = client.recommend("popular")
    assert answer.tier is Tier.POPULAR
    assert answer.items[0].details == {}


def test_batches_of_any_length(client: Any, running: RunningServer) -> None:
    ids = [f"c-{number}" for number in range(10_100)]
    results = list(client.recommend_batch("for_you", iter(ids), limit=1))
    assert [result.customer_id for result in results] == ids
    assert all(len(result.items) == 1 for result in results)
    assert results[-1].tier is Tier.PERSONALISED
    assert results[-1].bundle_version == running.recommender.bundle_version
    assert list(client.recommend_batch("for_you", [])) == []


def test_callers_mistakes_are_the_librarys_errors(client: Any, running: RunningServer) -> None:
    with pytest.raises(InvalidQueryError) as query_error:
        client.recommend("for_you", limit=-1)
    assert query_error.value.field == "limit"
    with pytest.raises(InvalidQueryError, match=r"customer_ids\[1\]"):
        list(client.recommend_batch("for_you", ["a", ""]))
    with pytest.raises(UnknownPlacementError, match="for_you, popular"):
        client.recommend("nowhere")
    running.recommender.before = raising(InvalidFilterError("no such column", 7))
    with pytest.raises(InvalidFilterError) as filter_error:
        client.recommend("for_you", filter="x OR y z")
    assert filter_error.value.position == 7
    with pytest.raises(ValueError, match="time zone"):
        client.recommend("for_you", query_time=datetime(2026, 1, 1))  # noqa: DTZ001


def raising(error: Exception) -> Callable[[Any], None]:
    def fail(_: Any) -> None:
        raise error

    return fail


def test_failures_have_the_request_id(client: Any, running: RunningServer) -> None:
    running.recommender.before = raising(ValueError("secret"))
    # What draws a traceback with all locals where no log is configured takes seconds under load.
    with capture_logs() as lines, pytest.raises(ServerError) as caught:
        client.recommend("for_you")
    assert "rpc.failed" in [line["event"] for line in lines]
    assert "secret" not in str(caught.value)
    assert len(caught.value.metadata["request_id"]) == 32


def test_deadline(client_kind: Any, running: RunningServer) -> None:
    opened = threading.Event()
    running.recommender.before = lambda _: opened.wait(20)
    with client_kind([running.target], timeout_s=0.2) as client:
        with pytest.raises(DeadlineExceededError):
            client.recommend("for_you")
        with pytest.raises(DeadlineExceededError):
            client.recommend("for_you", timeout_s=0.1)
    opened.set()


def test_unreachable(client_kind: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{unused.getsockname()[1]}"
        with client_kind([target], timeout_s=5) as client:
            with pytest.raises(UnavailableError):
                client.recommend("for_you")
            with pytest.raises(UnavailableError, match="within"):
                client.wait_until_ready(0.2)


def test_not_ready(client_kind: Any, start_server: ServerFactory) -> None:
    running = start_server(loaded=False)
    with client_kind([running.target], timeout_s=5) as client:
        with pytest.raises((UnavailableError, BundleNotReadyError)):
            client.recommend("for_you")
        running.server.load()
        client.wait_until_ready(10)
        assert client.recommend("for_you").items


def test_passes_over_a_draining_server(client_kind: Any, start_server: ServerFactory) -> None:
    first = start_server(drain_s=1.0, answers=SteeredRecommender())
    second = start_server(answers=SteeredRecommender())
    with client_kind([first.target, second.target], timeout_s=5) as client:
        client.wait_until_ready(10)
        deadline = time.monotonic() + 10
        while not (first.recommender.asked and second.recommender.asked):
            assert time.monotonic() < deadline
            client.recommend("for_you")
        stopping = threading.Thread(target=first.server.stop)
        stopping.start()
        while stopping.is_alive():
            assert client.recommend("for_you").items
        calls = len(first.recommender.asked)
        for _ in range(20):
            client.recommend("for_you")
        assert len(first.recommender.asked) == calls


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, OverloadedError),
        (grpc.StatusCode.UNIMPLEMENTED, RejectedError),
        (grpc.StatusCode.INTERNAL, ServerError),
        (grpc.StatusCode.UNKNOWN, ServerError),
    ],
)
def test_errors_without_details_go_by_code(code: grpc.StatusCode, kind: type[CallError]) -> None:
    assert type(to_error(code, "text", {})) is kind
    assert str(to_error(code, None, {"grpc-status-details-bin": b""})) == code.name
