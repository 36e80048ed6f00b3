"""The folder of a study: held by one process at a time, of one job for good."""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from recsys.errors import ConfigError
from recsys.tuning.bench import Bench
from recsys.tuning.job import Job

IDENTITY, LOCK = "study.json", "lock"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Holds a study's folder, which is made where it is missing; the lock ends with the process.

    Raises:
        ConfigError: another process is at it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"{folder}: another tuning is at work on this study"
            raise ConfigError(message, study=str(folder)) from None
        yield


def mend(file: Path) -> None:
    """Takes off what a process that was killed left half done: a lock, a line without an end.

    Call it only while the folder is held.
    """
    for stale in file.parent.glob(f"{file.name}.lock*"):
        stale.unlink()
    if file.is_file():
        content = file.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with file.open("r+b") as out:
                out.truncate(whole)


def refuse_another(folder: Path, job: Job, bench: Bench) -> None:
    """Writes down what a folder's study is of, or holds it against what is written.

    Raises:
        ConfigError: the folder has a study of something else; the text says what differs.
    """
    now = _identity(job, bench)
    file = folder / IDENTITY
    if not file.is_file():
        part = file.with_suffix(".part")
        part.write_text(json.dumps(now, indent=2), "utf-8")
        part.replace(file)
        return
    known = json.loads(file.read_text("utf-8"))
    if other := [name for name in now if known.get(name) != now[name]]:
        message = (
            f"{folder}: holds a study with another {' and another '.join(other)}; give another "
            "--study, or the same options as then"
        )
        raise ConfigError(message, study=str(folder))


def _identity(job: Job, bench: Bench) -> dict[str, str]:
    questions = hashlib.sha256()
    for name, asked in sorted(bench.asked.items()):
        questions.update(repr((name, asked.cases.queries)).encode())
        questions.update(asked.cases.truth_item_nums.tobytes())
    return {
        "release": version("recsys-engine"),
        "training side": job.split.train.digest,
        "cutoff": job.split.cutoff.isoformat(),
        "set of customers asked": questions.hexdigest(),
        "mask": str(job.mask),
        "seed": str(job.seed),
        "configuration": _digest(job.base.model_dump_json()),
        "menu": _digest(job.menu.model_dump_json()),
        "file of ranges": _digest(job.spaces.model_dump_json()),
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
