"""A real server process, the way an operator starts it."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.client import RecsysClient
from tests.qualification.commands import own_environment

READY_S = 120.0
STOP_S = 60.0


class ServerError(Exception):
    """The server did not do what a check needs before it can begin."""


@dataclass(frozen=True, slots=True)
class Running:
    """A `python -m serving run`, its address and its log."""

    popen: subprocess.Popen[bytes]
    targets: Sequence[str]
    """Of its processes."""
    log: Path

    @property
    def target(self) -> str:
        """Returns the address of the first process."""
        return self.targets[0]

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Returns the log lines of an event."""
        texts = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        found = [json.loads(text) for text in texts if text.startswith("{")]
        return [line for line in found if line["event"] == event]

    def wait_for(self, event: str) -> list[dict[str, Any]]:
        """Waits for an event in the log.

        Raises:
            ServerError: it did not come.
        """
        end = time.monotonic() + READY_S
        while time.monotonic() < end and self.popen.poll() is None:
            if found := self.lines(event):
                return found
            time.sleep(0.05)
        raise ServerError(f"no {event} in {self.log}; exit status {self.popen.poll()}")

    def stop(self) -> int:
        """Sends SIGTERM and returns the exit status."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(STOP_S)


@contextmanager
def started(
    root: Path, bundles: Path, log: Path, *, before: Path | None = None, **settings: object
) -> Iterator[Running]:
    """Starts a server over a bundle root and stops it at the end; it may not be ready yet.

    Args:
        root: the checkout.
        bundles: the bundle root.
        log: file for what it prints.
        before: a folder whose modules are found before all others.
        **settings: of `ServingSettings`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    processes = int(str(settings.get("processes", 1)))
    port = _free_ports(processes)
    environment = own_environment(root)
    environment |= {
        f"RECSYS_SERVING_{name.upper()}": str(value) for name, value in settings.items()
    }
    if before is not None:
        environment["PYTHONPATH"] = f"{before}:{root}"
    command = [sys.executable, "-m", "serving", "run", "--bundles", str(bundles)]
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [*command, "--port", str(port)], cwd=root, env=environment, stderr=output
        )
    try:
        ports = range(port, port + processes)
        yield Running(popen, [f"127.0.0.1:{each}" for each in ports], log)
    finally:
        if popen.poll() is None:
            popen.terminate()
        try:
            popen.wait(STOP_S)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()


@contextmanager
def client_of(running: Running) -> Iterator[RecsysClient]:
    """Yields a client once the server answers."""
    running.wait_for("server.ready")
    with RecsysClient([running.target], timeout_s=30) as client:
        client.wait_until_ready(READY_S)
        yield client


def _free_ports(count: int) -> int:
    """Returns the first of so many neighbouring ports that are free."""
    while True:
        with ExitStack() as probes:
            first = 0
            for place in range(count):
                probe = probes.enter_context(socket.socket())
                try:
                    probe.bind(("127.0.0.1", first + place if place else 0))
                except OSError:
                    break
                first = first or int(probe.getsockname()[1])
            else:
                return first
