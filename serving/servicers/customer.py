"""The methods of CustomerService: check, look or change, answer."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from structlog.contextvars import bind_contextvars

from recsys.errors import InvalidQueryError, StoreNotConfiguredError
from recsys.store.consent import Consent
from recsys.store.customers import Customers
from recsys.store.store import Store
from recsys.types import visitor_key
from recsys.v1 import customer_service_pb2 as pb
from recsys.v1.customer_service_pb2_grpc import CustomerServiceServicer
from serving.messages.limits import checked_customer_id, checked_text
from serving.state.held_bundles import HoldingBundle, holding, records

MESSAGE_RECORDS = 500
MESSAGE_BYTES = 1 << 20
"""Most records and bytes in one message of an export, or one record: clients take 4 MiB."""

Named = pb.ExportCustomerRequest | pb.EraseCustomerRequest | pb.VerifyErasureRequest
"""Requests that name a customer, or a visitor who never logged in."""


class CustomerService(CustomerServiceServicer):
    """Shows and forgets customers; raises domain errors and never aborts a call itself."""

    def __init__(self, store: Store | None, *, bundles: Path) -> None:
        """Takes the store, if the server has one, and the bundle root."""
        self._store = store
        self._bundles = bundles

    def ExportCustomer(
        self,
        request: pb.ExportCustomerRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> Iterator[pb.ExportCustomerResponse]:
        """Yields all that is held, made as fast as the caller reads it."""
        customers, customer_id = self._customers(), _named(request)
        names = customers.known_as(customer_id)
        bundled = (("bundle", record) for record in records(self._bundles, names))
        count = 0
        for part in _messages(chain(customers.records(customer_id), bundled)):
            count += len(part.records)
            bind_contextvars(records=count)
            yield part

    def EraseCustomer(
        self,
        request: pb.EraseCustomerRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.EraseCustomerResponse:
        """Forgets a customer and returns the receipt."""
        customers = self._customers()
        done = customers.erase(_named(request))
        held = holding(self._bundles, done.customer_ids, customers.store.id)
        receipt_id = uuid.uuid4().hex
        bind_contextvars(receipt_id=receipt_id, records=sum(done.counts.values()))
        return pb.EraseCustomerResponse(
            receipt_id=receipt_id,
            erase_time=_timestamp(done.erase_time),
            erased=_places(done.counts),
            bundles=map(_bundle, held),
        )

    def VerifyErasure(
        self,
        request: pb.VerifyErasureRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.VerifyErasureResponse:
        """Looks for what is left of a customer."""
        customers = self._customers()
        left = customers.find(_named(request))
        stone = left.tombstone
        held = holding(self._bundles, left.customer_ids, customers.store.id)
        older = [each for each in held if stone is None or each.position <= stone.position]
        return pb.VerifyErasureResponse(
            erased=stone is not None,
            erase_time=None if stone is None else _timestamp(stone.erase_time),
            found=_places({place: count for place, count in left.counts.items() if count}),
            bundles=map(_bundle, older),
        )

    def SetConsent(
        self,
        request: pb.SetConsentRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.SetConsentResponse:
        """Sets what holds from the next answer on."""
        customers = self._customers()
        customer_id = checked_customer_id(request.customer_id, "customer_id")
        if not request.HasField("consent"):
            raise InvalidQueryError("consent", "must be given")
        told = request.consent
        consent = Consent(told.recommend_on_site, told.use_in_email, told.use_in_training)
        customers.set_consent(customer_id, consent)
        return pb.SetConsentResponse(consent=pb.Consent(**consent._asdict()))

    def GetConsent(
        self,
        request: pb.GetConsentRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> pb.GetConsentResponse:
        """Returns what holds."""
        customers = self._customers()
        stored = customers.consent(checked_customer_id(request.customer_id, "customer_id"))
        return pb.GetConsentResponse(
            consent=pb.Consent(**stored.consent._asdict()),
            set_time=None if stored.set_time is None else _timestamp(stored.set_time),
        )

    def _customers(self) -> Customers:
        if self._store is None:
            raise StoreNotConfiguredError("this server runs without an event store")
        return Customers(self._store)


def _named(request: Named) -> str:
    """Returns the customer whom a request names, or the visitor's key."""
    if request.customer_id and request.visitor_id:
        raise InvalidQueryError("visitor_id", "must be empty when customer_id is given")
    if request.visitor_id:
        return visitor_key(checked_text(request.visitor_id, "visitor_id"))
    return checked_customer_id(request.customer_id, "customer_id")


def _messages(
    found: Iterable[tuple[str, Mapping[str, Any]]],
) -> Iterator[pb.ExportCustomerResponse]:
    message, size = pb.ExportCustomerResponse(), 0
    for kind, columns in found:
        record = pb.CustomerRecord(kind=kind)
        record.record.update(columns)
        more = record.ByteSize()
        if message.records and (
            len(message.records) == MESSAGE_RECORDS or size + more > MESSAGE_BYTES
        ):
            yield message
            message, size = pb.ExportCustomerResponse(), 0
        message.records.append(record)
        size += more
    if message.records:
        yield message


def _places(counts: Mapping[str, int]) -> list[pb.ErasedRecords]:
    return [pb.ErasedRecords(place=place, count=count) for place, count in counts.items()]


def _bundle(held: HoldingBundle) -> pb.HoldingBundle:
    return pb.HoldingBundle(
        bundle_version=held.bundle_version,
        current=held.current,
        newer_bundles_until_removed=held.newer_until_removed,
    )


def _timestamp(microseconds: int) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromMicroseconds(microseconds)
    return timestamp
