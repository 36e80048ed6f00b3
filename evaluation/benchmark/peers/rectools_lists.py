"""Lists of RecTools: EASE, item-item cosine, popularity."""

import sys
from pathlib import Path
from typing import Any

import pandas as pd
from implicit.nearest_neighbours import CosineRecommender
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import EASEModel, ImplicitItemKNNWrapperModel, PopularModel

from evaluation.benchmark.peers.job import Clock, Job, Nums, from_table


def main() -> None:
    """Fits the model that the job names, and writes its lists."""
    job = Job.read(Path(sys.argv[1]))
    customers, items, weights = job.pairs()
    clock = Clock(job)
    with clock.fitting():
        frame = pd.DataFrame(
            {
                Columns.User: customers,
                Columns.Item: items,
                Columns.Weight: weights,
                Columns.Datetime: pd.Timestamp("2000-01-01"),
            }
        )
        dataset = Dataset.construct(frame)
        model = _model(job)
        model.fit(dataset)
    for placement, masked in job.masked.items():
        with clock.listing():
            lists = _lists(model, job, dataset, masked=masked)
        clock.keep(placement, lists)
    clock.write()


def _model(job: Job) -> Any:  # noqa: ANN401  # RecTools has no common public type
    settings = job.settings()
    if job.options["model"] == "ease":
        return EASEModel(recommend_use_gpu_ranking=False, **settings)
    if job.options["model"] == "item-item":
        return ImplicitItemKNNWrapperModel(CosineRecommender(**settings))
    return PopularModel(**settings)


def _lists(model: Any, job: Job, dataset: Dataset, *, masked: bool) -> Nums:  # noqa: ANN401
    found = model.recommend(job.asked(), dataset, k=job.k, filter_viewed=masked)
    found = found.sort_values([Columns.User, Columns.Rank])
    return from_table(job, found[Columns.User].to_numpy(), found[Columns.Item].to_numpy())


if __name__ == "__main__":
    main()
