"""Where a benchmark's data lie, and how they become a hold-out."""

import os
import subprocess
from pathlib import Path

from evaluation.benchmark.definitions import Benchmark
from recsys.errors import DataError
from recsys.programs import checkout, own_command
from recsys.protocols.holdout import HoldOut
from recsys.protocols.presplit import read_holdout
from recsys.protocols.single import Cut, hold_out, open_log

ROOT = checkout()
"""Where figures, tuned configurations and environments lie."""
WORK = ROOT / "var" / "benchmarks"
SHARED = "RECSYS_SHARED"


def shared_data() -> Path:
    """Returns the folder of evaluation data, whether it is there or not."""
    return Path(os.environ.get(SHARED, ROOT.parent / "shared")) / "data"


def open_benchmark(name: str, benchmark: Benchmark, work: Path = WORK) -> HoldOut:
    """Reads or prepares the data, and holds back what the protocol says.

    Args:
        name: of the benchmark; prepared data lie in a folder of this name.
        benchmark: what to open.
        work: where prepared data are kept; made where they are missing.

    Raises:
        DataError: the data are not there, or cannot be read.
    """
    data = shared_data()
    if benchmark.train and benchmark.test:
        train, test = _there(data / benchmark.train), _there(data / benchmark.test)
        return read_holdout(train, test, mask=benchmark.mask)
    if benchmark.log:
        source = _there(data / benchmark.log)
    else:
        source = work / name / "data"
        if not source.is_dir():
            _prepare(benchmark.prepare or (), data, source)
    cut = Cut(cutoff=benchmark.cutoff, min_item_events=benchmark.min_item_events)
    return hold_out(open_log(source), benchmark.protocol, cut, mask=benchmark.mask)


def _there(file: Path) -> Path:
    if not file.is_file():
        message = f"{file} is not there: {SHARED} says where the evaluation data are"
        raise DataError(message, file=str(file))
    return file


def _prepare(words: tuple[str, ...], data: Path, out: Path) -> None:
    """Runs the command that a person would run."""
    told = [word.format(data=data) for word in words]
    for word in told:
        if Path(word).suffix == ".parquet":
            _there(Path(word))
    command = own_command("prepare", *told, "--out", out)
    done = subprocess.run(  # noqa: S603  # words of our own file
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        message = f"{' '.join(command[1:])} failed:\n{done.stdout[-2_000:]}"
        raise DataError(message, file=str(out))
