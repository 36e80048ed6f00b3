"""The client for asyncio."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, Unpack

import grpc

from recsys.client.catalogue import AsyncCatalogueCalls
from recsys.client.channel import channel_options, target_uri
from recsys.client.checks import seconds
from recsys.client.closed import Closed
from recsys.client.customers import AsyncCustomerCalls
from recsys.client.errors import ArgumentError, from_rpc_error, not_ready
from recsys.client.event_calls import AsyncEventCalls
from recsys.client.keywords import names_keywords
from recsys.client.offer_calls import AsyncOfferCalls
from recsys.client.page_calls import AsyncPageCalls
from recsys.client.plans import AsyncPlanCalls
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
class AsyncRecsysClient(
    AsyncCatalogueCalls,
    AsyncCustomerCalls,
    AsyncEventCalls,
    AsyncOfferCalls,
    AsyncPageCalls,
    AsyncPlanCalls,
):
    """Asks a list of servers for recommendations, in turn, from one event loop.

    Arguments, answers and errors are those of `RecsysClient`.

    Example::

        async with AsyncRecsysClient(["localhost:50051"]) as client:
            answer = await client.recommend("for_you", customer_id="c-1")
    """

    def __init__(
        self, targets: Sequence[str], *, timeout_s: float = 1.0, batch_timeout_s: float = 600.0
    ) -> None:
        """Takes the servers as `host:port`, see `RecsysClient`.

        Raises:
            ArgumentError: a target is not `host:port` or has no address, a time is none, or there
                is no event loop.
        """
        self._timeout_s = seconds("timeout_s", timeout_s)
        self._batch_timeout_s = seconds("batch_timeout_s", batch_timeout_s)
        uri = target_uri(targets)
        try:
            self._channel = grpc.aio.insecure_channel(uri, channel_options())
        except RuntimeError:
            raise ArgumentError(
                "client", "needs a running event loop: make it in a coroutine, by `async with`"
            ) from None
        self._stub = RecommendationServiceStub(self._channel)
        self._targets = ", ".join(targets)

    async def recommend(
        self,
        placement: str,
        *,
        timeout_s: float | None = None,
        **settings: Unpack[ContextSettings],
    ) -> Recommendations:
        """Returns the best items for one customer or visitor on one placement.

        Raises:
            RecsysError: as for `RecsysClient.recommend`.
        """
        request = recommend_request(placement, settings)
        timeout = self._timeout_s if timeout_s is None else seconds("timeout_s", timeout_s)
        try:
            response = await self._stub.Recommend(request, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return to_recommendations(response)

    def recommend_batch(
        self, placement: str, customer_ids: Iterable[str], **settings: Unpack[ListSettings]
    ) -> AsyncIterator[CustomerRecommendations]:
        """Returns the lists of any number of customers, in their order, as they are made.

        Raises:
            RecsysError: as for `RecsysClient.recommend`; lists yielded before it are good.
        """
        return self._lists(batch_requests(placement, customer_ids, settings))

    async def _lists(
        self, requests: Iterable[RecommendBatchRequest]
    ) -> AsyncIterator[CustomerRecommendations]:
        for request in requests:
            responses = self._stub.RecommendBatch(request, timeout=self._batch_timeout_s)
            try:
                async for response in responses:
                    for result in to_customer_recommendations(response):
                        yield result
            except grpc.aio.AioRpcError as error:
                raise from_rpc_error(error) from None
            finally:
                responses.cancel()

    async def wait_until_ready(self, timeout_s: float) -> None:
        """Waits until a server has loaded its bundle.

        Raises:
            UnavailableError: none has within `timeout_s` seconds.
        """
        timeout = seconds("timeout_s", timeout_s)
        try:
            await asyncio.wait_for(self._channel.channel_ready(), timeout)
        except TimeoutError:
            raise not_ready(self._targets, timeout_s) from None

    async def close(self) -> None:
        """Closes the connections; calls in flight end with an error, later ones are refused."""
        if isinstance(self._channel, Closed):
            return
        await self._channel.close()
        closed: Any = Closed()
        self._channel = self._stub = closed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
