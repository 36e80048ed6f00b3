"""Servers on real ports over a recommender that each test can steer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
import structlog

from recsys.pipeline.recommender import Recommender
from recsys.store.store import Store
from serving.server import Server
from serving.settings import ServingSettings
from tests.integration.serving.steered import (
    NOW,
    RunningServer,
    ServerFactory,
    SteeredRecommender,
)


@pytest.fixture
def steered() -> SteeredRecommender:
    return SteeredRecommender()


@pytest.fixture
def start_server(
    steered: SteeredRecommender, request: pytest.FixtureRequest
) -> Iterator[ServerFactory]:
    """Starts servers that differ from the default by the settings given."""
    for store in {"store", "embedded"} & set(request.fixturenames):
        request.getfixturevalue(store)  # made before the servers, so that it outlives them
    servers: list[Server] = []

    def start(
        *,
        loaded: bool = True,
        answers: SteeredRecommender = steered,
        event_store: Store | None = None,
        now: float = NOW + 0.7,
        **settings: Any,
    ) -> RunningServer:
        values = {"bundles": Path("bundles"), "drain_s": 0.0, "grace_s": 5.0} | settings
        server = Server(
            ServingSettings(**values),
            current=lambda root: root / answers.bundle_version,
            load=lambda _: cast("Recommender", answers),
            store=event_store,
            clock=lambda: now,
        )
        servers.append(server)
        port = server.listen(0)
        if loaded:
            server.load()
        return RunningServer(server, port, answers)

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def running(start_server: ServerFactory) -> RunningServer:
    return start_server()


@pytest.fixture
def channel(running: RunningServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(running.target) as channel:
        yield channel


@pytest.fixture
def log_lines() -> Iterator[list[dict[str, Any]]]:
    """What is logged during the test, as the server's log has it."""
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        yield cast("list[dict[str, Any]]", lines)


@pytest.fixture
def logging_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps a command that runs in this process from setting up its logging for good."""
    monkeypatch.setattr("serving.commands.export.configure_logging", lambda _: None)
