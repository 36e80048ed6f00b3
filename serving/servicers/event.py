"""The methods of EventService: check, convert, store."""

from collections.abc import Callable, Iterable
from threading import BoundedSemaphore

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from structlog.contextvars import bind_contextvars

from recsys.errors import RecsysError, StoreNotConfiguredError
from recsys.store.customers import Customers
from recsys.store.events import Appended
from recsys.store.store import Store
from recsys.v1.event_service_pb2 import (
    IdentifyCustomerRequest,
    IdentifyCustomerResponse,
    ImportEventsRequest,
    ImportEventsResponse,
    WriteEventsRequest,
    WriteEventsResponse,
)
from recsys.v1.event_service_pb2_grpc import EventServiceServicer
from serving.errors import OverloadedError
from serving.messages.event_rows import to_rows
from serving.messages.limits import checked_customer_id, checked_text

STORED_MESSAGES = "stored_messages"
"""Metadata of an import's error: how many of its messages are stored."""


class EventService(EventServiceServicer):
    """Writes to the store; raises domain errors and never aborts a call itself."""

    def __init__(
        self, store: Store | None, *, clock: Callable[[], float], concurrent_imports: int
    ) -> None:
        """Takes the store, if the server has one, and a clock of Unix seconds.

        Imports may hold at most `concurrent_imports` of the server's threads, so that back-fills
        leave threads to the shop's pages.
        """
        self._store = store
        self._clock = clock
        self._imports = BoundedSemaphore(concurrent_imports)

    def WriteEvents(
        self,
        request: WriteEventsRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> WriteEventsResponse:
        """Stores one batch."""
        done = self._append(request)
        bind_contextvars(
            events=len(request.events),
            stored=done.stored,
            duplicates=done.duplicates,
            unknown_types=done.unknown_types,
        )
        return WriteEventsResponse(
            stored_count=done.stored,
            duplicate_count=done.duplicates,
            erased_count=done.erased,
            unknown_type_count=done.unknown_types,
            last_position=done.last_position,
        )

    def ImportEvents(
        self,
        request_iterator: Iterable[ImportEventsRequest],
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> ImportEventsResponse:
        """Stores batch after batch, until the caller has sent all or one is refused."""
        store = self._configured()
        if not self._imports.acquire(blocking=False):
            raise OverloadedError("this server is working on as many imports as it may")
        total = ImportEventsResponse(last_position=store.last_position)
        try:
            for request in request_iterator:
                _add(total, self._append(request))
        except RecsysError as error:
            stored = {STORED_MESSAGES: str(total.message_count)}
            error.metadata = {**error.metadata, **stored}
            raise
        finally:
            self._imports.release()
            bind_contextvars(
                messages=total.message_count,
                stored=total.stored_count,
                duplicates=total.duplicate_count,
                unknown_types=total.unknown_type_count,
            )
        return total

    def IdentifyCustomer(
        self,
        request: IdentifyCustomerRequest,
        context: grpc.ServicerContext,  # noqa: ARG002  gRPC's signature
    ) -> IdentifyCustomerResponse:
        """Makes a visitor a customer."""
        store = self._configured()
        visitor_id = checked_text(request.visitor_id, "visitor_id")
        customer_id = checked_customer_id(request.customer_id, "customer_id")
        linked = Customers(store).link_visitor(visitor_id, customer_id)
        link_time = Timestamp()
        link_time.FromMicroseconds(linked.link_time)
        return IdentifyCustomerResponse(linked_now=linked.linked_now, link_time=link_time)

    def _append(self, request: WriteEventsRequest | ImportEventsRequest) -> Appended:
        store = self._configured()
        return store.append(to_rows(request.events, int(self._clock() * 1_000_000)))

    def _configured(self) -> Store:
        if self._store is None:
            raise StoreNotConfiguredError("this server runs without an event store")
        return self._store


def _add(total: ImportEventsResponse, done: Appended) -> None:
    total.message_count += 1
    total.stored_count += done.stored
    total.duplicate_count += done.duplicates
    total.erased_count += done.erased
    total.unknown_type_count += done.unknown_types
    total.last_position = done.last_position
