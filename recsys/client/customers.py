"""What customers may ask, as calls of both clients: show me, forget me, use it only for this."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from recsys.client.checks import flag, instance, name_text, text
from recsys.client.errors import ArgumentError, from_rpc_error
from recsys.store.consent import Consent
from recsys.v1 import customer_service_pb2 as pb
from recsys.v1.customer_service_pb2_grpc import CustomerServiceStub

TIMEOUT_S = 600.0
"""Seconds for what looks through tables, archives and bundles."""


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """One thing that is held on a customer."""

    kind: str
    """`event`, `archived-event`, `visitor`, `impression`, `consent` or `bundle`."""
    record: Mapping[str, object]
    """Its columns by name; times are RFC 3339 text."""


@dataclass(frozen=True, slots=True)
class HoldingBundle:
    """A bundle that was fitted while the customer was known; servers ignore what it holds."""

    bundle_version: str
    current: bool
    newer_bundles_until_removed: int
    """How many bundles must be published until it is removed, if the newest five are kept."""


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What an erasure removed where; it does not name the customer."""

    receipt_id: str
    erase_time: datetime
    erased: Mapping[str, int]
    """Records by place."""
    bundles: Sequence[HoldingBundle]


@dataclass(frozen=True, slots=True)
class ErasureFindings:
    """What is left of a customer."""

    erase_time: datetime | None
    """Of the last erasure; None: none is on record."""
    found: Mapping[str, int]
    """Records by place; empty if nothing is left."""
    bundles: Sequence[HoldingBundle]


class CustomerCalls:
    """Calls of `RecsysClient`. Each names a customer, or a visitor who never logged in.

    Every call may raise `VisitorTakenError` for a visitor who is linked to a customer,
    `StoreNotConfiguredError`, `StoreUnavailableError` and `CallError`.
    """

    _channel: grpc.Channel
    _timeout_s: float

    def export_customer(
        self, customer_id: str = "", *, visitor_id: str = ""
    ) -> Iterator[CustomerRecord]:
        """Yields everything that is held on a customer, as it is read."""
        request = pb.ExportCustomerRequest(**_who(customer_id, visitor_id))
        responses = CustomerServiceStub(self._channel).ExportCustomer(request, timeout=TIMEOUT_S)
        try:
            for response in responses:
                yield from _records(response)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        finally:
            responses.cancel()

    def erase_customer(self, customer_id: str = "", *, visitor_id: str = "") -> ErasureReceipt:
        """Forgets a customer and all linked visitors; may be called again."""
        request = pb.EraseCustomerRequest(**_who(customer_id, visitor_id))
        try:
            stub = CustomerServiceStub(self._channel)
            return _receipt(stub.EraseCustomer(request, timeout=TIMEOUT_S))
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def verify_erasure(self, customer_id: str = "", *, visitor_id: str = "") -> ErasureFindings:
        """Looks for what is left of a customer."""
        request = pb.VerifyErasureRequest(**_who(customer_id, visitor_id))
        try:
            stub = CustomerServiceStub(self._channel)
            return _findings(stub.VerifyErasure(request, timeout=TIMEOUT_S))
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def set_consent(self, customer_id: str, consent: Consent) -> None:
        """Says what a customer's data may be used for, from the next answer on."""
        request = _consent_request(customer_id, consent)
        try:
            CustomerServiceStub(self._channel).SetConsent(request, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def consent(self, customer_id: str) -> Consent:
        """Returns what a customer's data may be used for."""
        request = pb.GetConsentRequest(customer_id=name_text("customer_id", customer_id))
        try:
            stub = CustomerServiceStub(self._channel)
            return _consent(stub.GetConsent(request, timeout=self._timeout_s))
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None


class AsyncCustomerCalls:
    """Calls of `AsyncRecsysClient`; arguments, answers and errors are those of `CustomerCalls`."""

    _channel: grpc.aio.Channel
    _timeout_s: float

    async def export_customer(
        self, customer_id: str = "", *, visitor_id: str = ""
    ) -> AsyncIterator[CustomerRecord]:
        """Yields everything that is held on a customer, as it is read."""
        request = pb.ExportCustomerRequest(**_who(customer_id, visitor_id))
        responses = CustomerServiceStub(self._channel).ExportCustomer(request, timeout=TIMEOUT_S)
        try:
            async for response in responses:
                for record in _records(response):
                    yield record
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            responses.cancel()

    async def erase_customer(
        self, customer_id: str = "", *, visitor_id: str = ""
    ) -> ErasureReceipt:
        """Forgets a customer and all linked visitors; may be called again."""
        request = pb.EraseCustomerRequest(**_who(customer_id, visitor_id))
        try:
            stub = CustomerServiceStub(self._channel)
            return _receipt(await stub.EraseCustomer(request, timeout=TIMEOUT_S))
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def verify_erasure(
        self, customer_id: str = "", *, visitor_id: str = ""
    ) -> ErasureFindings:
        """Looks for what is left of a customer."""
        request = pb.VerifyErasureRequest(**_who(customer_id, visitor_id))
        try:
            stub = CustomerServiceStub(self._channel)
            return _findings(await stub.VerifyErasure(request, timeout=TIMEOUT_S))
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def set_consent(self, customer_id: str, consent: Consent) -> None:
        """Says what a customer's data may be used for, from the next answer on."""
        request = _consent_request(customer_id, consent)
        try:
            stub = CustomerServiceStub(self._channel)
            await stub.SetConsent(request, timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def consent(self, customer_id: str) -> Consent:
        """Returns what a customer's data may be used for."""
        request = pb.GetConsentRequest(customer_id=name_text("customer_id", customer_id))
        try:
            stub = CustomerServiceStub(self._channel)
            return _consent(await stub.GetConsent(request, timeout=self._timeout_s))
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None


def _records(response: pb.ExportCustomerResponse) -> Iterator[CustomerRecord]:
    for each in response.records:
        yield CustomerRecord(each.kind, MessageToDict(each.record))


def _receipt(response: pb.EraseCustomerResponse) -> ErasureReceipt:
    return ErasureReceipt(
        response.receipt_id,
        _time(response.erase_time),
        {each.place: each.count for each in response.erased},
        _bundles(response.bundles),
    )


def _findings(response: pb.VerifyErasureResponse) -> ErasureFindings:
    return ErasureFindings(
        _time(response.erase_time) if response.erased else None,
        {each.place: each.count for each in response.found},
        _bundles(response.bundles),
    )


def _bundles(bundles: Sequence[pb.HoldingBundle]) -> Sequence[HoldingBundle]:
    return tuple(
        HoldingBundle(each.bundle_version, each.current, each.newer_bundles_until_removed)
        for each in bundles
    )


def _who(customer_id: str, visitor_id: str) -> dict[str, str]:
    """Returns whom a call is about, one of the two.

    Raises:
        ArgumentError: an id is no text, or neither or both are given.
    """
    ids = {
        "customer_id": text("customer_id", customer_id),
        "visitor_id": text("visitor_id", visitor_id),
    }
    if bool(customer_id) == bool(visitor_id):
        count = "both are" if customer_id else "neither is"
        raise ArgumentError("customer_id", f"give it or visitor_id; {count} given")
    return ids


def _consent_request(customer_id: str, consent: Consent) -> pb.SetConsentRequest:
    checked: Consent = instance("consent", consent, Consent, "(use_in_email=False)")
    values = {name: flag(f"consent.{name}", each) for name, each in checked._asdict().items()}
    return pb.SetConsentRequest(
        customer_id=name_text("customer_id", customer_id), consent=pb.Consent(**values)
    )


def _consent(response: pb.GetConsentResponse) -> Consent:
    told = response.consent
    return Consent(told.recommend_on_site, told.use_in_email, told.use_in_training)


def _time(time: Timestamp) -> datetime:
    return time.ToDatetime(UTC)
