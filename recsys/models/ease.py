"""EASE: every item as a linear combination of the others, in closed form.

Steck, Embarrassingly shallow autoencoders for sparse data, WWW 2019. With the inverse P of
X'X + regularization, the weight of item i for item j is -P[i, j] / P[j, j], and an item has no
weight for itself. The full matrix is dense; the weights of largest magnitude are kept, of either
sign: a negative one says that customers of one item pass by the other.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
from pydantic import Field
from scipy.sparse import csr_array

from recsys.errors import DataError
from recsys.models import ease_solver
from recsys.models.linear import LinearConfig
from recsys.models.protocol import Arrays, TrainingData
from recsys.models.sparse_rows import SparseRows
from recsys.programs import module_command
from recsys.types import FloatArray, NumArray

MOST_ITEMS = 20_000
"""The largest system: 1.5 GiB. Memory grows with the square and time with the cube."""


class Ease(LinearConfig):
    """Solves for the weights in a process of its own; needs nothing but SciPy."""

    kind: Literal["ease"] = "ease"
    regularization: float = Field(default=500.0, gt=0)
    """Added to the diagonal of X'X: customers' worth of doubt about each item."""
    item_limit: int = Field(default=MOST_ITEMS, ge=1, le=MOST_ITEMS)
    """Items that take part; where there are more, the ones with most customers."""
    weight_limit: int = Field(default=10_000_000, ge=1, le=2**31 - 1)
    """Weights kept in all, largest magnitude first: 8 bytes each, and all of 3,000 items."""

    def fit(self, data: TrainingData) -> "EaseModel":
        """Learns the weights.

        Raises:
            DataError: the system could not be solved; the text says what to change.
        """
        matrix = self.matrix(data)
        trained = most_chosen(matrix, self.item_limit)
        item_count = matrix.shape[1]
        if len(trained) == 0:
            return EaseModel(SparseRows.of(csr_array((item_count, item_count))), 1.0)
        with TemporaryDirectory(prefix="ease-") as name:
            folder = Path(name)
            ease_solver.write_matrix(folder, csr_array(matrix[:, trained]))
            self._solve(folder, len(trained))
            solved = ease_solver.read_solution(folder)
        entries = (solved.weights, (trained[solved.seeds], trained[solved.targets]))
        rows = SparseRows.of(csr_array(entries, shape=(item_count, item_count)))
        return EaseModel(rows, solved.kept_share)

    def _solve(self, folder: Path, items: int) -> None:
        """Waits for the process that solves: LAPACK may end it, and its memory must come back."""
        options = folder, self.regularization, self.weight_limit
        ended = subprocess.run(  # noqa: S603  # our own module, on a folder that we made
            module_command(ease_solver.__name__, *options),
            env=ease_solver.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode != 0:
            said = ended.stderr.strip().splitlines()
            message = (
                f"the linear system of {items:,} items was not solved (the solver ended with "
                f"{ended.returncode}{': ' + said[-1] if said else ''}): it needs about "
                f"{5 * items**2 / 2**30:.1f} GiB of memory; lower item_limit, or raise "
                "regularization"
            )
            raise DataError(message, items=str(items), returncode=str(ended.returncode))

    def restore(self, arrays: Arrays) -> "EaseModel":
        """Returns the model with these arrays."""
        return EaseModel(SparseRows.restore(arrays), float(arrays["kept_share"][0]))


@dataclass(frozen=True, slots=True, eq=False)
class EaseModel:
    """The weights of every item for other items."""

    rows: SparseRows
    """Of either sign, never of an item for itself."""
    kept_share: float
    """Sum of the squared weights kept, as a share of all squared weights."""

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        return {**self.rows.arrays(), "kept_share": np.array([self.kept_share])}

    def report(self) -> Mapping[str, float]:
        """Returns how many weights there are, and what pruning left of their squares."""
        return {
            "weights": float(len(self.rows)),
            "kept_share_of_squares": round(self.kept_share, 6),
        }

    def scores(self, seeds: NumArray, weights: FloatArray) -> tuple[NumArray, FloatArray]:
        """Returns the items with a sum above 0, as `LinearModel` says."""
        return self.rows.scores(seeds, weights)

    def strongest_seeds(
        self, seeds: NumArray, weights: FloatArray, item_nums: NumArray
    ) -> NumArray:
        """Returns the seed that each item owes most to, as `LinearModel` says."""
        return self.rows.strongest_seeds(seeds, weights, item_nums)


def most_chosen(matrix: csr_array, limit: int) -> NumArray:
    """Returns the columns with most entries, at least one, ascending; ties keep the lower."""
    customers = np.bincount(matrix.indices, minlength=matrix.shape[1])
    order = np.lexsort((np.arange(len(customers)), -customers))[:limit]
    return np.sort(order[customers[order] > 0]).astype(np.int32)
