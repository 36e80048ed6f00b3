"""The methods of OfferService: check, decide or change, answer."""

import uuid
from collections.abc import Callable, Iterator, Sequence

import grpc
from structlog.contextvars import bind_contextvars

from recsys.client.offer_messages import to_offers
from recsys.errors import (
    InvalidFilterError,
    InvalidQueryError,
    StoreNotConfiguredError,
    UnknownOfferError,
)
from recsys.live.attribution import Shown
from recsys.offers.eligibility import Conditions
from recsys.offers.facts import Knowledge
from recsys.offers.offer import Offer, to_micros
from recsys.store.choosing import Outcome
from recsys.store.offers import Offers
from recsys.store.plans import Plans
from recsys.store.store import Store
from recsys.v1 import offer_service_pb2 as pb
from recsys.v1.offer_service_pb2_grpc import OfferServiceServicer
from serving.answering.attribution import Attribution
from serving.answering.offering import PLACEMENT, Offering, OfferQuery
from serving.messages.limits import check_count, checked_customer_id, checked_text
from serving.messages.offer_requests import (
    MAX_OFFERS,
    page_of,
    to_choose_time,
    to_offer_query,
    to_request_id,
    to_updates,
)
from serving.messages.offer_responses import NextOffer, to_contact, to_response, to_state
from serving.servicers import plan_calls
from serving.state.live_state import LiveState
from serving.state.snapshot import Live

ALTERNATES, MOST_ALTERNATES = 3, 50
PAGE, MOST_ON_PAGE = 100, 1_000


class OfferService(OfferServiceServicer):
    """Keeps offers and gives them; raises domain errors and never aborts a call itself."""

    def __init__(
        self,
        live: Live,
        store: Store | None,
        *,
        state: LiveState,
        attribution: Attribution,
        clock: Callable[[], float],
    ) -> None:
        """Takes what answers are made of.

        Args:
            live: holds the snapshot.
            store: holds offers and contacts; None: the server has none, and gives nothing.
            state: adds to a query what happened since the bundle was fitted.
            attribution: signs answers.
            clock: returns Unix seconds.
        """
        self._live = live
        self._store = store
        self._state = state
        self._attribution = attribution
        self._clock = clock

    def UpsertOffers(
        self,
        request: pb.UpsertOffersRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.UpsertOffersResponse:
        """Creates or replaces offers, all or none."""
        offers = self._offers()
        given = self._checked(request.offers)
        created, replaced = offers.upsert([_stored(offer) for offer in given])
        self._live.refresh()  # here at once, in the other processes within a moment
        bind_contextvars(offers=len(given))
        return pb.UpsertOffersResponse(created_count=created, replaced_count=replaced)

    def GetOffer(
        self,
        request: pb.GetOfferRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.GetOfferResponse:
        """Returns one offer."""
        offer_id = checked_text(request.offer_id, "offer_id")
        found = self._offers().of([offer_id]).get(offer_id)
        if found is None or found.removed:
            raise UnknownOfferError("there is no such offer")
        return pb.GetOfferResponse(offer=to_state(found))

    def ListOffers(
        self,
        request: pb.ListOffersRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.ListOffersResponse:
        """Returns a page of offers in the order of their ids."""
        size = page_of(request.page_size, PAGE, MOST_ON_PAGE)
        left = [each for each in self._offers().all() if each.offer_id > request.page_token]
        more = left[size - 1].offer_id if len(left) > size else ""
        return pb.ListOffersResponse(offers=map(to_state, left[:size]), next_page_token=more)

    def RemoveOffers(
        self,
        request: pb.RemoveOffersRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.RemoveOffersResponse:
        """Takes offers from everybody."""
        offers = self._offers()
        _check_some(request.offer_ids, "offer_ids", MAX_OFFERS)
        ids = [
            checked_text(each, f"offer_ids[{place}]")
            for place, each in enumerate(request.offer_ids)
        ]
        removed, missing = offers.remove(ids)
        self._live.refresh()
        return pb.RemoveOffersResponse(removed_count=removed, missing_count=missing)

    def NextBestOffer(
        self,
        request: pb.NextBestOfferRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.NextBestOfferResponse:
        """Returns the best offer for one customer, and takes what it takes."""
        offering = self.offering()
        query = to_offer_query(request, int(offering.now))
        request_id = to_request_id(request.request_id) or uuid.uuid4().hex
        answer = self._answer(offering, query, request, request_id)
        bind_contextvars(
            channel=query.channel,
            outcome=answer.outcome,
            bundle_version=offering.recommender.bundle_version,
        )
        token = self._attribution.token(
            Shown(
                request_id,
                PLACEMENT,
                offering.recommender.bundle_version,
                "",
                "",
                int(offering.now * 1_000),
            )
        )
        return to_response(answer, offering, request_id, token)

    def RecordContacts(
        self,
        request: pb.RecordContactsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.RecordContactsResponse:
        """Notes what became of contacts."""
        updates = to_updates(request.updates, int(self._clock() * 1_000_000))
        done = self._offers().record(updates)
        bind_contextvars(updates=len(updates))
        return pb.RecordContactsResponse(
            recorded_count=done.recorded,
            duplicate_count=done.unchanged,
            missing_contact_ids=done.missing,
        )

    def ListContacts(
        self,
        request: pb.ListContactsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.ListContactsResponse:
        """Returns a customer's contacts."""
        size = page_of(request.page_size, PAGE, MOST_ON_PAGE)
        customer_id = checked_customer_id(request.customer_id, "customer_id")
        contacts = self._offers().contacts(customer_id, size)
        return pb.ListContactsResponse(contacts=map(to_contact, contacts))

    def ListPlans(
        self,
        request: pb.ListPlansRequest,  # noqa: ARG002  it says nothing
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.ListPlansResponse:
        """Returns the finished plans."""
        return plan_calls.listed(self._plans())

    def StreamPlan(
        self,
        request: pb.StreamPlanRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> Iterator[pb.StreamPlanResponse]:
        """Yields the rows of a plan."""
        yield from plan_calls.streamed(self._plans(), self._attribution, request)

    def ResolveOffer(
        self,
        request: pb.ResolveOfferRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.ResolveOfferResponse:
        """Returns a customer's offer at the moment of opening."""
        offering = self.offering()
        return plan_calls.resolved(self._plans(), offering, self._attribution, request)

    def offering(self) -> Offering:
        """Returns what offers are judged with now.

        Raises:
            StoreNotConfiguredError: the server has no store.
            BundleNotReadyError: the first bundle is not loaded yet.
        """
        return Offering(self._live.snapshot(), self._state, self._offers(), self._clock())

    def _answer(
        self,
        offering: Offering,
        query: OfferQuery,
        request: pb.NextBestOfferRequest,
        request_id: str,
    ) -> NextOffer:
        if request.request_id:
            known = offering.offers.contact(request_id)
            if known is not None:
                asked = offering.judged(query)
                repeated = offering.choosing(
                    asked, query, contact_id=request_id, time=0, alternates=0
                )
                return NextOffer.of(asked, offering.offers.look(repeated))
        judged = offering.judged(query)
        if judged.known.consent_refused:
            return NextOffer(judged, Outcome.NO_CONSENT)
        if isinstance(judged.found, str):
            return NextOffer(judged, judged.found)
        choosing = offering.choosing(
            judged,
            query,
            contact_id=request_id,
            time=to_choose_time(request, offering.now),
            alternates=page_of(request.page_size, ALTERNATES, MOST_ALTERNATES),
        )
        if request.dry_run:
            return NextOffer.of(judged, offering.offers.look(choosing), dry_run=True)
        return NextOffer.of(judged, offering.offers.give(choosing))

    def _checked(self, messages: Sequence[pb.Offer]) -> list[Offer]:
        """Returns the offers of a request once all of them can be given.

        Raises:
            InvalidOfferError: fields are wrong.
            InvalidFilterError: an eligibility is no expression over customer columns.
            InvalidQueryError: there are none or too many, or one of them twice.
        """
        _check_some(messages, "offers", MAX_OFFERS)
        given = to_offers(messages, "offers")
        met: set[str] = set()
        for place, offer in enumerate(given):
            if offer.offer_id in met:
                raise InvalidQueryError(f"offers[{place}].offer_id", "stands twice")
            met.add(offer.offer_id)
        known = Knowledge.of(self._live.snapshot().recommender)
        for place, error in sorted(Conditions.of(given, known).refused.items()):
            field = f"offers[{place}].{error.field}"
            raise InvalidFilterError(error.description, error.position, field=field)
        return given

    def _plans(self) -> Plans:
        return Plans(self._offers().store)

    def _offers(self) -> Offers:
        if self._store is None:
            raise StoreNotConfiguredError("this server runs without an event store")
        return Offers(self._store)


def _stored(offer: Offer) -> tuple[str, str, int | None, int | None]:
    budget = None if offer.budget is None else to_micros(offer.budget)
    return offer.offer_id, offer.model_dump_json(), offer.voucher_stock, budget


def _check_some(values: Sequence[object], field: str, most: int) -> None:
    if not values:
        raise InvalidQueryError(field, "must not be empty")
    check_count(values, field, most)
