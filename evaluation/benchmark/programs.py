"""Lists that another process makes: of other libraries, or of one configuration of ours."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from evaluation.benchmark.definitions import Environment
from evaluation.benchmark.opening import ROOT
from evaluation.benchmark.peers.job import NOBODY, Costs, Job, Nums
from evaluation.benchmark.peers.own_lists import ASKED_FILE, CONFIG_FILE, DATA_FOLDER
from recsys.assembly import FitConfig
from recsys.choice.written import write_config
from recsys.data.catalogue import Catalogue
from recsys.data.dataset import CUSTOMERS_FILE, EVENTS_FILE, ITEMS_FILE
from recsys.data.split_rows import numbered, settled
from recsys.data.splits import PURCHASE, Split
from recsys.data.vocabulary import Vocabulary
from recsys.errors import RecsysError
from recsys.pipeline.query import Query, Reason, Recommendations, RecommendedItem
from recsys.programs import applications_folder
from recsys.protocols.mask import MASKABLE, Mask, with_mask
from recsys.types import DAY_S, CustomerId, Tier

PEERS = ROOT / "var" / "peers"
MODULES = "evaluation.benchmark.peers"
OWN = "own"


class ProgramError(RecsysError):
    """A program that makes lists, or the making of its environment, failed."""

    reason = "PROGRAM_FAILED"


def interpreter(name: str, environment: Environment, root: Path = PEERS) -> Path:
    """Returns the Python of a peer's environment, which is made and filled on first use.

    Raises:
        ProgramError: a package cannot be installed.
    """
    folder = root / name
    python, mark = folder / "bin" / "python", folder / "installed.json"
    wanted = json.dumps(environment.steps)
    if mark.is_file() and mark.read_text("utf-8") == wanted:
        return python
    venv.create(folder, with_pip=True, clear=True)
    for packages in environment.steps:
        _run([python, "-m", "pip", "install", "--quiet", *packages], f"pip for {name}")
    mark.write_text(wanted, "utf-8")
    return python


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Lists that are there already, asked as a recommender is; see `backtest.run.Answers`."""

    catalogue: Catalogue
    customers: Vocabulary[CustomerId]
    lists: dict[str, Nums]
    """By placement, shape (customers, k): numbers of the catalogue, padded with `NOBODY`."""
    costs: Costs

    def recommend(self, queries: Sequence[Query]) -> list[Recommendations]:
        """Looks lists up; whoever was not asked for has an empty one."""
        return [self._answer(query) for query in queries]

    def _answer(self, query: Query) -> Recommendations:
        row = None if query.customer_id is None else self.customers.number(query.customer_id)
        nums = [] if row is None else self.lists[query.placement][row].tolist()
        items = tuple(
            RecommendedItem(
                self.catalogue.items.id(num), num, 0.0, rank, "program", Reason("program")
            )
            for rank, num in enumerate([num for num in nums if num != NOBODY], 1)
        )
        return Recommendations(query.placement, items, Tier.PERSONALISED, "program", 0)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What every program of a benchmark is asked."""

    split: Split
    mask: Mask | None
    placements: tuple[str, ...]
    k: int

    def ask_peer(
        self, python: Path, program: str, options: Mapping[str, Any], *, all_events: bool = False
    ) -> Listed:
        """Runs a peer's program on distinct pairs of customer and item.

        Args:
            python: of the environment that has the library.
            program: a module beside `own_lists`.
            options: what the program is told.
            all_events: whether it learns from every event, not from purchases alone.

        Raises:
            ProgramError: it failed; the text has its last lines.
        """
        known, pairs = self._pairs(all_events=all_events)
        with TemporaryDirectory(prefix="benchmark-") as name:
            asked = self._asked(known)
            job = self._job(Path(name), len(known), dict(options))
            columns = ("customer_num", "item_num", "days")
            told = [pairs[column].cast(pl.Int32).to_numpy() for column in columns]
            job.write(told[0], told[1], told[2], known.numbers(asked.series()))
            _run([python, "-P", "-m", f"{MODULES}.{program}", name], program)
            return self._listed(job, asked)

    def ask_own(self, config: FitConfig) -> Listed:
        """Fits one configuration in a process of its own, on the events themselves.

        Raises:
            ProgramError: it failed; the text has its last lines.
        """
        split = self.split
        with TemporaryDirectory(prefix="benchmark-") as name:
            folder = Path(name)
            job, data = self._job(folder, len(split.customers), {}), folder / DATA_FOLDER
            nothing = np.zeros(0, dtype=np.int32)
            job.write(nothing, nothing, nothing, nothing)
            data.mkdir()
            split.train.events.collect().write_parquet(data / EVENTS_FILE)
            self._items().write_parquet(data / ITEMS_FILE)
            split.train.customers.write_parquet(data / CUSTOMERS_FILE)
            placements = with_mask(config.placements, self.mask)
            write_config(
                config.model_copy(update={"placements": placements}), folder / CONFIG_FILE
            )
            told = {
                "customers": split.customers.series().to_list(),
                "cutoff": split.cutoff.isoformat(),
            }
            (folder / ASKED_FILE).write_text(json.dumps(told), "utf-8")
            _run([sys.executable, "-P", "-m", f"{MODULES}.own_lists", name], "own_lists")
            return self._listed(job, split.customers)

    def _job(self, folder: Path, customers: int, options: dict[str, Any]) -> Job:
        masked = {name: (self.mask or MASKABLE[name]) is not Mask.NONE for name in self.placements}
        return Job(folder, customers, len(self.split.items), self.k, masked, options)

    def _items(self) -> pl.DataFrame:
        """Returns the items that lists rank."""
        ids = pl.DataFrame({"item_id": self.split.items.series()})
        return self.split.train.items.join(ids, on="item_id", how="semi", maintain_order="left")

    def _pairs(self, *, all_events: bool) -> tuple[Vocabulary[CustomerId], pl.DataFrame]:
        """Returns everybody in the training side, and who did what to an item on how many days."""
        rows = numbered(settled(self.split.train.events), self.split.items)
        rows = rows.filter(pl.col("item_num") >= 0)
        if not all_events:
            rows = rows.filter(pl.col("code") == PURCHASE)
        known: Vocabulary[CustomerId] = Vocabulary.from_ids(rows["customer_id"])
        counted = rows.group_by("customer_id", "item_num").agg(
            days=pl.struct("code", pl.col("time") // DAY_S).n_unique()
        )
        nums = pl.Series(known.numbers(counted["customer_id"]))
        return known, counted.with_columns(customer_num=nums).sort("customer_num", "item_num")

    def _asked(self, known: Vocabulary[CustomerId]) -> Vocabulary[CustomerId]:
        """Returns the judged customers whom the pairs know."""
        ids = self.split.customers.series()
        return Vocabulary.from_ids(ids.filter(pl.Series(known.numbers(ids) >= 0)))

    def _listed(self, job: Job, customers: Vocabulary[CustomerId]) -> Listed:
        lists = {name: job.lists(name) for name in self.placements}
        return Listed(Catalogue.from_frame(self._items()), customers, lists, job.costs())


def _run(command: list[str | Path], what: str) -> None:
    """Runs a command that finds the programs, and no packages of ours but the library."""
    kept = {key: text for key, text in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(  # noqa: S603  # words of our own
        [str(word) for word in command],
        cwd=ROOT,
        env=kept | {"PYTHONPATH": str(applications_folder())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-15:])
        message = f"{what}: exit status {done.returncode}\n{last}"
        raise ProgramError(message)
