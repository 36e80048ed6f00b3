"""The client for threads."""

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, Unpack

import grpc

from recsys.client.catalogue import CatalogueCalls
from recsys.client.channel import channel_options, target_uri
from recsys.client.checks import seconds
from recsys.client.closed import Closed
from recsys.client.customers import CustomerCalls
from recsys.client.errors import from_rpc_error, not_ready
from recsys.client.event_calls import EventCalls
from recsys.client.keywords import names_keywords
from recsys.client.offer_calls import OfferCalls
from recsys.client.page_calls import PageCalls
from recsys.client.plans import PlanCalls
from recsys.client.requests import (
    ContextSettings,
    ListSettings,
    batch_requests,
    recommend_request,
)
from recsys.client.results import (
    CustomerRecommendations,
    Recommendations,
    to_customer_recommendations,
    to_recommendations,
)
from recsys.v1.recommendation_service_pb2 import RecommendBatchRequest
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceStub


@names_keywords
class RecsysClient(CatalogueCalls, CustomerCalls, EventCalls, OfferCalls, PageCalls, PlanCalls):
    """Asks a list of servers for recommendations, in turn; safe to share between threads.

    Every call has a deadline. A server that cannot be reached or is stopping is passed over.

    Example::

        with RecsysClient(["localhost:50051"]) as client:
            answer = client.recommend("similar_items", context_item_ids=["tea-1"], limit=5)
    """

    def __init__(
        self, targets: Sequence[str], *, timeout_s: float = 1.0, batch_timeout_s: float = 600.0
    ) -> None:
        """Takes the servers as `host:port`.

        Args:
            targets: all ports of all machines; names among several are looked up once.
            timeout_s: seconds that a call may take, its retries included.
            batch_timeout_s: the same for each 10,000 customers of a batch.

        Raises:
            ArgumentError: a target is not `host:port` or has no address, or a time is none.
        """
        self._timeout_s = seconds("timeout_s", timeout_s)
        self._batch_timeout_s = seconds("batch_timeout_s", batch_timeout_s)
        self._channel = grpc.insecure_channel(target_uri(targets), channel_options())
        self._stub = RecommendationServiceStub(self._channel)
        self._targets = ", ".join(targets)

    def recommend(
        self,
        placement: str,
        *,
        timeout_s: float | None = None,
        **settings: Unpack[ContextSettings],
    ) -> Recommendations:
        """Returns the best items for one customer or visitor on one placement.

        Args:
            placement: what the list is for, such as `for_you`.
            timeout_s: instead of the client's.
            **settings: who asks and what is wanted, see `ContextSettings`.

        Raises:
            InvalidQueryError: an argument is out of range; `field` says which.
            InvalidFilterError: the filter is wrong; `position` says where.
            UnknownPlacementError: the bundle has no such placement.
            BundleNotReadyError: the servers are still loading.
            CallError: no answer came: unreachable, too late, overloaded or failed.
        """
        request = recommend_request(placement, settings)
        timeout = self._timeout_s if timeout_s is None else seconds("timeout_s", timeout_s)
        try:
            response = self._stub.Recommend(request, timeout=timeout)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return to_recommendations(response)

    def recommend_batch(
        self, placement: str, customer_ids: Iterable[str], **settings: Unpack[ListSettings]
    ) -> Iterator[CustomerRecommendations]:
        """Returns the lists of any number of customers, in their order, as they are made.

        Args:
            placement: what the lists are for.
            customer_ids: read as the lists are taken, 10,000 at a time.
            **settings: what is wanted, the same for all, see `ListSettings`.

        Raises:
            RecsysError: as for `recommend`; lists yielded before it are good.
        """
        return self._lists(batch_requests(placement, customer_ids, settings))

    def _lists(
        self, requests: Iterable[RecommendBatchRequest]
    ) -> Iterator[CustomerRecommendations]:
        for request in requests:
            responses = self._stub.RecommendBatch(request, timeout=self._batch_timeout_s)
            try:
                for response in responses:
                    yield from to_customer_recommendations(response)
            except grpc.RpcError as error:
                raise from_rpc_error(error) from None
            finally:
                responses.cancel()

    def wait_until_ready(self, timeout_s: float) -> None:
        """Waits until a server has loaded its bundle.

        Raises:
            UnavailableError: none has within `timeout_s` seconds.
        """
        timeout = seconds("timeout_s", timeout_s)
        ready = grpc.channel_ready_future(self._channel)
        try:
            ready.result(timeout)
        except grpc.FutureTimeoutError:
            ready.cancel()
            raise not_ready(self._targets, timeout_s) from None

    def close(self) -> None:
        """Closes the connections; calls in flight end with an error, later ones are refused."""
        if isinstance(self._channel, Closed):
            return
        self._channel.close()
        closed: Any = Closed()
        self._channel = self._stub = closed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
