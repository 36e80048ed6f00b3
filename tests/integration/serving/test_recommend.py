"""What Recommend and RecommendBatch answer over a real port."""

from datetime import UTC, datetime

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from recsys.pipeline.query import Query, RecentEvent
from recsys.types import CustomerId, EventType, ItemId
from recsys.v1 import recommendation_service_pb2 as pb
from recsys.v1.event_pb2 import Event
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from tests.integration.serving.steered import NOW, RunningServer


@pytest.fixture
def stub(channel: grpc.Channel) -> RecommendationServiceStub:
    return RecommendationServiceStub(channel)


def test_answer_carries_list_and_origin(stub: RecommendationServiceStub) -> None:
    answer = stub.Recommend(pb.RecommendRequest(customer_id="c-1", placement="for_you"), timeout=5)
    assert [item.item_id for item in answer.items] == ["a", "b", "c", "d"]
    assert [item.rank for item in answer.items] == [1, 2, 3, 4]
    assert answer.items[1].score == pytest.approx(0.5)
    assert answer.items[1].source == "steered"
    assert answer.items[1].reason == pb.Reason(code="because-you-bought", item_ids=["a"], count=2)
    assert not answer.items[0].HasField("details")
    assert answer.tier == pb.TIER_PERSONALISED
    assert answer.bundle_version == "20170101T000000-one"
    assert answer.data_end_time.seconds == NOW - 86_400
    assert answer.query_time.seconds == NOW
    assert answer.page_size == 10


def test_request_becomes_a_query(stub: RecommendationServiceStub, running: RunningServer) -> None:
    def event(item_id: str, kind: str, seconds: int) -> Event:
        return Event(
            customer_id="visitor/ignored",
            item_id=item_id,
            event_type=kind,
            event_time=Timestamp(seconds=seconds),
        )

    request = pb.RecommendRequest(
        visitor_id="v-1",
        placement="for_you",
        context_item_ids=["a", "gone"],
        events=[
            event("a", "view", NOW - 60),
            event("b", "purchase", NOW + 60),
            event("b", "teleport", NOW),
            event("", "search", NOW),
        ],
        filter="price < 5",
        exclude_item_ids=["d"],
        page_size=2,
        market="north",
        query_time=Timestamp(seconds=NOW - 5),
    )
    answer = stub.Recommend(request, timeout=5)
    assert answer.missing_item_ids == ["gone"]
    assert running.recommender.asked == [
        Query(
            placement="for_you",
            query_time=NOW - 5,
            customer_id=CustomerId("visitor/v-1"),
            limit=2,
            context_item_ids=(ItemId("a"), ItemId("gone")),
            events=(
                RecentEvent(ItemId("a"), EventType.VIEW, NOW - 60),
                RecentEvent(ItemId("b"), EventType.PURCHASE, NOW - 5),
            ),
            filter="price < 5",
            exclude_item_ids=(ItemId("d"),),
            market="north",
        )
    ]


@pytest.mark.parametrize(("asked", "applied"), [(0, 10), (3, 3), (500, 500), (1000, 500)])
def test_page_size_is_applied(
    stub: RecommendationServiceStub, running: RunningServer, asked: int, applied: int
) -> None:
    request = pb.RecommendRequest(placement="popular", page_size=asked)
    assert stub.Recommend(request, timeout=5).page_size == applied
    assert running.recommender.asked[0].limit == applied


def test_asked_columns_come_with_each_item(stub: RecommendationServiceStub) -> None:
    names = ["title", "category", "brand", "price", "cost", "created_at", "tags"]
    attributes = ["weight", "organic", "stars", "harvested", "notes"]
    request = pb.RecommendRequest(placement="popular", item_fields=[*names, *attributes])
    first, second, third, last = (
        item.details for item in stub.Recommend(request, timeout=5).items
    )
    assert first.title == "Green tea"
    assert list(first.category) == ["drinks", "tea"]
    assert first.price == 3.5
    assert not first.HasField("cost")
    assert not first.HasField("available")
    assert first.create_time.ToDatetime(UTC) == datetime(2020, 1, 2, tzinfo=UTC)
    assert MessageToDict(first.attributes) == {
        "weight": 100.0,
        "organic": True,
        "stars": 4.5,
        "harvested": "2020-01-02T00:00:00Z",
        "notes": ["floral"],
    }
    assert "stars" not in second.attributes
    assert list(third.tags) == ["new", "organic"]
    assert last == pb.ItemDetails()


def test_columns_follow_the_market(stub: RecommendationServiceStub) -> None:
    request = pb.RecommendRequest(
        placement="popular", market="north", item_fields=["price", "available", "title"]
    )
    details = [item.details for item in stub.Recommend(request, timeout=5).items]
    assert [each.available for each in details] == [False, False, True, False]
    assert [each.price if each.HasField("price") else None for each in details] == [
        4.0,
        None,
        None,
        None,
    ]
    assert details[0].title == "Green tea"


def test_batch_answers_as_single_calls_do(
    stub: RecommendationServiceStub, running: RunningServer
) -> None:
    ids = [f"c-{number}" for number in range(150)]
    request = pb.RecommendBatchRequest(
        customer_ids=ids, placement="for_you", exclude_item_ids=["a"], item_fields=["title"]
    )
    messages = list(stub.RecommendBatch(request, timeout=10))
    results = [result for message in messages for result in message.results]
    assert [result.customer_id for result in results] == ids
    assert [len(message.results) for message in messages] == [64, 64, 22]
    for message in messages:
        assert message.bundle_version == running.recommender.bundle_version
        assert message.data_end_time.seconds == NOW - 86_400
        assert message.query_time.seconds == NOW
        assert message.page_size == 10
    single = stub.Recommend(
        pb.RecommendRequest(
            customer_id="c-7",
            placement="for_you",
            exclude_item_ids=["a"],
            item_fields=["title"],
        ),
        timeout=5,
    )
    assert list(results[7].items) == list(single.items)
    assert results[7].tier == single.tier


def test_batch_messages_shrink_as_lists_grow(stub: RecommendationServiceStub) -> None:
    request = pb.RecommendBatchRequest(
        customer_ids=[str(number) for number in range(30)], placement="for_you", page_size=500
    )
    sizes = [len(message.results) for message in stub.RecommendBatch(request, timeout=10)]
    assert sizes == [12, 12, 6]


def test_batch_is_made_only_as_fast_as_it_is_read(
    stub: RecommendationServiceStub, running: RunningServer
) -> None:
    ids = [str(number) for number in range(10_000)]
    request = pb.RecommendBatchRequest(
        customer_ids=ids, placement="for_you", item_fields=["title", "category", "brand"]
    )
    call = stub.RecommendBatch(request, timeout=30)
    next(call)
    call.cancel()
    with pytest.raises(grpc.RpcError):
        list(call)
    running.server.stop()
    assert 64 <= len(running.recommender.asked) < 10_000
