"""Commands are measured from outside, and never outlive what started them."""

import os
import sys
import time
from pathlib import Path

import pytest

from tests.qualification.commands import (
    CommandFailedError,
    bare_environment,
    checked,
    own_environment,
    run,
)
from tests.qualification.runner import CheckTimeoutError, limited

ALLOCATE = "x = bytearray(200 * 2**20); print(len(x))"


def outcome_of(tmp_path: Path, *words: str):
    command = [sys.executable, *words]
    return run(command, cwd=tmp_path, env=own_environment(tmp_path), log=tmp_path / "a" / "log")


def test_measures_the_biggest_process_below(tmp_path: Path) -> None:
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ALLOCATE!r}])"
    small = outcome_of(tmp_path, "-c", "print('hello')")
    large = outcome_of(tmp_path, "-c", script)
    assert small.output == "hello\n"
    assert 200 < large.peak_mb < 200 + 2 * small.peak_mb
    assert small.peak_mb < 50
    assert 0 < small.seconds < 30


def test_a_failed_command_shows_its_last_words(tmp_path: Path) -> None:
    failed = outcome_of(tmp_path, "-c", "import sys; print('why'); sys.exit(3)")
    assert failed.status == 3
    with pytest.raises(CommandFailedError, match="fitting: exit status 3\nwhy"):
        checked(failed, "fitting")
    assert checked(outcome_of(tmp_path, "-c", ""), "nothing").status == 0


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    script = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(CheckTimeoutError), limited(1.0):
        outcome_of(tmp_path, "-c", script)
    pid = int((tmp_path / "pid").read_text())
    end = time.monotonic() + 10
    while _runs(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    """A zombie does not run: whoever adopted it has only not looked yet."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_bare_environment_has_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    venv = Path(sys.prefix) / "bin"
    monkeypatch.setenv("PATH", f"{venv}{os.pathsep}/usr/bin")
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PIP_INDEX_URL", "kept")
    bare = bare_environment()
    assert not {"VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "OMP_NUM_THREADS"} & bare.keys()
    assert bare["PATH"] == "/usr/bin"
    assert bare["PIP_INDEX_URL"] == "kept"
    assert Path(bare["PYTHON3"]).exists()
