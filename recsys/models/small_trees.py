"""Small boosted trees over rows of numbers: what learners of propensity and uplift are made of."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from recsys.config import StrictModel
from recsys.models.booster import booster_of
from recsys.types import FloatArray

if TYPE_CHECKING:
    from lightgbm import Booster

Numbers = NDArray[np.float64]


class TreesConfig(StrictModel):
    """How boosted trees are fitted. Effects are small beside noise: few, shallow, slow trees."""

    trees: int = Field(default=60, ge=1, le=2_000)
    leaves: int = Field(default=3, ge=2, le=255)
    """Of one tree at most."""
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    least_rows: int = Field(default=200, ge=1)
    """Of a leaf; at most a twentieth of all rows, so that little data give trees as well."""
    l2: float = Field(default=1.0, ge=0)
    """Pulls the values of small leaves to zero."""
    seed: int = 1

    def fit(
        self,
        rows: FloatArray,
        labels: Numbers,
        *,
        kind: Literal["probability", "amount"],
        weights: Numbers | None = None,
        categories: tuple[int, ...] = (),
    ) -> "Trees":
        """Fits trees; the same rows and configuration give the same trees.

        Args:
            rows: shape (rows, features) float32; NaN where nothing is known.
            labels: shape (rows,) float64: 0 to 1 for a probability, any amount else.
            kind: what is learned: the mean of labels between 0 and 1, or of amounts.
            weights: shape (rows,) float64 above 0; default: all the same.
            categories: columns whose numbers are names of something, from 0.
        """
        import lightgbm  # noqa: PLC0415  those who only read trees may not need it

        settings = {
            "objective": "cross_entropy" if kind == "probability" else "regression",
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": max(1, min(self.least_rows, len(rows) // 20)),
            "lambda_l2": self.l2,
            "seed": self.seed,
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "verbose": -1,
        }
        data = lightgbm.Dataset(
            rows, labels, weight=weights, categorical_feature=list(categories), free_raw_data=True
        )
        booster = lightgbm.train(settings, data, self.trees)
        return Trees(booster.model_to_string())


@dataclass(frozen=True, eq=False)
class Trees:
    """Fitted trees."""

    text: str = field(repr=False)
    """In LightGBM's own format."""

    @cached_property
    def _booster(self) -> "Booster":
        return booster_of(self.text)

    @property
    def width(self) -> int:
        """Number of columns that a row must have."""
        return int(self._booster.num_feature())

    def means(self, rows: FloatArray) -> Numbers:
        """Returns what each row's label is expected to be, shape (rows,) float64."""
        if len(rows) == 0:
            return np.empty(0)
        # One thread: a row gives the same whoever asks beside it.
        found: Numbers = np.asarray(self._booster.predict(rows, num_threads=1), dtype=np.float64)
        return found

    def shares(self) -> Numbers:
        """Returns by column the part of all gain that its splits made, shape (columns,)."""
        gains = self._booster.feature_importance("gain").astype(np.float64)
        return gains / max(float(gains.sum()), 1e-300)

    def array(self) -> NDArray[np.uint8]:
        """Returns the trees as bytes."""
        return np.frombuffer(self.text.encode(), dtype=np.uint8)

    @classmethod
    def restore(cls, array: NDArray[np.generic]) -> "Trees":
        """Returns the trees of these bytes.

        Raises:
            ValueError: they are no trees.
        """
        trees = cls(array.tobytes().decode())
        trees._booster.num_feature()
        return trees
