"""A vocabulary that goes on after its end: what has a number keeps it."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from recsys.data.vocabulary import HashArray, IdT, Vocabulary
from recsys.types import UNKNOWN, NumArray


class LongerVocabulary(Vocabulary[IdT]):
    """The ids of one vocabulary and then those of another, which share none.

    Each part is in UTF-8 byte order, the whole is not.
    """

    __slots__ = ("_first", "_more")

    def __init__(self, first: Vocabulary[IdT], more: Vocabulary[IdT]) -> None:
        """Takes the parts; an id's number is its place in the first, or comes after."""
        texts, ends = first.arrays(), more.arrays()
        offsets = np.concatenate([texts["offsets"], ends["offsets"][1:] + texts["offsets"][-1]])
        super().__init__(
            np.concatenate([texts["id_bytes"], ends["id_bytes"]]),
            offsets.astype(np.int64),
        )
        self._first = first
        self._more = more

    def number(self, id_: IdT) -> int | None:
        """Returns the number of an id, None where it is not known."""
        number = self._first.number(id_)
        if number is not None:
            return number
        number = self._more.number(id_)
        return None if number is None else len(self._first) + number

    def numbers(self, ids: Sequence[IdT] | pl.Series) -> NumArray:
        """Returns the numbers of ids, shape (n,), `UNKNOWN` where an id is not known or null."""
        if not isinstance(ids, pl.Series):
            return super().numbers(ids)
        first, more = self._first.numbers(ids), self._more.numbers(ids)
        later = np.where(more == UNKNOWN, UNKNOWN, more + len(self._first))
        return np.where(first == UNKNOWN, later, first).astype(np.int32)

    def hashes(self) -> HashArray:
        """Returns a number of each id, shape (n,) uint64: of its text alone, in every bundle."""
        return np.concatenate([self._first.hashes(), self._more.hashes()])
