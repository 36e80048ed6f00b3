"""A bare gRPC server over a bare driver: what any server of events in this language can reach.

`python -m tests.raw_server URL|FILE`: prints its port, and ends when its input does. It checks,
counts and logs nothing.
"""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from recsys.store.events import LogEvent
from recsys.v1.event_service_pb2 import WriteEventsRequest, WriteEventsResponse
from recsys.v1.event_service_pb2_grpc import (
    EventServiceServicer,
    add_EventServiceServicer_to_server,
)
from tests.raw_ingest import RawPostgres, RawSqlite, batch_of


class RawEvents(EventServiceServicer):
    """Hands what comes to the driver: one connection for each of gRPC's threads."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._local = threading.local()

    def WriteEvents(self, request: WriteEventsRequest, context: Any) -> WriteEventsResponse:  # noqa: ARG002, N802
        rows = [
            LogEvent(
                event_id=event.event_id,
                customer_id=event.customer_id,
                session_id=event.session_id,
                basket_id=None,
                item_id=event.item_id,
                offer_id=None,
                event_type=event.event_type,
                event_time=event.event_time.ToMicroseconds(),
                quantity=event.quantity,
                unit_price=event.unit_price,
                channel=event.channel,
            )
            for event in request.events
        ]
        self._driver().write(batch_of(rows))
        return WriteEventsResponse(stored_count=len(rows))

    def _driver(self) -> RawSqlite | RawPostgres:
        if not hasattr(self._local, "driver"):
            where = self._where
            remote = where.startswith("postgresql://")
            self._local.driver = RawPostgres(where) if remote else RawSqlite(Path(where))
        driver: RawSqlite | RawPostgres = self._local.driver
        return driver


def main() -> None:
    server = grpc.server(ThreadPoolExecutor(4))
    add_EventServiceServicer_to_server(RawEvents(sys.argv[1]), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)  # noqa: T201
    server.start()
    sys.stdin.read()
    server.stop(None)


if __name__ == "__main__":
    main()
