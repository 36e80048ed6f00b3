"""The supervisor keeps processes running; the processes here are small scripts."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from recsys.programs import own_command
from serving.processes import supervisor as module
from serving.processes.supervisor import Supervisor, environment_of, server_command
from serving.settings import SETTINGS_VARIABLE, ServingSettings

PORTS = (7001, 7002)
ENVIRONMENT = environment_of(ServingSettings(bundles=Path("b")))
PROLOGUE = """
import os, pathlib, signal, sys, time
folder, port, link = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
def ready():
    os.write(link, b"ready")
    (folder / f"{port}-{os.getpid()}").write_text(os.environ["OMP_NUM_THREADS"])
"""
GOOD = "ready(); time.sleep(60)"
CANNOT_START = "sys.exit(0 if port == 7001 else 3)"
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN); ready(); time.sleep(60)"
ENDS_SOON = "ready(); time.sleep(0.3); sys.exit(0)"

Start = Callable[..., tuple[Supervisor, "Future[int]"]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Runs a supervisor of a script in a thread."""
    running: list[Supervisor] = []
    with ThreadPoolExecutor() as pool:

        def run(script: str, stop_within_s: float = 10.0) -> tuple[Supervisor, "Future[int]"]:
            def command(port: int, link: int) -> Sequence[str]:
                arguments = [str(tmp_path), str(port), str(link)]
                return [sys.executable, "-c", PROLOGUE + script, *arguments]

            supervisor = Supervisor(
                PORTS, command, stop_within_s=stop_within_s, environment=ENVIRONMENT
            )
            running.append(supervisor)
            return supervisor, pool.submit(supervisor.run)

        yield run
        for supervisor in running:
            supervisor.stop()


def ready(folder: Path, pattern: str, count: int) -> list[int]:
    """Waits for so many processes; returns their ids."""
    deadline = time.monotonic() + 20
    while len(found := sorted(folder.glob(pattern))) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return [int(file.name.partition("-")[2]) for file in found]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_starts_one_process_per_port_and_stops_them(start: Start, tmp_path: Path) -> None:
    supervisor, status = start(GOOD)
    pids = ready(tmp_path, "7001-*", 1) + ready(tmp_path, "7002-*", 1)
    assert {file.read_text() for file in tmp_path.iterdir()} == {"1"}
    supervisor.stop()
    assert status.result(20) == 0
    assert not any(alive(pid) for pid in pids)


def test_starts_again_what_was_killed(start: Start, tmp_path: Path) -> None:
    supervisor, status = start(GOOD)
    [pid] = ready(tmp_path, "7001-*", 1)
    time.sleep(2 * module.TICK_S)
    os.kill(pid, signal.SIGKILL)
    pids = ready(tmp_path, "7001-*", 2)
    supervisor.stop()
    assert status.result(20) == 0
    assert not any(alive(pid) for pid in pids)


def test_pauses_grow_until_a_process_is_steady(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_BACKOFF_S", 0.05)
    monkeypatch.setattr(module, "STEADY_S", 0.0)
    _, status = start(ENDS_SOON)
    ready(tmp_path, "7002-*", 3)
    assert not status.done()


def test_gives_up_when_one_cannot_start(start: Start) -> None:
    _, status = start(CANNOT_START)
    assert status.result(20) in (1, 3)


def test_kills_what_does_not_stop(start: Start, tmp_path: Path) -> None:
    supervisor, status = start(DEAF, stop_within_s=0.5)
    pids = ready(tmp_path, "700?-*", 2)
    supervisor.stop()
    assert status.result(20) == 0
    assert not any(alive(pid) for pid in pids)


def test_settings_travel_in_the_environment_where_no_password_is_seen() -> None:
    url = "postgresql://shop:secret@db/events"
    settings = ServingSettings(bundles=Path("b"), threads=7, store=url)
    command = list(server_command(50052, 9))
    assert command[:5] == own_command("serving", "process")
    assert command[command.index("--port") + 1] == "50052"
    assert command[command.index("--link") + 1] == "9"
    assert "secret" not in " ".join(command)
    handed_on = environment_of(settings)
    assert ServingSettings.model_validate_json(handed_on[SETTINGS_VARIABLE]) == settings
    assert handed_on["OMP_NUM_THREADS"] == "1"


def test_the_writer_is_ready_before_any_server_and_ends_after_all(tmp_path: Path) -> None:
    def command(role: str) -> Callable[[int, int], Sequence[str]]:
        script = (
            "import os, pathlib, signal, sys, time\n"
            "role, diary, link = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])\n"
            "def note(what):\n"
            "    with diary.open('a') as file: file.write(f'{role} {what}\\n')\n"
            "def stop(*_):\n"
            "    time.sleep(0.2); note('stopped'); sys.exit(0)\n"
            "signal.signal(signal.SIGTERM, stop)\n"
            "time.sleep(0.2); note('ready'); os.write(link, b'ready'); time.sleep(60)\n"
        )
        diary = str(tmp_path / "diary")
        return lambda _, link: [sys.executable, "-c", script, role, diary, str(link)]

    supervisor = Supervisor(
        PORTS,
        command("server"),
        stop_within_s=10,
        environment=ENVIRONMENT,
        writer=command("writer"),
    )
    with ThreadPoolExecutor() as pool:
        status = pool.submit(supervisor.run)
        deadline = time.monotonic() + 20
        diary = tmp_path / "diary"
        while not diary.exists() or diary.read_text().count("\n") < 3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        supervisor.stop()
        assert status.result(20) == 0
    lines = diary.read_text().splitlines()
    assert lines == [
        "writer ready",
        *["server ready"] * 2,
        *["server stopped"] * 2,
        "writer stopped",
    ]
