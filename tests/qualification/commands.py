"""Runs commands as a person would, and measures them."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MEASURE = Path(__file__).with_name("measure_process.py")
LAST_LINES = 15
_OWN = ("PYTHON", "MAKE", "MFLAGS", "VIRTUAL_ENV", "COV_CORE_", "COVERAGE_", "RECSYS_SERVING_")
_OWN_NAMES = frozenset({"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ONLY", "DATA", "BUNDLES"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended and what it took."""

    status: int
    seconds: float
    peak_mb: float
    """Highest resident memory of its biggest process, MiB."""
    output: str
    """Standard output and error together."""


class CommandFailedError(Exception):
    """A command that had to succeed did not."""


def run(command: Sequence[object], *, cwd: Path, env: Mapping[str, str], log: Path) -> Outcome:
    """Runs a command to its end, in a process group that never outlives this call."""
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [str(word) for word in command]
    with tempfile.TemporaryDirectory() as folder, log.open("wb") as output:
        report = Path(folder) / "report.json"
        popen = subprocess.Popen(
            [sys.executable, "-I", "-S", str(MEASURE), str(report), *words],
            cwd=cwd,
            env=dict(env),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            popen.wait()
        except BaseException:
            os.killpg(popen.pid, signal.SIGKILL)
            popen.wait()
            raise
        return Outcome(**json.loads(report.read_text()), output=log.read_text(errors="replace"))


def checked(outcome: Outcome, what: str) -> Outcome:
    """Returns the outcome of a command that succeeded.

    Raises:
        CommandFailedError: it did not; the text has its last lines.
    """
    if outcome.status:
        last = "\n".join(outcome.output.splitlines()[-LAST_LINES:])
        raise CommandFailedError(f"{what}: exit status {outcome.status}\n{last}")
    return outcome


def own_environment(root: Path) -> dict[str, str]:
    """Returns the environment in which this checkout's own modules are found first."""
    kept = {name: text for name, text in os.environ.items() if "RECSYS_SERVING_" not in name}
    return kept | {"PYTHONPATH": str(root)}


def bare_environment() -> dict[str, str]:
    """Returns the environment of somebody who has just logged in: no virtual environment."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(_OWN) and name not in _OWN_NAMES
    }
    venv = Path(sys.prefix) / "bin"
    path = [part for part in kept.get("PATH", "").split(os.pathsep) if Path(part) != venv]
    # The interpreter that the virtual environment was made from.
    interpreter = str(Path(sys.executable).resolve())
    return kept | {"PATH": os.pathsep.join(path), "PYTHON3": interpreter}
