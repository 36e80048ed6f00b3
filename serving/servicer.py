"""The methods of RecommendationService: convert, call, convert."""

from collections.abc import Callable, Iterator
from threading import BoundedSemaphore

import grpc
from structlog.contextvars import bind_contextvars

from recsys.v1.recommendation_service_pb2 import (
    RecommendBatchRequest,
    RecommendBatchResponse,
    RecommendRequest,
    RecommendResponse,
)
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceServicer
from serving.details import DetailsReader
from serving.errors import OverloadedError
from serving.live_bundle import LiveBundle
from serving.requests import to_queries, to_query
from serving.responses import to_batch_response, to_response

MESSAGE_CUSTOMERS = 64
MESSAGE_ITEMS = 6_400
"""Most customers and items in one message of a batch: about 2 MiB, half of what a client takes."""


class RecommendationService(RecommendationServiceServicer):
    """Answers from the live bundle; raises domain errors and never aborts a call itself."""

    def __init__(
        self, live: LiveBundle, *, clock: Callable[[], float], concurrent_batches: int
    ) -> None:
        """Takes the bundle holder and a clock of Unix seconds.

        Batches may hold at most `concurrent_batches` of the server's threads, so that bulk
        callers leave threads to the shop's pages.
        """
        self._live = live
        self._clock = clock
        self._batches = BoundedSemaphore(concurrent_batches)

    def Recommend(
        self,
        request: RecommendRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> RecommendResponse:
        """Returns one list."""
        recommender = self._live.recommender()
        query = to_query(request, int(self._clock()))
        details = DetailsReader(recommender.catalogue, request.item_fields, request.market)
        [answer] = recommender.recommend([query])
        bind_contextvars(
            placement=answer.placement,
            bundle_version=answer.bundle_version,
            tier=answer.tier.name.lower(),
            items=len(answer.items),
        )
        return to_response(answer, query, details)

    def RecommendBatch(
        self,
        request: RecommendBatchRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> Iterator[RecommendBatchResponse]:
        """Yields the lists of many customers, made as fast as the caller reads them."""
        if not self._batches.acquire(blocking=False):
            raise OverloadedError("this server is working on as many batches as it may")
        try:
            yield from self._chunks(request)
        finally:
            self._batches.release()

    def _chunks(self, request: RecommendBatchRequest) -> Iterator[RecommendBatchResponse]:
        recommender = self._live.recommender()
        queries = to_queries(request, int(self._clock()))
        details = DetailsReader(recommender.catalogue, request.item_fields, request.market)
        size = max(1, min(MESSAGE_CUSTOMERS, MESSAGE_ITEMS // queries[0].limit))
        items = 0
        for start in range(0, len(queries), size):
            chunk = queries[start : start + size]
            answers = recommender.recommend(chunk)
            items += sum(len(answer.items) for answer in answers)
            bind_contextvars(
                placement=answers[0].placement,
                bundle_version=answers[0].bundle_version,
                customers=start + len(chunk),
                items=items,
            )
            yield to_batch_response(answers, chunk, details)
