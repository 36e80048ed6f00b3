"""The methods of RecommendationService: convert, call, convert."""

from collections.abc import Callable, Iterator
from threading import BoundedSemaphore

import grpc
from structlog.contextvars import bind_contextvars

from recsys.pipeline.customers import recommend_customers
from recsys.pipeline.labels import recommend_labels
from recsys.v1.recommendation_service_pb2 import (
    ListPlacementsRequest,
    ListPlacementsResponse,
    RankItemsRequest,
    RankItemsResponse,
    RecommendBatchRequest,
    RecommendBatchResponse,
    RecommendCustomersRequest,
    RecommendCustomersResponse,
    RecommendLabelsRequest,
    RecommendLabelsResponse,
    RecommendPageRequest,
    RecommendPageResponse,
    RecommendRequest,
    RecommendResponse,
)
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceServicer
from serving.answering.answers import Answer, Asking, answer_all
from serving.answering.attribution import Attribution
from serving.answering.page import answer_page
from serving.answering.whom import Whom
from serving.errors import OverloadedError
from serving.messages.call_requests import (
    to_customers_query,
    to_labels_query,
    to_order,
    to_page,
)
from serving.messages.details import DetailsReader
from serving.messages.placements import (
    to_customers_response,
    to_labels_response,
    to_placements_response,
)
from serving.messages.requests import to_audience_purpose, to_purpose, to_queries, to_query
from serving.messages.responses import (
    to_batch_response,
    to_order_response,
    to_page_response,
    to_response,
)
from serving.state.live_state import LiveState
from serving.state.snapshot import Live

MESSAGE_CUSTOMERS = 64
MESSAGE_ITEMS = 6_400
"""Most customers and items in one message of a batch: about 2 MiB, half of what a client takes."""


class RecommendationService(RecommendationServiceServicer):
    """Answers from the snapshot; raises domain errors and never aborts a call itself."""

    def __init__(
        self,
        live: Live,
        *,
        attribution: Attribution,
        state: LiveState,
        whom: Whom,
        clock: Callable[[], float],
        concurrent_batches: int,
    ) -> None:
        """Takes what answers are made of.

        Args:
            live: holds the snapshot.
            attribution: notes what is answered.
            state: adds to queries what happened since the bundle was fitted.
            whom: says which customers may be named.
            clock: returns Unix seconds.
            concurrent_batches: batches in work at most.

        Batches may hold at most `concurrent_batches` of the server's threads, so that bulk
        callers leave threads to the shop's pages.
        """
        self._live = live
        self._attribution = attribution
        self._state = state
        self._whom = whom
        self._clock = clock
        self._batches = BoundedSemaphore(concurrent_batches)

    def Recommend(
        self,
        request: RecommendRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> RecommendResponse:
        """Returns one list."""
        snapshot, now = self._live.snapshot(), self._clock()
        query = to_query(request, int(now))
        catalogue = snapshot.recommender.catalogue
        details = DetailsReader(catalogue, request.item_fields, request.market)
        purpose = to_purpose(request.purpose)
        answers = answer_all(snapshot, [query], now, state=self._state, purpose=purpose)
        [answer] = self._attribution.note(answers)
        _log_fields(answer)
        return to_response(answer, details)

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

    def RecommendPage(
        self,
        request: RecommendPageRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> RecommendPageResponse:
        """Returns the lists of a page, no product twice, all from one snapshot."""
        snapshot, now = self._live.snapshot(), self._clock()
        queries = to_page(request, int(now))
        catalogue = snapshot.recommender.catalogue
        details = DetailsReader(catalogue, request.item_fields, request.market)
        asking = Asking(snapshot, now, self._state, to_purpose(request.purpose))
        answers = self._attribution.note(answer_page(asking, queries))
        bind_contextvars(
            bundle_version=snapshot.recommender.bundle_version,
            slots=len(answers),
            items=sum(len(answer.recommendations.items) for answer in answers),
            live_events=answers[0].live_event_count,
        )
        return to_page_response(answers, details)

    def RankItems(
        self,
        request: RankItemsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> RankItemsResponse:
        """Returns given items in the order of a placement."""
        snapshot, now = self._live.snapshot(), self._clock()
        query, purpose = to_order(request, int(now)), to_purpose(request.purpose)
        answers = answer_all(snapshot, [query], now, state=self._state, purpose=purpose)
        [answer] = self._attribution.note(answers)
        _log_fields(answer)
        return to_order_response(answer)

    def RecommendLabels(
        self,
        request: RecommendLabelsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> RecommendLabelsResponse:
        """Returns labels of the catalogue."""
        snapshot, now = self._live.snapshot(), self._clock()
        query = to_labels_query(request, int(now))
        asking = Asking(snapshot, now, self._state, to_purpose(request.purpose))
        [known] = asking.known([query])
        asked = known.choice.asked(known.query, "")
        [told] = recommend_labels(known.choice.recommender, [asked])
        bind_contextvars(
            placement=told.placement,
            bundle_version=told.bundle_version,
            tier=told.tier.name.lower(),
            labels=len(told.labels),
            live_events=known.live_event_count,
        )
        return to_labels_response(told)

    def RecommendCustomers(
        self,
        request: RecommendCustomersRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> RecommendCustomersResponse:
        """Returns the customers of an item, without those who may not be told."""
        snapshot = self._live.snapshot()
        query = to_customers_query(request, int(self._clock()))
        keep = self._whom.keep(snapshot, query, to_audience_purpose(request.purpose))
        told = recommend_customers(snapshot.arrangement.control, query, keep)
        bind_contextvars(
            placement=told.placement,
            bundle_version=told.bundle_version,
            customers=len(told.customers),
        )
        return to_customers_response(told)

    def ListPlacements(
        self,
        request: ListPlacementsRequest,  # noqa: ARG002  it says nothing
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> ListPlacementsResponse:
        """Returns what placements there are."""
        return to_placements_response(self._live.snapshot().arrangement)

    def _chunks(self, request: RecommendBatchRequest) -> Iterator[RecommendBatchResponse]:
        snapshot = self._live.snapshot()
        queries, purpose = to_queries(request, int(self._clock())), to_purpose(request.purpose)
        catalogue = snapshot.recommender.catalogue
        details = DetailsReader(catalogue, request.item_fields, request.market)
        size = max(1, min(MESSAGE_CUSTOMERS, MESSAGE_ITEMS // queries[0].limit))
        items = 0
        for start in range(0, len(queries), size):
            chunk = queries[start : start + size]
            answers = self._attribution.note(
                answer_all(snapshot, chunk, self._clock(), state=self._state, purpose=purpose)
            )
            items += sum(len(answer.recommendations.items) for answer in answers)
            bind_contextvars(
                placement=chunk[0].placement,
                bundle_version=snapshot.recommender.bundle_version,
                customers=start + len(chunk),
                items=items,
            )
            yield to_batch_response(snapshot.recommender, answers, details)


def _log_fields(answer: Answer) -> None:
    """Adds to the call's log line what was answered."""
    told = answer.recommendations
    bind_contextvars(
        placement=told.placement,
        bundle_version=told.bundle_version,
        tier=told.tier.name.lower(),
        items=len(told.items),
        live_events=answer.live_event_count,
    )
    if answer.experiment is not None:
        bind_contextvars(experiment=answer.experiment.name, arm=answer.arm)
