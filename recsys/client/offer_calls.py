"""Offers and contacts, as calls of both clients."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Unpack

import grpc

from recsys.client.checks import count, name_text, texts
from recsys.client.errors import from_rpc_error
from recsys.client.offer_requests import (
    ContactUpdate,
    OfferSettings,
    next_request,
    record_request,
    upsert_request,
)
from recsys.client.offer_results import (
    CustomerContact,
    NextOffer,
    OfferState,
    RecordedContacts,
    UpsertedOffers,
    to_contact,
    to_next_offer,
    to_recorded,
    to_state,
)
from recsys.offers.offer import Offer
from recsys.v1 import offer_service_pb2 as pb
from recsys.v1.offer_service_pb2_grpc import OfferServiceStub

PAGE = 1_000


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
        request = upsert_request(offers)
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
        request = pb.GetOfferRequest(offer_id=name_text("offer_id", offer_id))
        try:
            found = OfferServiceStub(self._channel).GetOffer(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return to_state(found.offer)

    def offers(self) -> Iterator[OfferState]:
        """Yields all offers in the order of their ids."""
        token = ""
        while True:
            request = pb.ListOffersRequest(page_size=PAGE, page_token=token)
            try:
                page = OfferServiceStub(self._channel).ListOffers(request, timeout=self._timeout_s)
            except grpc.RpcError as error:
                raise from_rpc_error(error) from None
            yield from map(to_state, page.offers)
            token = page.next_page_token
            if not token:
                return

    def remove_offers(self, offer_ids: Sequence[str]) -> int:
        """Removes up to 1,000 offers; returns how many were there. Their contacts stay."""
        request = pb.RemoveOffersRequest(offer_ids=texts("offer_ids", offer_ids))
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
        request = next_request(channel, settings)
        try:
            answer = OfferServiceStub(self._channel).NextBestOffer(
                request, timeout=self._timeout_s
            )
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return to_next_offer(answer)

    def record_contacts(self, updates: Iterable[ContactUpdate]) -> RecordedContacts:
        """Notes what became of up to 10,000 contacts; may be sent again.

        Raises:
            InvalidQueryError: an update is out of range; `field` says which.
        """
        request = record_request(updates)
        try:
            done = OfferServiceStub(self._channel).RecordContacts(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return to_recorded(done)

    def contacts(self, customer_id: str, *, limit: int = 0) -> list[CustomerContact]:
        """Returns a customer's contacts, the latest first; by default 100, at most 1,000."""
        request = pb.ListContactsRequest(
            customer_id=name_text("customer_id", customer_id), page_size=count("limit", limit)
        )
        try:
            found = OfferServiceStub(self._channel).ListContacts(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return list(map(to_contact, found.contacts))


class AsyncOfferCalls:
    """Calls of `AsyncRecsysClient`; arguments, answers and errors are those of `OfferCalls`."""

    _channel: grpc.aio.Channel
    _timeout_s: float

    async def upsert_offers(self, offers: Iterable[Offer]) -> UpsertedOffers:
        """Creates or replaces up to 1,000 offers, all of them or none."""
        request = upsert_request(offers)
        try:
            stub = OfferServiceStub(self._channel)
            done = await stub.UpsertOffers(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return UpsertedOffers(done.created_count, done.replaced_count)

    async def offer(self, offer_id: str) -> OfferState:
        """Returns one offer."""
        request = pb.GetOfferRequest(offer_id=name_text("offer_id", offer_id))
        try:
            stub = OfferServiceStub(self._channel)
            found = await stub.GetOffer(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return to_state(found.offer)

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
                yield to_state(each)
            token = page.next_page_token
            if not token:
                return

    async def remove_offers(self, offer_ids: Sequence[str]) -> int:
        """Removes up to 1,000 offers; returns how many were there."""
        request = pb.RemoveOffersRequest(offer_ids=texts("offer_ids", offer_ids))
        try:
            stub = OfferServiceStub(self._channel)
            done = await stub.RemoveOffers(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return done.removed_count

    async def next_best_offer(self, channel: str, **settings: Unpack[OfferSettings]) -> NextOffer:
        """Returns the best offer for one customer by a channel, or says to send nothing."""
        request = next_request(channel, settings)
        try:
            stub = OfferServiceStub(self._channel)
            answer = await stub.NextBestOffer(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return to_next_offer(answer)

    async def record_contacts(self, updates: Iterable[ContactUpdate]) -> RecordedContacts:
        """Notes what became of up to 10,000 contacts; may be sent again."""
        request = record_request(updates)
        try:
            stub = OfferServiceStub(self._channel)
            done = await stub.RecordContacts(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return to_recorded(done)

    async def contacts(self, customer_id: str, *, limit: int = 0) -> list[CustomerContact]:
        """Returns a customer's contacts, the latest first."""
        request = pb.ListContactsRequest(
            customer_id=name_text("customer_id", customer_id), page_size=count("limit", limit)
        )
        try:
            stub = OfferServiceStub(self._channel)
            found = await stub.ListContacts(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return list(map(to_contact, found.contacts))
