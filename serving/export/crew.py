"""Those who make the parts of an export: this process, or several others."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import faiss
import polars as pl

from recsys.errors import DataError, RecsysError, StoreError
from serving.export.job import Job
from serving.export.work import Told, Worker, opened_worker
from serving.logs import configure_logging
from serving.settings import ServingSettings

WATCH_S = 0.5
"""Seconds between two looks at whether the process that leads is there."""


class Part(NamedTuple):
    """Some of an export's customers, who make one file."""

    number: int
    customer_ids: pl.Series


@dataclass(frozen=True, slots=True)
class Crew:
    """Makes parts; one process is this one, more are others."""

    job: Job
    folder: Path
    settings: ServingSettings
    processes: int
    clock: Callable[[], float]
    """Returns Unix seconds; of this process alone."""

    def made(self, parts: Sequence[Part]) -> Generator[Told]:
        """Yields what became of each part as it is made, in any order.

        Raises:
            DataError: a process ended, or what is wished is wrong.
            BundleError, StoreError: they cannot be used.
        """
        if self.processes == 1 or len(parts) <= 1:
            return self._here(parts)
        return self._elsewhere(parts)

    def _here(self, parts: Sequence[Part]) -> Generator[Told]:
        with ExitStack() as stack:
            worker: Worker | None = None
            for part in parts:
                if worker is None:  # nothing is opened for nothing
                    worker = stack.enter_context(
                        opened_worker(
                            self.job, self.folder, self.settings, _mark(), clock=self.clock
                        )
                    )
                yield worker.part(part.number, part.customer_ids.to_list())

    def _elsewhere(self, parts: Sequence[Part]) -> Generator[Told]:
        """Has processes make parts, a few ahead of what is taken.

        They are spawned: FAISS hangs in a forked child.
        """
        job, settings = self.job.model_dump_json(), self.settings.model_dump_json()
        pool = ProcessPoolExecutor(
            self.processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(job, str(self.folder), settings),
        )
        waiting: set[Future[Told]] = set()
        try:
            for part in parts:
                waiting.add(pool.submit(_part, part.number, part.customer_ids.to_list()))
                if len(waiting) > self.processes:
                    ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in ready)
            while waiting:
                ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in ready)
        except BrokenProcessPool:
            message = "a process of the export ended: call it again to go on"
            raise DataError(message) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_worker: list[Worker] = []
"""Of this process, where it is one of an export's others."""


def _begin(job: str, folder: str, settings: str) -> None:
    """Opens the bundle and the store once for all parts of this process."""
    _end_with_leader()
    faiss.omp_set_num_threads(1)
    configure_logging("error")
    opened = opened_worker(
        Job.model_validate_json(job),
        Path(folder),
        ServingSettings.model_validate_json(settings),
        _mark(),
        clock=time.time,
    )
    _worker.append(ExitStack().enter_context(opened))  # open until the process ends


def _part(number: int, customer_ids: Sequence[str]) -> Told:
    try:
        return _worker[0].part(number, customer_ids)
    except StoreError:
        raise
    except RecsysError as error:
        # Those of queries take more than a text, and could not be handed over.
        raise DataError(str(error)) from None


def _mark() -> str:
    return str(os.getpid())


def _end_with_leader() -> None:
    """Ends this process when the one that leads is gone: it would wait for work for ever."""
    leader = os.getppid()

    def watch() -> None:
        while os.getppid() == leader:
            time.sleep(WATCH_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
