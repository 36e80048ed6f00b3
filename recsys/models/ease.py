"""EASE: every item as a linear combination of the others, in closed form.

Steck, Embarrassingly shallow autoencoders for sparse data, WWW 2019. With the inverse P of
X'X + regularization, the weight of item i for item j is -P[i, j] / P[j, j], and an item has no
weight for itself. The full matrix is dense; each item keeps the weights of largest magnitude,
of either sign: a negative one says that customers of one item pass by the other.
"""

import subprocess
import sys
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
from recsys.types import FloatArray, NumArray, OffsetArray

MOST_ITEMS = 20_000
"""The largest system: 1.5 GiB. Memory grows with the square and time with the cube."""


class Ease(LinearConfig):
    """Solves for the weights in a process of its own; needs nothing but SciPy."""

    kind: Literal["ease"] = "ease"
    regularization: float = Field(default=500.0, gt=0)
    """Added to the diagonal of X'X: customers' worth of doubt about each item."""
    item_limit: int = Field(default=MOST_ITEMS, ge=1, le=MOST_ITEMS)
    """Items that take part; where there are more, the ones with most customers."""
    neighbours: int = Field(default=200, ge=1, le=MOST_ITEMS)
    """Weights kept for each item, largest magnitude first."""

    def fit(self, data: TrainingData) -> "EaseModel":
        """Learns the weights.

        Raises:
            DataError: the system could not be solved; the text says what to change.
        """
        matrix = self.matrix(data)
        trained = most_chosen(matrix, self.item_limit)
        item_count = matrix.shape[1]
        if len(trained) == 0:
            nothing = SparseRows(
                np.zeros(item_count + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32)
            )
            return _model(nothing, 1.0)
        with TemporaryDirectory(prefix="ease-") as name:
            folder = Path(name)
            ease_solver.write_matrix(folder, csr_array(matrix[:, trained]))
            self._solve(folder, len(trained))
            solved = ease_solver.read_solution(folder)
        seeds, targets = trained[solved.seeds], trained[solved.targets]
        order = np.lexsort((targets, seeds))
        counts = np.bincount(seeds, minlength=item_count)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        rows = SparseRows(offsets, targets[order].astype(np.int32), solved.weights[order])
        return _model(rows, solved.kept_share)

    def _solve(self, folder: Path, items: int) -> None:
        """Waits for the process that solves: LAPACK may end it, and its memory must come back."""
        command = [sys.executable, "-m", ease_solver.__name__]
        arguments = [str(folder), str(self.regularization), str(self.neighbours)]
        ended = subprocess.run(  # noqa: S603  # our own module, on a folder that we made
            [*command, *arguments],
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
        return EaseModel(**arrays)  # type: ignore[arg-type]  # arrays() wrote these types


@dataclass(frozen=True, slots=True, eq=False)
class EaseModel:
    """Row i has the weights of item i for other items, as `SparseRows` keeps them."""

    offsets: OffsetArray
    """Shape (items + 1,)."""
    item_nums: NumArray
    weights: FloatArray
    """Of either sign, never of an item for itself."""
    kept_share: FloatArray
    """Shape (1,): sum of the squared weights kept, as a share of all squared weights."""

    def arrays(self) -> Arrays:
        """Returns the fields by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    def report(self) -> Mapping[str, float]:
        """Returns how many weights there are, and what pruning left of their squares."""
        return {
            "weights": float(len(self.weights)),
            "kept_share_of_squares": round(float(self.kept_share[0]), 6),
        }

    def scores(self, seeds: NumArray, weights: FloatArray) -> tuple[NumArray, FloatArray]:
        """Returns the items with a sum of seed weight times item weight above 0.

        Args:
            seeds: item numbers, distinct, shape (seeds,).
            weights: what each counts, shape (seeds,).

        Returns:
            Item numbers, ascending, and scores, both shape (items,).
        """
        return self._rows().scores(seeds, weights)

    def strongest_seeds(
        self, seeds: NumArray, weights: FloatArray, item_nums: NumArray
    ) -> NumArray:
        """Returns, for items that `scores` gives, the seed each owes most to, shape (items,)."""
        return self._rows().strongest_seeds(seeds, weights, item_nums)

    def _rows(self) -> SparseRows:
        return SparseRows(self.offsets, self.item_nums, self.weights)


def most_chosen(matrix: csr_array, limit: int) -> NumArray:
    """Returns the columns with most entries, at least one, ascending; ties keep the lower."""
    customers = np.bincount(matrix.indices, minlength=matrix.shape[1])
    order = np.lexsort((np.arange(len(customers)), -customers))[:limit]
    return np.sort(order[customers[order] > 0]).astype(np.int32)


def _model(rows: SparseRows, kept_share: float) -> EaseModel:
    share = np.array([kept_share], dtype=np.float32)
    return EaseModel(rows.offsets, rows.item_nums, rows.weights, share)
