"""The snapshot's thread outlives whatever goes wrong in it."""

import threading
from types import SimpleNamespace

import structlog

from recsys.live.deployment import Deployment
from recsys.store.consent import NO_REFUSALS
from recsys.store.tombstones import NOBODY
from serving.logs import SNAPSHOT_FAILED
from serving.state.snapshot import Live


def recommender() -> SimpleNamespace:
    """One that is its own arrangement, too."""
    return SimpleNamespace(deployment=Deployment())


class Parts:
    """A recommender that cannot be had for a while."""

    def __init__(self) -> None:
        self.broken = False
        self.failures = threading.Semaphore(0)
        self.recommender = recommender()

    def get(self) -> object:
        if self.broken:
            self.failures.release()
            raise ZeroDivisionError("a fault of ours")
        return self.recommender


def live_over(parts: Parts) -> Live:
    return Live(
        parts.get,
        arranger=SimpleNamespace(arranged=lambda recommender: recommender),
        catalogue=SimpleNamespace(look=lambda: None, over=lambda recommender: recommender),
        tombstones=SimpleNamespace(look=lambda: NOBODY),
        refusals=SimpleNamespace(look=lambda: NO_REFUSALS),
        refresh_interval_s=0.001,
    )


def test_a_fault_is_told_once_and_the_last_snapshot_keeps_answering():
    parts = Parts()
    live = live_over(parts)
    with structlog.testing.capture_logs() as logs:
        live.start()
        first = live.snapshot()
        parts.broken = True
        for _ in range(3):
            assert parts.failures.acquire(timeout=10)
        assert live.snapshot() is first
        parts.recommender, parts.broken = recommender(), False
        tries = threading.Event()
        for _ in range(1_000):
            if live.snapshot() is not first:
                break
            tries.wait(0.01)
        assert live.snapshot().recommender is parts.recommender
        live.stop()
    assert [line["event"] for line in logs] == [SNAPSHOT_FAILED]
