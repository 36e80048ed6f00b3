"""Pages, orders, labels, customers of an item, and what placements there are, in both clients."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Unpack

import grpc

from recsys.client.errors import from_rpc_error
from recsys.client.page_requests import (
    AudienceSettings,
    LabelSettings,
    OrderSettings,
    PageSettings,
    PageSlot,
    customers_request,
    labels_request,
    order_request,
    page_request,
)
from recsys.client.page_results import (
    Placement,
    RankedItems,
    RecommendedCustomers,
    RecommendedLabels,
    to_customers,
    to_labels,
    to_placements,
    to_ranked_items,
)
from recsys.client.results import Recommendations, to_recommendations
from recsys.v1.recommendation_service_pb2 import ListPlacementsRequest
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceStub


class PageCalls:
    """Calls of `RecsysClient`. Each may raise the errors of `RecsysClient.recommend`."""

    _channel: grpc.Channel
    _timeout_s: float

    def recommend_page(
        self, slots: Sequence[PageSlot | str], **settings: Unpack[PageSettings]
    ) -> tuple[Recommendations, ...]:
        """Returns the lists of a page, in the order of its slots, no product twice.

        Args:
            slots: up to 20, the most important first; a name alone is a placement with all else
                as by default.
            **settings: who asks and what holds for every list, see `PageSettings`.
        """
        stub = RecommendationServiceStub(self._channel)
        with _told():
            response = stub.RecommendPage(page_request(slots, settings), timeout=self._timeout_s)
        return tuple(to_recommendations(slot) for slot in response.slots)

    def rank_items(
        self, placement: str, item_ids: Sequence[str], **settings: Unpack[OrderSettings]
    ) -> RankedItems:
        """Returns given items, such as results of a search, in a placement's order.

        Args:
            placement: whose sources, ranker and rules order them.
            item_ids: 1 to 1,000, distinct; where nothing is known they keep their order.
            **settings: who asks and what is left out, see `OrderSettings`.
        """
        stub = RecommendationServiceStub(self._channel)
        request = order_request(placement, item_ids, settings)
        with _told():
            return to_ranked_items(stub.RankItems(request, timeout=self._timeout_s))

    def recommend_labels(
        self, placement: str, **settings: Unpack[LabelSettings]
    ) -> RecommendedLabels:
        """Returns labels of the catalogue, such as categories or brands, best first.

        Args:
            placement: one that answers with labels, such as `categories_for_you`.
            **settings: who asks and what is wanted, see `LabelSettings`.
        """
        stub = RecommendationServiceStub(self._channel)
        with _told():
            request = labels_request(placement, settings)
            return to_labels(stub.RecommendLabels(request, timeout=self._timeout_s))

    def recommend_customers(
        self, placement: str, item_id: str, **settings: Unpack[AudienceSettings]
    ) -> RecommendedCustomers:
        """Returns the customers whom an item would interest most, without those who refused.

        Args:
            placement: one that answers with customers, such as `customers_for_item`.
            item_id: what to tell them about.
            **settings: how many and by what means, see `AudienceSettings`.

        Raises:
            UnknownItemError: the catalogue does not have the item.
            StoreUnavailableError: who refused cannot be read just now.
        """
        stub = RecommendationServiceStub(self._channel)
        with _told():
            request = customers_request(placement, item_id, settings)
            return to_customers(stub.RecommendCustomers(request, timeout=self._timeout_s))

    def placements(self) -> tuple[Placement, ...]:
        """Returns the placements that can be asked for."""
        stub = RecommendationServiceStub(self._channel)
        with _told():
            request = ListPlacementsRequest()
            return to_placements(stub.ListPlacements(request, timeout=self._timeout_s))


class AsyncPageCalls:
    """Calls of `AsyncRecsysClient`; arguments, answers and errors are those of `PageCalls`."""

    _channel: grpc.aio.Channel
    _timeout_s: float

    async def recommend_page(
        self, slots: Sequence[PageSlot | str], **settings: Unpack[PageSettings]
    ) -> tuple[Recommendations, ...]:
        """Returns the lists of a page, in the order of its slots, no product twice."""
        stub = RecommendationServiceStub(self._channel)
        request = page_request(slots, settings)
        with _told():
            response = await stub.RecommendPage(request, timeout=self._timeout_s)
        return tuple(to_recommendations(slot) for slot in response.slots)

    async def rank_items(
        self, placement: str, item_ids: Sequence[str], **settings: Unpack[OrderSettings]
    ) -> RankedItems:
        """Returns given items, such as results of a search, in a placement's order."""
        stub = RecommendationServiceStub(self._channel)
        request = order_request(placement, item_ids, settings)
        with _told():
            return to_ranked_items(await stub.RankItems(request, timeout=self._timeout_s))

    async def recommend_labels(
        self, placement: str, **settings: Unpack[LabelSettings]
    ) -> RecommendedLabels:
        """Returns labels of the catalogue, such as categories or brands, best first."""
        stub = RecommendationServiceStub(self._channel)
        with _told():
            request = labels_request(placement, settings)
            return to_labels(await stub.RecommendLabels(request, timeout=self._timeout_s))

    async def recommend_customers(
        self, placement: str, item_id: str, **settings: Unpack[AudienceSettings]
    ) -> RecommendedCustomers:
        """Returns the customers whom an item would interest most, without those who refused."""
        stub = RecommendationServiceStub(self._channel)
        with _told():
            request = customers_request(placement, item_id, settings)
            return to_customers(await stub.RecommendCustomers(request, timeout=self._timeout_s))

    async def placements(self) -> tuple[Placement, ...]:
        """Returns the placements that can be asked for."""
        stub = RecommendationServiceStub(self._channel)
        with _told():
            request = ListPlacementsRequest()
            return to_placements(await stub.ListPlacements(request, timeout=self._timeout_s))


@contextmanager
def _told() -> Iterator[None]:
    """Has a failed call raise what the client's callers know; errors of asyncio too."""
    try:
        yield
    except grpc.RpcError as error:
        raise from_rpc_error(error) from None
