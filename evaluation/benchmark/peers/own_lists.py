"""Lists of one configuration of ours, in a process of its own: what a peer is compared with."""

import json
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from evaluation.benchmark.peers.job import NOBODY, Clock, Job, Nums
from recsys.assembly import assemble
from recsys.backtest.run import BATCH
from recsys.data.dataset import Dataset
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.types import CustomerId

CONFIG_FILE, ASKED_FILE, DATA_FOLDER = "config.toml", "asked.json", "data"


def main() -> None:
    """Fits the job's configuration on the job's data set, and writes its lists."""
    job = Job.read(Path(sys.argv[1]))
    told = json.loads((job.folder / ASKED_FILE).read_text("utf-8"))
    cutoff = datetime.fromisoformat(told["cutoff"])
    config, clock = load_config(job.folder / CONFIG_FILE), Clock(job)
    dataset = Dataset.open(job.folder / DATA_FOLDER)
    with threadpool_limits(1, "blas"):
        with clock.fitting():
            recommender = assemble(fit(dataset, config, end_time=cutoff).pipeline, "benchmark")
        for placement in job.masked:
            with clock.listing():
                lists = _lists(recommender, placement, told["customers"], cutoff, job.k)
            clock.keep(placement, lists)
    clock.write()


def _lists(
    recommender: Recommender, placement: str, customers: list[str], cutoff: datetime, k: int
) -> Nums:
    """Returns lists, shape (customers, k); item numbers are those of the catalogue."""
    lists = np.full((len(customers), k), NOBODY, dtype=np.int32)
    time = int(cutoff.timestamp())
    for start in range(0, len(customers), BATCH):
        batch = [
            Query(placement, time, CustomerId(customer), limit=k)
            for customer in customers[start : start + BATCH]
        ]
        for row, answer in enumerate(recommender.recommend(batch), start):
            nums = [item.item_num for item in answer.items]
            lists[row, : len(nums)] = nums
    return lists


if __name__ == "__main__":
    main()
