"""Calls of both clients that write to the event log."""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import grpc

from recsys.client.errors import from_rpc_error
from recsys.client.events import (
    NOTHING_WRITTEN,
    IdentifiedVisitor,
    ShopEvent,
    WrittenEvents,
    added,
    identify_request,
    import_calls,
    to_identified,
    to_written,
    write_request,
)
from recsys.v1.event_service_pb2_grpc import EventServiceStub

if TYPE_CHECKING:  # it is there for type checkers alone
    from recsys.v1.event_service_pb2_grpc import EventServiceAsyncStub

WRITE_TIMEOUT_S = 10.0
IMPORT_TIMEOUT_S = 600.0


class EventCalls:
    """Calls of `RecsysClient`.

    Every call may raise `StoreNotConfiguredError`, `StoreUnavailableError`, `StoreFullError` and
    `CallError`: unreachable, too late, overloaded or failed.
    """

    _channel: grpc.Channel

    def write_events(
        self, events: Iterable[ShopEvent], *, timeout_s: float = WRITE_TIMEOUT_S
    ) -> WrittenEvents:
        """Stores events, all or none; they are on disk when this returns, and count at once.

        Args:
            events: 1 to 10,000. Each has an id: after an error that leaves open what happened
                the same events can be written again, and none is stored twice.
            timeout_s: seconds that the call may take, its retries included.

        Raises:
            InvalidEventError: fields are wrong; `violations` says which. Nothing is stored.
            InvalidBatchError: there are no events, or too many. Nothing is stored.
        """
        request = write_request(events)
        try:
            return to_written(self._event_stub.WriteEvents(request, timeout=timeout_s))
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    def import_events(
        self, events: Iterable[ShopEvent], *, timeout_s: float = IMPORT_TIMEOUT_S
    ) -> WrittenEvents:
        """Stores any number of events, thousand after thousand, as they are taken.

        Args:
            events: with ids of their own, or with `event_id=""` to have the server derive them:
                then all can be sent again from the beginning, and none is stored twice.
            timeout_s: seconds for each 20,000 events.

        Raises:
            InvalidEventError: fields are wrong; `violations` says which of a thousand. What was
                sent before is stored, here and after any other error.
        """
        total = NOTHING_WRITTEN
        for messages in import_calls(events):
            try:
                response = self._event_stub.ImportEvents(iter(messages), timeout=timeout_s)
            except grpc.RpcError as error:
                raise from_rpc_error(error) from None
            total = added(total, to_written(response))
        return total

    def identify_customer(
        self, visitor_id: str, customer_id: str, *, timeout_s: float = WRITE_TIMEOUT_S
    ) -> IdentifiedVisitor:
        """Says at login that a visitor is a customer: all that the visitor did counts as theirs.

        Args:
            visitor_id: whose events are so far the visitor's.
            customer_id: who logged in.
            timeout_s: seconds that the call may take, its retries included.

        Raises:
            VisitorTakenError: the visitor is another customer already; give visitors a new id
                when they log out.
            InvalidQueryError: an id is out of range.
        """
        request = identify_request(visitor_id, customer_id)
        try:
            return to_identified(self._event_stub.IdentifyCustomer(request, timeout=timeout_s))
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    @cached_property
    def _event_stub(self) -> EventServiceStub:
        return EventServiceStub(self._channel)


class AsyncEventCalls:
    """Calls of `AsyncRecsysClient`; arguments, answers and errors are those of `EventCalls`."""

    _channel: grpc.aio.Channel

    async def write_events(
        self, events: Iterable[ShopEvent], *, timeout_s: float = WRITE_TIMEOUT_S
    ) -> WrittenEvents:
        """Stores events, all or none; they are on disk when this returns, and count at once."""
        request = write_request(events)
        try:
            return to_written(await self._event_stub.WriteEvents(request, timeout=timeout_s))
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def import_events(
        self, events: Iterable[ShopEvent], *, timeout_s: float = IMPORT_TIMEOUT_S
    ) -> WrittenEvents:
        """Stores any number of events, thousand after thousand, as they are taken."""
        total = NOTHING_WRITTEN
        for messages in import_calls(events):
            try:
                response = await self._event_stub.ImportEvents(iter(messages), timeout=timeout_s)
            except grpc.aio.AioRpcError as error:
                raise from_rpc_error(error) from None
            total = added(total, to_written(response))
        return total

    async def identify_customer(
        self, visitor_id: str, customer_id: str, *, timeout_s: float = WRITE_TIMEOUT_S
    ) -> IdentifiedVisitor:
        """Says at login that a visitor is a customer."""
        request = identify_request(visitor_id, customer_id)
        try:
            answer = await self._event_stub.IdentifyCustomer(request, timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return to_identified(answer)

    @cached_property
    def _event_stub(self) -> "EventServiceAsyncStub":
        return EventServiceStub(self._channel)
