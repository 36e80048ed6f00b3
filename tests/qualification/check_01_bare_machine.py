"""Check 1: `make demo` and `make test` from nothing but a clone and Python."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from recsys.bundle import current, verify
from recsys.errors import BundleError
from tests.qualification.commands import Outcome, checked
from tests.qualification.room import Room, changed
from tests.qualification.rows import Row, at_most, equal, figure, says

FIRST_S, SECOND_S = 240, 90
COVERAGE = ("coverage with branches, %", "coverage of branches alone, %")


def run(room: Room) -> Iterator[Row]:
    """Clones HEAD; runs the two commands of the README; looks at what they leave."""
    with room.clone() as clone:
        # Without pip's cache: what is downloaded once on a new machine is downloaded here.
        first = room.make(clone, "1-demo-first", "demo", PIP_NO_CACHE_DIR="1")
        yield from _took("make demo, first time", first, FIRST_S)
        checked(first, "make demo")
        yield from _left_behind(clone / "var" / "demo")
        second = room.make(clone, "1-demo-second", "demo")
        yield from _took("make demo, second time", second, SECOND_S)
        tests = room.make(clone, "1-test", "test")
        yield from _took("make test", tests, None)
        summary = [line for line in tests.output.splitlines() if " passed" in line]
        yield says("make test, last words", summary[-1].strip("= ") if summary else "", "passed")
        for what, share in coverage_of(clone).items():
            yield figure(what, share)
        yield equal("files in git that the commands changed", changed(clone), 0)


def coverage_of(clone: Path) -> dict[str, float]:
    """Returns the shares, in percent, that the last `make test` of a clone covered."""
    python, report = clone / ".venv" / "bin" / "python", clone / "var" / "coverage.json"
    # fail_under has its own check: here the figure counts, not the exit status.
    command = [
        str(python),
        "-m",
        "coverage",
        "json",
        "--quiet",
        "--fail-under",
        "0",
        "-o",
        str(report),
    ]
    subprocess.run(command, cwd=clone, check=True, stdout=subprocess.DEVNULL)
    totals = json.loads(report.read_text(encoding="utf-8"))["totals"]
    branches = 100 * totals["covered_branches"] / totals["num_branches"]
    return dict(zip(COVERAGE, (float(totals["percent_covered"]), branches), strict=True))


def _took(what: str, outcome: Outcome, bar_s: float | None) -> Iterator[Row]:
    yield equal(f"{what}, exit status", outcome.status, 0)
    if bar_s is None:
        yield figure(f"{what}, seconds", outcome.seconds)
    else:
        yield at_most(f"{what}, seconds", outcome.seconds, bar_s)
    yield figure(f"{what}, peak MiB of the biggest process", outcome.peak_mb)


def _left_behind(demo: Path) -> Iterator[Row]:
    """The bundle is whole, the figures are there, and the server was stopped."""
    try:
        state = f"{len(verify(current(demo / 'bundles')).files)} files"
    except BundleError as error:
        state = str(error)
    yield says("make demo leaves a whole bundle", state, " files")
    figures = demo / "evaluation.json"
    yield equal("make demo leaves evaluation.json", str(figures.is_file()), "True")
    log = demo / "server.log"
    text = log.read_text(encoding="utf-8") if log.is_file() else ""
    last = text.splitlines()[-1] if text else ""
    yield says("make demo stops its server", last, "server.stopped")
