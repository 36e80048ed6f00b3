"""A caller that leaves must not hold whoever tells others of the server's health."""

import threading
from types import SimpleNamespace

from grpc_health.v1 import health_pb2

from serving.servicers.health import Health

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Watching:
    """A caller who leaves at the moment at which it is told something."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.closes: list[object] = []
        self.context = SimpleNamespace(add_callback=self.closes.append)
        self.leaves = False
        self.ended = threading.Event()

    def hear(self, response: health_pb2.HealthCheckResponse | None) -> None:
        if response is None:
            self.ended.set()
            return
        self.told.append(response.status)
        if self.leaves:
            # What gRPC does: another thread says that the call is over, and sends only then.
            serving = threading.Thread(target=self.closes[0], daemon=True)
            serving.start()
            serving.join(timeout=10)
            assert not serving.is_alive(), "the thread that serves all calls waits"


def test_who_leaves_while_being_told_holds_nobody() -> None:
    health, watching = Health(), Watching()
    health.Watch(health_pb2.HealthCheckRequest(), watching.context, watching.hear)
    watching.leaves = True
    health.enter_graceful_shutdown()
    assert watching.ended.wait(10)
    assert watching.told == [SERVING, NOT_SERVING]
    assert health.Check(health_pb2.HealthCheckRequest(), None).status == NOT_SERVING


def test_who_has_left_is_told_nothing_more() -> None:
    health, watching = Health(), Watching()
    health.Watch(health_pb2.HealthCheckRequest(), watching.context, watching.hear)
    watching.closes[0]()
    assert watching.ended.wait(10)
    health.set("", NOT_SERVING)
    assert watching.told == [SERVING]
