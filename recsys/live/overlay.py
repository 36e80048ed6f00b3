"""The catalogue that answers: the bundle's, with what callers have changed since laid over it.

An item keeps its number: first the bundle's items, then those that the bundle does not know. An
item that was removed keeps its row, which is in no mask any more, so that models, whose arrays go
by number, need not change.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.data.catalogue import Catalogue
from recsys.data.longer_vocabulary import LongerVocabulary
from recsys.data.vocabulary import Vocabulary
from recsys.live.changed_rows import contents, further_columns, laid_over
from recsys.live.eligibility import Eligibility, Markets, replaced_markets
from recsys.store.catalogue import ItemRow
from recsys.types import UNKNOWN, NumArray, TimeArray

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True, eq=False)
class Numbering:
    """Numbers of keys. One that was given stays, so that later catalogues need no new arrays."""

    known: dict[str, int]
    first_free: int

    def of(self, keys: Iterable[str | None]) -> NumArray:
        """Returns the number of each key, a new one for a new key, `UNKNOWN` for None."""
        return np.array([self._number(key) for key in keys], dtype=np.int32)

    def _number(self, key: str | None) -> int:
        if key is None:
            return UNKNOWN
        return self.known.setdefault(key, self.first_free + len(self.known))


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """A catalogue with the changes up to one moment; `changed` makes that of a later one.

    Overlays of one bundle share what they know of groups and categories: make one from another in
    one thread at a time. Reading is safe from any.
    """

    bundle: Catalogue
    """As it was fitted."""
    catalogue: Catalogue
    """As answers see it."""
    eligibility: Eligibility
    markets: Markets
    """Of the bundle's items as they are now."""
    groups: Numbering = field(repr=False)
    categories: Numbering = field(repr=False)

    @classmethod
    def over(cls, bundle: Catalogue, eligibility: Eligibility) -> "Overlay":
        """Returns the overlay without any change."""
        return cls(
            bundle,
            bundle,
            eligibility,
            eligibility.markets,
            _numbering(bundle.frame["group_id"], bundle.group_nums),
            _numbering(_paths(bundle.frame), bundle.category_nums),
        )

    @property
    def new_rows(self) -> pl.DataFrame:
        """Returns the rows of the items that the bundle does not know, ordered by their ids."""
        return self.catalogue.frame.slice(len(self.bundle))

    @property
    def bundle_part(self) -> Catalogue:
        """Returns the bundle's items alone, as they are now."""
        count, now = len(self.bundle), self.catalogue
        return Catalogue(
            self.bundle.items,
            now.frame.head(count),
            now.group_nums[:count],
            now.category_nums[:count],
            now.created_times[:count],
            now.removed,
        )

    def changed(self, rows: Sequence[ItemRow]) -> "Overlay":
        """Returns the overlay after further changes.

        Args:
            rows: of the store, each item once; all columns that were ever changed.
        """
        given, count = contents(rows), len(self.bundle)
        nums = self._bundle_nums([row.item_id for row in rows])
        extra = further_columns(given, self.catalogue.frame.schema)
        frame = self.catalogue.frame.with_columns(
            pl.lit(None, dtype).alias(name) for name, dtype in extra.items()
        )
        inside, outside = np.flatnonzero(nums >= 0), np.flatnonzero(nums < 0)
        was = _with_all_columns(self.bundle.frame[nums[inside]], frame)
        told = _picked(rows, inside)
        patch = laid_over(told, _picked(given, inside), was)
        first, touched = _replaced(frame.head(count), nums[inside], patch)
        more = _more(frame.slice(count), _picked(rows, outside), _picked(given, outside))
        removed = set(self.catalogue.removed)
        for num, row in zip(nums[inside].tolist(), told, strict=True):
            (removed.add if row.removed else removed.discard)(num)
        changed = (nums[inside], patch)
        markets = (
            replaced_markets(self.markets, *changed) if "markets" in touched else self.markets
        )
        catalogue = Catalogue(
            LongerVocabulary(self.bundle.items, Vocabulary.from_ids(more["item_id"]))
            if len(more)
            else self.bundle.items,
            pl.concat([first, more]),
            self._group_nums(*changed, more, known="group_id" not in touched),
            self._category_nums(*changed, more, known="category" not in touched),
            _created_times(first, more),
            frozenset(removed),
        )
        eligibility = Eligibility(
            catalogue.frame,
            markets=replaced_markets(
                markets, np.arange(count, count + len(more), dtype=np.int32), more
            ),
        )
        return replace(self, catalogue=catalogue, eligibility=eligibility, markets=markets)

    def _bundle_nums(self, ids: Sequence[str]) -> NumArray:
        """Returns the numbers of the bundle's items, `UNKNOWN` for others."""
        known, sought = self.bundle.frame["item_id"], pl.Series(ids, dtype=pl.String)
        if len(known) == 0 or len(ids) == 0:
            return np.full(len(ids), UNKNOWN, dtype=np.int32)
        places = np.minimum(known.search_sorted(sought).to_numpy(), len(known) - 1)
        found = (known.gather(places) == sought).to_numpy()
        return np.where(found, places, UNKNOWN).astype(np.int32)

    def _group_nums(
        self, nums: NumArray, patch: pl.DataFrame, more: pl.DataFrame, *, known: bool
    ) -> NumArray:
        """Returns which product each item is a variant of; without a group it is its own."""
        first = self.catalogue.group_nums[: len(self.bundle)]
        if not known:
            first = first.copy()
            alone = self.bundle.frame["group_id"].is_null()[nums].to_numpy()
            own = patch["group_id"].is_null().to_numpy()
            first[nums] = self.groups.of(_group_keys(patch))
            first[nums[own & alone]] = self.bundle.group_nums[nums[own & alone]]
        return np.concatenate([first, self.groups.of(_group_keys(more))])

    def _category_nums(
        self, nums: NumArray, patch: pl.DataFrame, more: pl.DataFrame, *, known: bool
    ) -> NumArray:
        first = self.catalogue.category_nums[: len(self.bundle)]
        if not known:
            first = first.copy()
            first[nums] = self.categories.of(_paths(patch))
        return np.concatenate([first, self.categories.of(_paths(more))])


def _numbering(keys: pl.Series, nums: NumArray) -> Numbering:
    named = pl.DataFrame({"key": keys, "num": nums}).drop_nulls("key").unique("key")
    return Numbering(dict(named.iter_rows()), int(nums.max(initial=-1)) + 1)


def _paths(frame: pl.DataFrame) -> pl.Series:
    return frame["category"].list.join(" > ")


def _group_keys(rows: pl.DataFrame) -> Iterable[str]:
    """Yields a key for each product: no group is named like an item that has none."""
    pairs = zip(rows["group_id"].to_list(), rows["item_id"].to_list(), strict=True)
    return (f"\0{item_id}" if group_id is None else group_id for group_id, item_id in pairs)


def _picked(values: Sequence[ValueT], places: NDArray[np.intp]) -> list[ValueT]:
    return [values[place] for place in places.tolist()]


def _with_all_columns(rows: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    missing = [name for name in like.columns if name not in rows.columns]
    return rows.with_columns(pl.lit(None, like.schema[name]).alias(name) for name in missing)


def _replaced(
    frame: pl.DataFrame, nums: NumArray, patch: pl.DataFrame
) -> tuple[pl.DataFrame, frozenset[str]]:
    """Returns the frame with other values in some rows, and the columns that differ."""
    touched = frozenset(
        name
        for name in patch.columns
        if not frame[name].gather(nums).equals(patch[name], null_equal=True)
    )
    order = np.arange(len(frame))
    order[nums] = len(frame) + np.arange(len(nums))
    return frame.with_columns(
        pl.concat([frame[name], patch[name]]).gather(order) for name in touched
    ), touched


def _more(
    frame: pl.DataFrame, rows: Sequence[ItemRow], given: Sequence[dict[str, object]]
) -> pl.DataFrame:
    """Returns the items that the bundle does not know, after changes."""
    kept = frame.filter(~pl.col("item_id").is_in([row.item_id for row in rows]))
    # Columns alone, of an item that an earlier bundle had, do not make an item.
    there = [place for place, row in enumerate(rows) if row.replaces and not row.removed]
    nothing = pl.DataFrame(
        {name: pl.Series([None] * len(there), dtype=dtype) for name, dtype in frame.schema.items()}
    )
    fresh = laid_over([rows[place] for place in there], [given[place] for place in there], nothing)
    return pl.concat([kept, fresh]).sort("item_id")


def _created_times(first: pl.DataFrame, more: pl.DataFrame) -> TimeArray:
    both = pl.concat([first["created_at"], more["created_at"]])
    return both.dt.epoch("s").fill_null(UNKNOWN).to_numpy()
