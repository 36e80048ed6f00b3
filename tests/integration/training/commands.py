"""Runs training commands as a person does."""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest.mock import patch

from training.cli import main


def training(*words: object, ok: bool = True) -> str:
    """Returns what a command printed; with `ok` false what it complained of."""
    command = [sys.executable, "-m", "training", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is ok, done.stdout + done.stderr
    return done.stdout if ok else done.stderr


class Said(NamedTuple):
    """What a command ended with."""

    status: int
    output: str
    complaint: str


def in_process(*words: object) -> Said:
    """Does the same without the seconds that a process takes to start."""
    arguments = ["training", *map(str, words)]
    with (
        redirect_stdout(io.StringIO()) as output,
        redirect_stderr(io.StringIO()) as complaint,
        patch.object(sys, "argv", arguments),
        patch.dict("os.environ", {"COLUMNS": "400"}),
    ):
        try:
            main()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
    return Said(status, output.getvalue(), complaint.getvalue())
