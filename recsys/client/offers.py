"""Offers and contacts, as calls of both clients."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, TypedDict, Unpack

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from recsys.client.errors import from_rpc_error
from recsys.client.offer_messages import to_message, to_offers
from recsys.client.times import to_timestamp
from recsys.offers.offer import Offer
from recsys.offers.values import ValueBasis
from recsys.pipeline.query import Reason, RecentEvent
from recsys.store.contacts import ContactState
from recsys.types import ItemId
from recsys.v1 import offer_service_pb2 as pb
from recsys.v1.event_pb2 import Event
from recsys.v1.offer_service_pb2_grpc import OfferServiceStub

PAGE = 1_000
_BASES: Mapping[int, ValueBasis] = {
    pb.VALUE_BASIS_UPLIFT: ValueBasis.UPLIFT,
    pb.VALUE_BASIS_PROPENSITY: ValueBasis.PROPENSITY,
    pb.VALUE_BASIS_AFFINITY: ValueBasis.AFFINITY,
}
_STATES: "Mapping[ContactState, pb.ContactState.ValueType]" = {
    state: pb.ContactState.Value(f"CONTACT_STATE_{state.name}") for state in ContactState
}


class UpsertedOffers(NamedTuple):
    """What became of offers."""

    created: int
    replaced: int


@dataclass(frozen=True, slots=True)
class OfferState:
    """An offer and what is left of it."""

    offer: Offer
    vouchers_left: int | None
    """None: any number."""
    budget_left: float | None
    """None: the offer has no budget."""
    contact_count: int
    redemption_count: int


@dataclass(frozen=True, slots=True)
class OfferChoice:
    """An offer and what it is worth for one customer."""

    offer: Offer
    expected_value: float
    """Its cost taken off, in the shop's currency."""
    probability: float
    """That the customer redeems it."""
    expected_cost: float
    reasons: tuple[Reason, ...]
    item_ids: tuple[ItemId, ...]
    """Items of the offer that the customer is most likely to want, best first."""


@dataclass(frozen=True, slots=True)
class NextOffer:
    """The answer to one request for an offer."""

    best: OfferChoice | None
    """None: send nothing, `no_offer_reason` says why."""
    alternates: tuple[OfferChoice, ...]
    no_offer_reason: str
    """`not-eligible`, `capped`, `spent`, `below-min-value`, `no-consent` or `hold-out`; empty
    where there is an offer."""
    contact_id: str
    """For `record_contacts`; empty where none was recorded."""
    attribution_token: str
    """Echo it in the events that follow."""
    request_id: str
    value_basis: ValueBasis | None
    bundle_version: str
    values_version: str


@dataclass(frozen=True, slots=True)
class ContactUpdate:
    """Something that became of a contact."""

    contact_id: str
    state: ContactState
    event_time: datetime | None = None
    """None: now."""
    cost: float | None = None
    """What a redemption really cost; None: what the offer says."""


class RecordedContacts(NamedTuple):
    """What was done with updates."""

    recorded: int
    duplicates: int
    """Updates that changed nothing."""
    missing: tuple[str, ...]
    """Contacts that are not known."""


@dataclass(frozen=True, slots=True)
class CustomerContact:
    """One contact of a customer."""

    contact_id: str
    offer_id: str
    """Empty: the customer was held out."""
    channel: str
    choose_time: datetime
    state: ContactState
    plan_id: str
    """Empty: of no plan."""


class OfferSettings(TypedDict, total=False):
    """Keyword arguments with which an offer may be asked for."""

    customer_id: str
    """The customer; needed where no visitor is given."""
    visitor_id: str
    """The visitor who has not logged in."""
    query_time: datetime
    """The moment to answer for, with a time zone; by default now."""
    events: Sequence[RecentEvent]
    """What the customer did lately; up to 500."""
    exclude_offer_ids: Sequence[str]
    """Offers that must not be given; up to 1,000."""
    limit: int
    """Alternates wanted beside the best; by default 3, at most 50."""
    dry_run: bool
    """Answers without recording anything."""
    request_id: str
    """32 hexadecimal digits: a call that is repeated with it takes nothing again."""
    min_value: float
    """Least expected value that is worth a contact; by default as the deployment file says."""


class OfferCalls:
    """Calls of `RecsysClient`.

    Every call may raise `StoreNotConfiguredError`, `StoreUnavailableError` and `CallError`.
    """

    _channel: grpc.Channel
    _timeout_s: float

    def upsert_offers(self, offers: Iterable[Offer]) -> UpsertedOffers:
        """Creates or replaces up to 1,000 offers, all of them or none.

        Raises:
            InvalidOfferError: fields are wrong; `violations` says which.
            InvalidFilterError: an eligibility cannot be read; `field` and `position` say where.
        """
        request = _upsert_request(offers)
        try:
            done = OfferServiceStub(self._channel).UpsertOffers(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return UpsertedOffers(done.created_count, done.replaced_count)

    def offer(self, offer_id: str) -> OfferState:
        """Returns one offer.

        Raises:
            UnknownOfferError: there is none of this id.
        """
        request = pb.GetOfferRequest(offer_id=offer_id)
        try:
            found = OfferServiceStub(self._channel).GetOffer(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return _state(found.offer)

    def offers(self) -> Iterator[OfferState]:
        """Yields all offers in the order of their ids."""
        token = ""
        while True:
            request = pb.ListOffersRequest(page_size=PAGE, page_token=token)
            try:
                page = OfferServiceStub(self._channel).ListOffers(request, timeout=self._timeout_s)
            except grpc.RpcError as error:
                raise from_rpc_error(error) from None
            yield from map(_state, page.offers)
            token = page.next_page_token
            if not token:
                return

    def remove_offers(self, offer_ids: Sequence[str]) -> int:
        """Removes up to 1,000 offers; returns how many were there. Their contacts stay."""
        request = pb.RemoveOffersRequest(offer_ids=offer_ids)
        try:
            done = OfferServiceStub(self._channel).RemoveOffers(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return done.removed_count

    def next_best_offer(self, channel: str, **settings: Unpack[OfferSettings]) -> NextOffer:
        """Returns the best offer for one customer by a channel, or says to send nothing.

        The contact is recorded, and its voucher and cost taken, unless it is a dry run.

        Args:
            channel: such as `email`.
            **settings: who asks and what for, see `OfferSettings`.

        Raises:
            InvalidQueryError: an argument is out of range; `field` says which.
            ContactTakenError: the request id was used for another customer.
            BundleNotReadyError: the servers are still loading.
        """
        request = _next_request(channel, settings)
        try:
            answer = OfferServiceStub(self._channel).NextBestOffer(
                request, timeout=self._timeout_s
            )
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return _next_offer(answer)

    def record_contacts(self, updates: Iterable[ContactUpdate]) -> RecordedContacts:
        """Notes what became of up to 10,000 contacts; may be sent again.

        Raises:
            InvalidQueryError: an update is out of range; `field` says which.
        """
        request = _record_request(updates)
        try:
            done = OfferServiceStub(self._channel).RecordContacts(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return _recorded(done)

    def contacts(self, customer_id: str, *, limit: int = 0) -> list[CustomerContact]:
        """Returns a customer's contacts, the latest first; by default 100, at most 1,000."""
        request = pb.ListContactsRequest(customer_id=customer_id, page_size=limit)
        try:
            found = OfferServiceStub(self._channel).ListContacts(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return list(map(_contact, found.contacts))


class AsyncOfferCalls:
    """Calls of `AsyncRecsysClient`; arguments, answers and errors are those of `OfferCalls`."""

    _channel: grpc.aio.Channel
    _timeout_s: float

    async def upsert_offers(self, offers: Iterable[Offer]) -> UpsertedOffers:
        """Creates or replaces up to 1,000 offers, all of them or none."""
        request = _upsert_request(offers)
        try:
            stub = OfferServiceStub(self._channel)
            done = await stub.UpsertOffers(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return UpsertedOffers(done.created_count, done.replaced_count)

    async def offer(self, offer_id: str) -> OfferState:
        """Returns one offer."""
        request = pb.GetOfferRequest(offer_id=offer_id)
        try:
            stub = OfferServiceStub(self._channel)
            found = await stub.GetOffer(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return _state(found.offer)

    async def offers(self) -> AsyncIterator[OfferState]:
        """Yields all offers in the order of their ids."""
        token = ""
        while True:
            request = pb.ListOffersRequest(page_size=PAGE, page_token=token)
            try:
                stub = OfferServiceStub(self._channel)
                page = await stub.ListOffers(request, timeout=self._timeout_s)
            except grpc.aio.AioRpcError as error:
                raise from_rpc_error(error) from None
            for each in page.offers:
                yield _state(each)
            token = page.next_page_token
            if not token:
                return

    async def remove_offers(self, offer_ids: Sequence[str]) -> int:
        """Removes up to 1,000 offers; returns how many were there."""
        request = pb.RemoveOffersRequest(offer_ids=offer_ids)
        try:
            stub = OfferServiceStub(self._channel)
            done = await stub.RemoveOffers(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return done.removed_count

    async def next_best_offer(self, channel: str, **settings: Unpack[OfferSettings]) -> NextOffer:
        """Returns the best offer for one customer by a channel, or says to send nothing."""
        request = _next_request(channel, settings)
        try:
            stub = OfferServiceStub(self._channel)
            answer = await stub.NextBestOffer(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return _next_offer(answer)

    async def record_contacts(self, updates: Iterable[ContactUpdate]) -> RecordedContacts:
        """Notes what became of up to 10,000 contacts; may be sent again."""
        request = _record_request(updates)
        try:
            stub = OfferServiceStub(self._channel)
            done = await stub.RecordContacts(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return _recorded(done)

    async def contacts(self, customer_id: str, *, limit: int = 0) -> list[CustomerContact]:
        """Returns a customer's contacts, the latest first."""
        request = pb.ListContactsRequest(customer_id=customer_id, page_size=limit)
        try:
            stub = OfferServiceStub(self._channel)
            found = await stub.ListContacts(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return list(map(_contact, found.contacts))


def to_choice(message: pb.OfferChoice) -> OfferChoice:
    """Returns an offer and what it is worth."""
    return OfferChoice(
        offer=_offer(message.offer),
        expected_value=message.expected_value,
        probability=message.probability,
        expected_cost=message.expected_cost,
        reasons=tuple(
            Reason(
                each.code,
                tuple(map(ItemId, each.item_ids)),
                each.count,
                each.date.seconds if each.HasField("date") else None,
                each.label,
            )
            for each in message.reasons
        ),
        item_ids=tuple(map(ItemId, message.item_ids)),
    )


def _upsert_request(offers: Iterable[Offer]) -> pb.UpsertOffersRequest:
    return pb.UpsertOffersRequest(offers=map(to_message, offers))


def _next_request(channel: str, settings: OfferSettings) -> pb.NextBestOfferRequest:
    request = pb.NextBestOfferRequest(
        channel=channel,
        customer_id=settings.get("customer_id", ""),
        visitor_id=settings.get("visitor_id", ""),
        exclude_offer_ids=settings.get("exclude_offer_ids", ()),
        page_size=settings.get("limit", 0),
        dry_run=settings.get("dry_run", False),
        request_id=settings.get("request_id", ""),
        min_value=settings.get("min_value"),
        events=[
            Event(
                item_id=event.item_id,
                event_type=event.event_type.value,
                event_time=Timestamp(seconds=event.event_time),
            )
            for event in settings.get("events", ())
        ],
    )
    time = settings.get("query_time")
    if time is not None:
        request.query_time.CopyFrom(to_timestamp(time, "query_time"))
    return request


def _record_request(updates: Iterable[ContactUpdate]) -> pb.RecordContactsRequest:
    return pb.RecordContactsRequest(
        updates=[
            pb.ContactUpdate(
                contact_id=each.contact_id,
                state=_STATES[each.state],
                event_time=None
                if each.event_time is None
                else to_timestamp(each.event_time, "event_time"),
                cost=each.cost,
            )
            for each in updates
        ]
    )


def _recorded(done: pb.RecordContactsResponse) -> RecordedContacts:
    return RecordedContacts(
        done.recorded_count, done.duplicate_count, tuple(done.missing_contact_ids)
    )


def _next_offer(answer: pb.NextBestOfferResponse) -> NextOffer:
    reason = pb.NoOfferReason.Name(answer.no_offer_reason).removeprefix("NO_OFFER_REASON_")
    return NextOffer(
        best=to_choice(answer.best) if answer.send else None,
        alternates=tuple(map(to_choice, answer.alternates)),
        no_offer_reason="" if answer.send else reason.lower().replace("_", "-"),
        contact_id=answer.contact_id,
        attribution_token=answer.attribution_token,
        request_id=answer.request_id,
        value_basis=_BASES.get(answer.value_basis),
        bundle_version=answer.bundle_version,
        values_version=answer.values_version,
    )


def _state(message: pb.OfferState) -> OfferState:
    return OfferState(
        offer=_offer(message.offer),
        vouchers_left=message.vouchers_left if message.HasField("vouchers_left") else None,
        budget_left=message.budget_left if message.HasField("budget_left") else None,
        contact_count=message.contact_count,
        redemption_count=message.redemption_count,
    )


def _offer(message: pb.Offer) -> Offer:
    [offer] = to_offers([message], "offer")
    return offer


def _contact(message: pb.Contact) -> CustomerContact:
    name = pb.ContactState.Name(message.state).removeprefix("CONTACT_STATE_")
    return CustomerContact(
        contact_id=message.contact_id,
        offer_id=message.offer_id,
        channel=message.channel,
        choose_time=message.choose_time.ToDatetime(UTC),
        state=ContactState(name.lower()),
        plan_id=message.plan_id,
    )
