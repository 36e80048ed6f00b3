"""The second stage: boosted trees that order the blend's best candidates.

LambdaMART (Burges, From RankNet to LambdaRank to LambdaMART, 2010) as LightGBM implements it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from recsys.config import StrictModel
from recsys.models.booster import booster_of
from recsys.models.protocol import Arrays, EventWeights
from recsys.pipeline.blend import Pool
from recsys.pipeline.features import features
from recsys.pipeline.query import Ranked
from recsys.pipeline.request import Request
from recsys.types import EventType, FloatArray

if TYPE_CHECKING:
    from lightgbm import Booster


class RankerConfig(StrictModel):
    """How a placement's ranker is fitted; its rows come from past cut-offs."""

    candidates: int = Field(default=100, ge=1, le=1_000)
    """Best of the blend that are ranked; a longer page ranks as many as it has places."""
    cut_offs: int = Field(default=3, ge=1)
    """Past moments that rows are made at, one horizon apart; the last is a horizon before the
    end of the data."""
    horizon_days: int = Field(default=28, ge=1)
    """What happens within so many days after a cut-off makes its labels."""
    customers: int = Field(default=1_500, ge=1)
    """Sampled at each cut-off."""
    labels: EventWeights = Field(default={EventType.PURCHASE: 1.0})
    """What an event after the cut-off is worth; the best of a customer with an item counts."""
    value: Literal["none", "price", "margin"] = "none"
    """Multiplies a label by log(1 + price) or log(1 + price - cost) of its item."""
    half_lives_days: tuple[float, ...] = (30.0, 120.0)
    """Of the faded counts among the features."""
    trees: int = Field(default=100, ge=1, le=1_000)
    leaves: int = Field(default=31, ge=2, le=255)
    """Of one tree at most."""
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    least_rows: int = Field(default=100, ge=1)
    """Of a leaf."""
    seed: int = 1


@dataclass(frozen=True, eq=False)
class Ranker:
    """Fitted trees."""

    config: RankerConfig
    names: tuple[str, ...]
    """The features, in order."""
    text: str
    """The trees in LightGBM's own format."""

    @cached_property
    def _trees(self) -> "Booster":
        return booster_of(self.text)

    def arrays(self) -> Arrays:
        """Returns the learned fields by name."""
        return {
            "trees": np.frombuffer(self.text.encode(), dtype=np.uint8),
            "names": np.frombuffer("\n".join(self.names).encode(), dtype=np.uint8),
        }

    @classmethod
    def restore(cls, config: RankerConfig, arrays: Arrays) -> "Ranker":
        """Returns the ranker with these arrays.

        Raises:
            ValueError: they are not trees over as many features as are named.
        """
        names = tuple(arrays["names"].tobytes().decode().split("\n"))
        ranker = cls(config, names, arrays["trees"].tobytes().decode())
        width = ranker._trees.num_feature()
        if width != len(names):
            message = f"its trees have {width} features, and it names {len(names)}"
            raise ValueError(message)
        return ranker

    def scores(self, rows: FloatArray) -> FloatArray:
        """Returns the score of each row, shape (rows,) float32 in (0, 1)."""
        squashed: FloatArray = (1.0 / (1.0 + np.exp(-self.raw_scores(rows)))).astype(np.float32)
        return squashed

    def contributions(self, rows: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns what each feature adds to the scores of rows, before they are squashed.

        Exact SHAP values (Lundberg, Erion and Lee, Consistent individualized feature attribution
        for tree ensembles, 2018), as LightGBM computes them.

        Returns:
            The features' parts, shape (rows, features), and what the trees give without any
            feature, shape (rows,): together they add up to the trees' raw score.
        """
        if len(rows) == 0:  # LightGBM divides by their number
            return np.zeros((0, len(self.names))), np.zeros(0)
        found = np.asarray(self._trees.predict(rows, pred_contrib=True, num_threads=1))
        return found[:, :-1], found[:, -1]

    def raw_scores(self, rows: FloatArray) -> NDArray[np.float64]:
        """Returns the scores of rows before they are squashed, shape (rows,)."""
        return np.asarray(self._trees.predict(rows, raw_score=True, num_threads=1))


def ranker_rows(
    config: RankerConfig, request: Request, ranked: Ranked, candidates: Pool, table: FloatArray
) -> tuple[Ranked, FloatArray]:
    """Returns the blend's best candidates and what a ranker sees of them, one row each.

    Rows to learn from and rows to answer with are made here alone.

    Args:
        config: of the ranker.
        request: the query in numbers.
        ranked: the candidates by the blend, best first.
        candidates: the same, with shares.
        table: of `item_table`.
    """
    places = max(config.candidates, request.query.limit)
    best = Ranked(ranked.item_nums[:places], ranked.scores[:places], ranked.parts[:places])
    shares = candidates.shares[np.searchsorted(candidates.item_nums, best.item_nums)]
    return best, features(request, best, shares, table, config.half_lives_days)


def rerank(
    ranker: Ranker, request: Request, ranked: Ranked, candidates: Pool, table: FloatArray
) -> Ranked:
    """Returns the blend's best candidates in the ranker's order, then all others in the blend's.

    Ties go by the blend. The others are needed where many of the best are variants of one product;
    their scores are the blend's, scaled to stay below.

    Args:
        ranker: of the placement.
        request: the query in numbers.
        ranked: the candidates by the blend, best first.
        candidates: the same, with shares.
        table: of `item_table`.
    """
    best, rows = ranker_rows(ranker.config, request, ranked, candidates, table)
    places = len(rows)
    if places == 0:
        return best
    scores = ranker.scores(rows)
    order = np.argsort(-scores, kind="stable")
    below = ranked.scores[places:] / ranked.scores[places - 1] * scores.min()
    return Ranked(
        np.concatenate([best.item_nums[order], ranked.item_nums[places:]]),
        np.concatenate([scores[order], below]),
        np.concatenate([best.parts[order], ranked.parts[places:]]),
    )
