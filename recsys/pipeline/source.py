"""What a source is: it scores the items of the shop for one request."""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from recsys.errors import ConfigError
from recsys.pipeline.query import Reason
from recsys.pipeline.request import Request
from recsys.pipeline.scores import Scores
from recsys.types import NumArray, Tier


class Explaining(Protocol):
    """Gives items and says why."""

    @property
    def name(self) -> str:
        """Returns the name that stands in answers."""
        ...

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:
        """Returns why this source gives each of these items."""
        ...


class CandidateSource(Explaining, Protocol):
    """Scores items for a request.

    What it says to a request depends on nothing else: not on the other requests of a batch, not
    on what was asked before. What it says of an item does not depend on what is allowed.
    """

    @property
    def name(self) -> str:
        """Returns the name that placements use."""
        ...

    def scores(self, request: Request) -> Scores:
        """Returns what this source says of the items to the request."""
        ...

    def tier(self, request: Request) -> Tier:
        """Returns how much the items of this source know about this request's customer."""
        ...

    def explain(self, request: Request, item_nums: NumArray) -> list[Reason]:
        """Returns why this source gives each of these items, all with scores above 0."""
        ...


class HistoryParts(NamedTuple):
    """What the items of a history add to the scores of items."""

    seeds: NumArray
    """Shape (seeds,): the items of the history, as the source sees it."""
    parts: NDArray[np.float64]
    """Shape (items, seeds)."""


@runtime_checkable
class Adding(Protocol):
    """A source whose scores are sums over the history."""

    def history_parts(self, request: Request, item_nums: NumArray) -> HistoryParts | None:
        """Returns the parts of the scores of items; None where the source cannot tell them.

        A row adds up to the score that `scores(request).of` gives.
        """
        ...


def said_by(source: CandidateSource, request: Request) -> Scores:
    """Returns what a source says to a request.

    It is asked once for all requests that differ in what is allowed alone.
    """
    found = request.said.get(source.name)
    if found is None:
        found = source.scores(request)
        if not hasattr(found, "allowing"):
            message = (
                f"source {source.name!r}: its scores() returned {type(found).__name__}: return "
                "ListedScores, or another class with the methods of Scores"
            )
            raise ConfigError(message)
        request.said[source.name] = found
        return found
    return found.allowing(request.allowed)
