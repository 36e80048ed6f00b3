"""gRPC's health service, whose end of a watch waits for nobody."""

import threading
from collections.abc import Callable
from typing import Any

from grpc_health.v1.health import HealthServicer


class Health(HealthServicer):  # type: ignore[misc]  # grpc_health has no types
    """Forgets a watch in a thread of its own.

    The thread that gRPC serves all calls with says that a watch has ended. It would wait there
    for whoever tells other watches a status, who waits for that very thread to send: a caller that
    left just as the server began to drain, or as another began to watch, held the server for ever.
    """

    def _on_close_callback(
        self, send_response_callback: Callable[[Any], None], service: str
    ) -> Callable[[], None]:
        close = super()._on_close_callback(send_response_callback, service)
        return threading.Thread(target=close, name="watch-ended", daemon=True).start
