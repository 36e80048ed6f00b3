"""What a program gets and gives: files, so that any environment can take part.

A job is a folder with `job.json` and `pairs.npz`; the program adds `PLACEMENT.npy` with lists for
each placement, and `costs.json`. Needs NumPy and SciPy alone: peers' environments have no more.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Nums = NDArray[np.int32]
JOB_FILE, PAIRS_FILE, COSTS_FILE = "job.json", "pairs.npz", "costs.json"
NOBODY = -1
"""Fills lists that are short."""
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Costs:
    """What lists took."""

    fit_seconds: float
    """From the pairs in memory to a model that can answer."""
    fit_peak_mb: float
    """Highest resident memory of the largest process until then, libraries included."""
    list_seconds: float
    """Of all placements together."""


@dataclass(frozen=True, slots=True)
class Job:
    """Who did what, and whose lists are wanted."""

    folder: Path
    customers: int
    items: int
    k: int
    masked: dict[str, bool]
    """By placement: whether lists leave out the items that the customer has in the pairs."""
    options: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "Job":
        """Reads what `write` wrote."""
        return cls(folder=folder, **json.loads((folder / JOB_FILE).read_text("utf-8")))

    def write(self, customer_nums: Nums, item_nums: Nums, days: Nums, asked: Nums) -> None:
        """Writes the job.

        Args:
            customer_nums: shape (pairs,).
            item_nums: shape (pairs,).
            days: shape (pairs,): on how many days; each kind of event has days of its own.
            asked: shape (lists,): the customers whose lists are wanted, ascending.
        """
        told = asdict(self)
        del told["folder"]
        (self.folder / JOB_FILE).write_text(json.dumps(told), "utf-8")
        np.savez(
            self.folder / PAIRS_FILE,
            customers=customer_nums,
            items=item_nums,
            days=days,
            asked=asked,
        )

    def pairs(self) -> tuple[Nums, Nums, NDArray[np.float32]]:
        """Returns customers, items and what a pair counts: 1, or log(1 + days) where told so."""
        with np.load(self.folder / PAIRS_FILE) as stored:
            days = stored["days"].astype(np.float32)
            log = self.options.get("entries") == "log"
            return stored["customers"], stored["items"], np.log1p(days) if log else days**0

    def settings(self) -> dict[str, Any]:
        """Returns the options that are the model's own."""
        return {key: told for key, told in self.options.items() if key not in ("model", "entries")}

    def matrix(self) -> csr_matrix:
        """Returns the pairs as a matrix, customers x items, float32."""
        customers, items, weights = self.pairs()
        return csr_matrix((weights, (customers, items)), shape=(self.customers, self.items))

    def asked(self) -> Nums:
        """Returns the customers whose lists are wanted, ascending."""
        with np.load(self.folder / PAIRS_FILE) as stored:
            asked: Nums = stored["asked"]
            return asked

    def lists(self, placement: str) -> Nums:
        """Returns the lists that a program made, shape (asked, k), padded with `NOBODY`."""
        lists: Nums = np.load(self.folder / f"{placement}.npy")
        return lists

    def costs(self) -> Costs:
        """Returns what they took."""
        return Costs(**json.loads((self.folder / COSTS_FILE).read_text("utf-8")))


@dataclass(slots=True)
class Clock:
    """Takes the time and memory of a fit and of all lists, and writes them down."""

    job: Job
    fit_seconds: float = 0.0
    fit_peak_mb: float = 0.0
    list_seconds: float = 0.0

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Times what is inside as fitting."""
        start = time.perf_counter()
        yield
        self.fit_seconds += time.perf_counter() - start
        self.fit_peak_mb = _peak_mb()

    @contextmanager
    def listing(self) -> Iterator[None]:
        """Times what is inside as making lists."""
        start = time.perf_counter()
        yield
        self.list_seconds += time.perf_counter() - start

    def keep(self, placement: str, lists: NDArray[Any]) -> None:
        """Writes the lists of a placement, shape (asked, k)."""
        np.save(self.job.folder / f"{placement}.npy", lists.astype(np.int32))

    def write(self) -> None:
        """Writes the costs: the last thing that a program does."""
        costs = Costs(self.fit_seconds, self.fit_peak_mb, self.list_seconds)
        (self.job.folder / COSTS_FILE).write_text(json.dumps(asdict(costs)), "utf-8")


def from_table(job: Job, customers: NDArray[Any], items: NDArray[Any]) -> Nums:
    """Returns lists from rows of customer and item, best first within each customer."""
    asked = job.asked()
    lists = np.full((len(asked), job.k), NOBODY, dtype=np.int32)
    order = np.argsort(customers, kind="stable")
    customers, items = customers[order], items[order]
    starts = np.searchsorted(customers, asked)
    ends = np.searchsorted(customers, asked, side="right")
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        found = items[start:end][: job.k]
        lists[row, : len(found)] = found
    return lists


def _peak_mb() -> float:
    """Returns the highest resident memory of this process, or of its biggest child if larger.

    On Linux `ru_maxrss` starts at the memory of the process that started this one.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _MAXRSS_UNIT
    status = Path("/proc/self/status")
    if not status.is_file():
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT
        return max(own, children) / 2**20
    lines = status.read_text("utf-8").splitlines()
    [own] = [1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return max(own, children) / 2**20
