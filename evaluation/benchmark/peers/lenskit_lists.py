"""Lists of LensKit: implicit matrix factorisation and item-item."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lenskit.als import ImplicitMFScorer
from lenskit.data import Dataset, ItemList, RecQuery, from_interactions_df
from lenskit.knn import ItemKNNScorer

from evaluation.benchmark.peers.job import NOBODY, Clock, Job, Nums


def main() -> None:
    """Fits the model that the job names, and writes its lists."""
    job = Job.read(Path(sys.argv[1]))
    customers, items, weights = job.pairs()
    clock = Clock(job)
    with clock.fitting():
        frame = pd.DataFrame({"user_id": customers, "item_id": items})
        if "confidence" in job.options:  # 1 + rating here
            frame["rating"] = job.options["confidence"] * weights - 1
        data = from_interactions_df(frame)
        model = _model(job)
        model.train(data)
    for placement, masked in job.masked.items():
        with clock.listing():
            lists = _lists(model, job, data, masked=masked)
        clock.keep(placement, lists)
    clock.write()


def _model(job: Job) -> Any:  # noqa: ANN401  # one of several
    settings = job.settings()
    if job.options["model"] == "als":
        settings.pop("confidence")
        return ImplicitMFScorer(weight=1.0, use_ratings=True, **settings)
    return ItemKNNScorer(feedback="implicit", **settings)


def _lists(model: Any, job: Job, data: Dataset, *, masked: bool) -> Nums:  # noqa: ANN401
    """Scores all items for each customer, as LensKit's own pipelines do, and keeps the best."""
    everything = ItemList.from_vocabulary(data.items)
    ids = np.asarray(everything.ids())
    asked = job.asked()
    lists = np.full((len(asked), job.k), NOBODY, dtype=np.int32)
    for row, customer in enumerate(asked.tolist()):
        history = data.user_row(customer)
        query = RecQuery(user_id=customer, user_items=history)
        scores = np.array(model(query, everything).scores(), dtype=np.float64)
        scores[np.isnan(scores)] = -np.inf
        if masked and history is not None:
            scores[np.isin(ids, history.ids())] = -np.inf
        best = np.argsort(-scores, kind="stable")[: job.k]
        best = best[np.isfinite(scores[best])]
        lists[row, : len(best)] = ids[best]
    return lists


if __name__ == "__main__":
    main()
