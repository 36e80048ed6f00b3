"""The only bridge between callers' ids and our dense numbers."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.types import UNKNOWN, NumArray, OffsetArray

IdT = TypeVar("IdT", bound=str)
HashArray = NDArray[np.uint64]
REMEMBERED = 32_768
"""Ids whose numbers are kept at hand: about 5 MB."""
FNV_BASIS, FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3


class Vocabulary(Generic[IdT]):
    """Sorted, distinct ids; an id's number is its place in UTF-8 byte order.

    The ids live in two flat arrays that can be memory-mapped, so that server processes share
    them through the page cache; a look-up is a binary search over them, and what was found lately
    is remembered.
    """

    __slots__ = ("_bytes", "_found", "_hashes", "_offsets")

    def __init__(self, id_bytes: NDArray[np.uint8], offsets: OffsetArray) -> None:
        """Takes the arrays of `arrays()`: UTF-8 text (any,) uint8 and (n + 1,) int64 offsets."""
        self._bytes = id_bytes
        self._offsets = offsets
        self._found: dict[IdT, int] = {}
        self._hashes: HashArray | None = None

    @classmethod
    def from_ids(cls, ids: Iterable[IdT] | pl.Series) -> "Vocabulary[IdT]":
        """Builds the vocabulary of the distinct ids, in any order."""
        series = ids if isinstance(ids, pl.Series) else pl.Series(list(ids), dtype=pl.String)
        distinct = series.drop_nulls().unique().sort()
        lengths = distinct.str.len_bytes().to_numpy().astype(np.int64)
        offsets = np.zeros(len(distinct) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        text = "".join(distinct.to_list()).encode()
        return cls(np.frombuffer(text, dtype=np.uint8), offsets)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Returns the arrays that the constructor takes, by name."""
        return {"id_bytes": self._bytes, "offsets": self._offsets}

    def __len__(self) -> int:
        """Returns the number of ids."""
        return len(self._offsets) - 1

    def _id_bytes(self, number: int) -> bytes:
        return self._bytes[self._offsets[number] : self._offsets[number + 1]].tobytes()

    def number(self, id_: IdT) -> int | None:
        """Returns the number of an id, None where it is not known."""
        number = self._found.get(id_)
        if number is not None:
            return number
        sought = id_.encode(errors="surrogatepass")
        place = bisect_left(range(len(self)), sought, key=self._id_bytes)
        if place == len(self) or self._id_bytes(place) != sought:
            return None
        if len(self._found) >= REMEMBERED:
            self._found = {}  # not cleared: another thread may be reading it
        self._found[id_] = place
        return place

    def numbers(self, ids: Sequence[IdT] | pl.Series) -> NumArray:
        """Returns the numbers of ids, shape (n,), `UNKNOWN` where an id is not known or null."""
        if not isinstance(ids, pl.Series):
            found = (self.number(id_) for id_ in ids)
            known = [UNKNOWN if number is None else number for number in found]
            return np.array(known, dtype=np.int32)
        table = pl.DataFrame({"id": self.series()}).with_row_index("number")
        sought = pl.DataFrame({"id": ids.cast(pl.String)})
        joined = sought.join(table, on="id", how="left", maintain_order="left")
        return joined["number"].cast(pl.Int32).fill_null(UNKNOWN).to_numpy()

    def id(self, number: int) -> IdT:
        """Returns the id of a number in [0, len)."""
        if not 0 <= number < len(self):
            message = f"number {number} is outside 0..{len(self) - 1}"
            raise IndexError(message)
        return self._id_bytes(number).decode()  # type: ignore[return-value]  # ids of type IdT went in

    def ids(self, numbers: NumArray) -> list[IdT]:
        """Returns the ids of numbers in [0, len)."""
        return [self.id(number) for number in numbers.tolist()]

    def starting_with(self, prefix: str) -> slice:
        """Returns the numbers of the ids that begin with some text: they stand side by side."""
        sought = prefix.encode()
        length = len(sought)
        first = bisect_left(range(len(self)), sought, key=self._id_bytes)
        after = bisect_right(
            range(len(self)), sought, lo=first, key=lambda num: self._id_bytes(num)[:length]
        )
        return slice(first, after)

    def hashes(self) -> HashArray:
        """Returns a number of each id, shape (n,) uint64: of its text alone, in every bundle.

        FNV-1a (Fowler, Noll and Vo), of all ids at once, byte by byte; computed when first asked.
        """
        if self._hashes is None:
            self._hashes = self._hashed()
        return self._hashes

    def _hashed(self) -> HashArray:
        lengths = np.diff(self._offsets)
        found = np.full(len(self), FNV_BASIS, dtype=np.uint64)
        left = np.arange(len(self))
        for place in range(int(lengths.max(initial=0))):
            left = left[lengths[left] > place]
            found[left] ^= self._bytes[self._offsets[left] + place]
            found[left] *= np.uint64(FNV_PRIME)
        return found

    def series(self) -> pl.Series:
        """Returns all ids in number order as a polars String series."""
        return pl.Series("id", [self._id_bytes(n).decode() for n in range(len(self))], pl.String)
