"""Server processes over one store, that a test starts and kills one by one."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.processes.supervisor import ONE_THREAD
from serving.settings import ServingSettings
from tests.qualification.commands import own_environment

READY_S = 300.0
WRITER = "writer"


class Deployment:
    """What the supervisor would start, without its pauses between restarts."""

    def __init__(
        self,
        root: Path,
        bundles: Path,
        store: str,
        log: Path,
        *,
        servers: int = 2,
        **settings: object,
    ) -> None:
        self._root, self._log = root, log
        self._settings = ServingSettings.model_validate(
            {"bundles": bundles, "store": store, "processes": servers, "drain_s": 0, **settings}
        )
        log.parent.mkdir(parents=True, exist_ok=True)
        self.ports = _free_ports(servers)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.names = [str(port) for port in self.ports]
        if store.startswith("store://") and servers > 1:
            self.names.insert(0, WRITER)

    @property
    def targets(self) -> list[str]:
        return [f"127.0.0.1:{port}" for port in self.ports]

    def start(self) -> None:
        for name in self.names:
            self.start_one(name)
            self.wait_for(name)

    def start_one(self, name: str) -> None:
        text = self._settings.model_dump_json()
        words = ["writer"] if name == WRITER else ["process", "--port", name]
        with self._log.open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "serving", *words, "--settings", text],
                cwd=self._root,
                env=own_environment(self._root) | ONE_THREAD,
                stderr=log,
            )

    def wait_for(self, name: str) -> None:
        """Waits until a process that was started answers."""
        end = time.monotonic() + READY_S
        while not self._answers(name):
            assert self._running[name].poll() is None, f"{name} ended: see {self._log}"
            assert time.monotonic() < end, f"{name} does not answer: see {self._log}"
            time.sleep(0.05)

    def kill(self, name: str) -> None:
        """Ends a process at once, as a lack of memory would."""
        self._running[name].kill()
        self._running[name].wait()

    def lines(self) -> Sequence[dict[str, object]]:
        """Returns what all processes have logged."""
        texts = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [json.loads(text) for text in texts if text.startswith("{") and text.endswith("}")]

    def stop(self) -> None:
        for name in reversed(self.names):
            running = self._running.get(name)
            if running is not None and running.poll() is None:
                running.terminate()
                try:
                    running.wait(30)
                except subprocess.TimeoutExpired:
                    running.kill()
                    running.wait()

    def _answers(self, name: str) -> bool:
        if name == WRITER:
            return self._writer_listens()
        with grpc.insecure_channel(f"127.0.0.1:{name}") as channel:
            try:
                answer = health_pb2_grpc.HealthStub(channel).Check(
                    health_pb2.HealthCheckRequest(), timeout=2
                )
            except grpc.RpcError:
                return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def _writer_listens(self) -> bool:
        folder = Path(str(self._settings.store).removeprefix("store://"))
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect((folder / "writer.address").read_text())
            except OSError:
                return False
        return True


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
