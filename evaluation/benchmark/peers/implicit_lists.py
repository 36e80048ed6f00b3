"""Lists of `implicit` as it is: ALS and item-item cosine."""

import sys
from pathlib import Path
from typing import Any

from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from evaluation.benchmark.peers.job import Clock, Job, Nums


def main() -> None:
    """Fits the model that the job names, and writes its lists."""
    job = Job.read(Path(sys.argv[1]))
    matrix, clock = job.matrix(), Clock(job)
    with threadpool_limits(1, "blas"):
        with clock.fitting():
            model = _model(job)
            model.fit(matrix, show_progress=False)
        for placement, masked in job.masked.items():
            with clock.listing():
                lists = _lists(model, job, matrix, masked=masked)
            clock.keep(placement, lists)
    clock.write()


def _model(job: Job) -> Any:  # noqa: ANN401  # implicit has no types
    settings = job.settings()
    if job.options["model"] == "als":
        return AlternatingLeastSquares(random_state=1, **settings)
    return CosineRecommender(**settings)


def _lists(model: Any, job: Job, matrix: csr_matrix, *, masked: bool) -> Nums:  # noqa: ANN401
    asked = job.asked()
    lists: Nums
    lists, _ = model.recommend(asked, matrix[asked], N=job.k, filter_already_liked_items=masked)
    return lists


if __name__ == "__main__":
    main()
