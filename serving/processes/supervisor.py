"""Keeps the server processes of one deployment running, each on its own port.

Processes are started by `subprocess`, never forked: FAISS hangs in a forked child. Separate ports
instead of one shared port, because the kernel would hand calls to a process that is stopping.

An embedded event store has a writer: it is started first and stopped last.
"""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from recsys.programs import own_command
from recsys.store.url import is_embedded
from serving.logs import PROCESS_ENDED, PROCESS_STARTED
from serving.processes.link import READY
from serving.settings import SETTINGS_VARIABLE, ServingSettings

NO_PORT = 0
TICK_S = 0.1
FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 30.0
STEADY_S = 60.0
"""Seconds of life after which a process's next end counts as its first again."""
STOP_MARGIN_S = 5.0
"""Seconds beyond drain and grace before a process that does not stop is killed."""
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
}
"""Environment of a process: it has one core, and inner threads only make calls wait."""

_log = structlog.get_logger()
Command = Callable[[int, int], Sequence[str]]
"""From a port and the number of the link's descriptor to the command to run."""


def server_command(port: int, link: int) -> Sequence[str]:
    """Returns the command of a server process, which finds its settings in the environment."""
    return own_command("serving", "process", "--port", port, "--link", link)


def writer_command(settings: ServingSettings) -> Command | None:
    """Returns the command of the store's writer; None: the store, if any, needs none."""
    if settings.store is None or not is_embedded(settings.store) or settings.processes == 1:
        return None  # a lone server writes by itself

    def command(_: int, link: int) -> Sequence[str]:
        return own_command("serving", "writer", "--link", link)

    return command


def environment_of(settings: ServingSettings) -> dict[str, str]:
    """Returns what a process is started with: a command line would show the store's password."""
    return {**os.environ, **ONE_THREAD, SETTINGS_VARIABLE: settings.model_dump_json()}


@dataclass(slots=True)
class _Process:
    """One started process and the supervisor's end of its link."""

    popen: subprocess.Popen[bytes]
    link: socket.socket
    started: float
    ready: bool = False

    @classmethod
    def start(cls, command: Command, port: int, environment: Mapping[str, str]) -> "_Process":
        ours, theirs = socket.socketpair()
        with theirs:
            popen = subprocess.Popen(  # noqa: S603  our own command
                command(port, theirs.fileno()),
                pass_fds=[theirs.fileno()],
                env=environment,
                start_new_session=True,  # Ctrl-C reaches the supervisor, which stops us in order
            )
        ours.settimeout(0)
        _log.info(PROCESS_STARTED, port=port, pid=popen.pid)
        return cls(popen, ours, time.monotonic())

    def look(self) -> int | None:
        """Notes whether it is ready; returns its exit status once it has ended."""
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            self.ready = self.ready or self.link.recv(len(READY)) == READY
        return self.popen.poll()

    def stop(self, deadline: float) -> None:
        """Waits for its end until `deadline`, then kills it."""
        try:
            self.popen.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.link.close()


@dataclass(slots=True)
class _Slot:
    """A process that is to run, and the one that does."""

    command: Command
    port: int
    """`NO_PORT`: it is the writer."""
    process: _Process | None = None
    ever_ready: bool = False
    backoff_s: float = FIRST_BACKOFF_S
    start_at: float = field(default_factory=time.monotonic)


class Supervisor:
    """Starts one process per port, starts again what ends, and stops all in order."""

    def __init__(
        self,
        ports: Sequence[int],
        command: Command,
        *,
        stop_within_s: float,
        environment: Mapping[str, str],
        writer: Command | None = None,
    ) -> None:
        """Takes the ports, the command of a process, and how long a stop may take.

        Args:
            ports: one for each server process.
            command: of a server process.
            stop_within_s: seconds from the wish to stop until a process is killed.
            environment: of all processes.
            writer: command of the process that others write through, if there is one.
        """
        self._environment = environment
        self._writer = None if writer is None else _Slot(writer, NO_PORT)
        self._servers = [_Slot(command, port) for port in ports]
        self._stop_within_s = stop_within_s
        self._stopping = False

    def run(self) -> int:
        """Runs until `stop` is called; returns the exit status to end with.

        A process that ends before it was ever ready cannot start: everything stops, and its
        status is the answer. One that ends later is started again, with growing pauses.
        """
        status = 0
        while not self._stopping and status == 0:
            for slot in self._due():
                status = status or self._tend(slot)
            time.sleep(TICK_S)
        self._stop_all()
        return status

    def stop(self) -> None:
        """Makes `run` stop all processes and return; may be called from a signal handler."""
        self._stopping = True

    def _due(self) -> Sequence[_Slot]:
        """Returns what is to run now: servers only when there is a store to open."""
        if self._writer is None:
            return self._servers
        return [self._writer, *(self._servers if self._writer.ever_ready else [])]

    def _tend(self, slot: _Slot) -> int:
        """Starts the slot's process if it is time; returns the status of one that cannot start."""
        if slot.process is None:
            if time.monotonic() >= slot.start_at:
                slot.process = _Process.start(slot.command, slot.port, self._environment)
            return 0
        status = slot.process.look()
        slot.ever_ready = slot.ever_ready or slot.process.ready
        if status is None:
            return 0
        _log.warning(PROCESS_ENDED, port=slot.port, pid=slot.process.popen.pid, status=status)
        self._plan_restart(slot, slot.process)
        return 0 if slot.ever_ready else max(status, 1)

    def _plan_restart(self, slot: _Slot, ended: _Process) -> None:
        ended.link.close()
        now = time.monotonic()
        if now - ended.started >= STEADY_S:
            slot.backoff_s = FIRST_BACKOFF_S
        slot.process, slot.start_at = None, now + slot.backoff_s
        slot.backoff_s = min(2 * slot.backoff_s, MAX_BACKOFF_S)

    def _stop_all(self) -> None:
        """Stops the servers, then the writer, which calls in work may still need."""
        for slots in (self._servers, [self._writer] if self._writer else []):
            running = [slot.process for slot in slots if slot.process is not None]
            for process in running:
                process.popen.terminate()
            deadline = time.monotonic() + self._stop_within_s
            for process in running:
                process.stop(deadline)
