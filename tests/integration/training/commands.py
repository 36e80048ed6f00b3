"""Runs training commands as a person does."""

import subprocess
import sys


def training(*words: object, ok: bool = True) -> str:
    """Returns what a command printed; with `ok` false what it complained of."""
    command = [sys.executable, "-m", "training", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is ok, done.stdout + done.stderr
    return done.stdout if ok else done.stderr
