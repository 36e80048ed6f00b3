"""What fills a list that the ranked items leave short: found as long as somebody asks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.pipeline.given import AsGiven, best_of
from recsys.pipeline.new_items import NewItems
from recsys.pipeline.query import Ranked
from recsys.pipeline.request import Request
from recsys.pipeline.source import CandidateSource, Explaining, said_by
from recsys.types import FloatArray, NumArray


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Items that may be listed, best first."""

    request: Request
    """For which they were found."""
    nums: NumArray
    scores: FloatArray
    givers: Sequence[Explaining]
    parts: FloatArray | None = None
    """Shape (rows, givers): who gave how much; None: the first giver all of it."""

    def givers_of(self, rows: Sequence[int]) -> list[Explaining]:
        """Returns for each of some rows who gave most of its score."""
        if self.parts is None or not rows:
            return [self.givers[0]] * len(rows)
        return [self.givers[column] for column in np.argmax(self.parts[rows], axis=1).tolist()]


def filling(
    request: Request,
    sources: Sequence[CandidateSource],
    new_items: NewItems | None,
    anchors: Ranked | None,
) -> Iterator[Chunk]:
    """Yields what fills a list; items come again, and some are listed already.

    First what each source knows something of, under the request's own mask and then under the
    wider one, then any new item. Of given items each source orders what it knows, and all follow
    as they came.

    Args:
        request: of the list.
        sources: that fill, in the order in which they are asked.
        new_items: after the bundle's; None: there are none.
        anchors: what new items are judged by; None: the list takes none.
    """
    if request.given_nums is not None:
        for source in sources:
            nums = best_of(said_by(source, request), request.given_nums)
            yield _unscored(request, nums, source)
        yield _unscored(request, request.given_nums, AsGiven())
        return
    for asked in (request,) if request.wider is None else (request, request.wider):
        for source in sources:
            yield from _more_and_more(asked, source)
    if new_items is not None and anchors is not None:
        yield _unscored(request, new_items.rest(request, anchors), new_items)


def _more_and_more(request: Request, source: CandidateSource) -> Iterator[Chunk]:
    """Yields a source's best, and more of them each time, to the last one."""
    found, wanted = said_by(source, request), request.query.limit
    while True:
        wanted *= 2
        nums, _ = found.best(wanted)
        yield _unscored(request, nums, source)
        if len(nums) < wanted:
            return


def _unscored(request: Request, nums: NumArray, giver: Explaining) -> Chunk:
    return Chunk(request, nums, np.zeros(len(nums), dtype=np.float32), [giver])
