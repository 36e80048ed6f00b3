"""Settles which of the retailer's columns is which of ours, and explains it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recsys.data.event_names import bare
from recsys.data.reading.csv_header import looks_like_data
from recsys.data.reading.guess import guess_columns
from recsys.errors import DataError, did_you_mean

JOINED = ("category", "title", "event_id")
"""Our columns that are put together from several; of others the first with a value counts."""


_HOLDERS = frozenset(
    {
        *("items", "lineitems", "products", "lines", "orderlines", "orderitems", "positions"),
        *("cartitems", "articles", "productlist", "details", "orderdetails"),
    }
)
"""What columns are called, as `bare` writes it, that hold several goods."""
_DELIMITED = (".csv", ".tsv", ".txt")


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """Where one of our columns comes from."""

    ours: str
    source: str
    """The retailer's column or columns, or the constant."""
    how: str
    """`mapping`, `profile`, `guessed`, `constant` or `default`."""
    columns: tuple[str, ...]
    """The retailer's columns; none for a constant."""


def match_columns(
    file: Path,
    columns: tuple[str, ...],
    given: Mapping[str, tuple[str, ...]],
    names: Mapping[str, tuple[str, ...]],
    *,
    taken: Iterable[str] = (),
    optional: Collection[str] = (),
    guess: bool = True,
) -> tuple[dict[str, tuple[str, ...]], tuple[MappedColumn, ...]]:
    """Returns our column -> the file's columns, given or guessed, and how each was found.

    Args:
        file: named in errors.
        columns: the file's columns.
        given: our column -> columns that the mapping names.
        names: our column -> what it may be called.
        taken: our columns that need none (constants).
        optional: columns that the file may lack.
        guess: recognise columns by usual names.

    Raises:
        DataError: the mapping names a column that the file does not have.
    """
    for ours, theirs in given.items():
        require_columns(file, columns, theirs, f"columns.{ours}", optional)
    present = {
        ours: tuple(column for column in theirs if column in columns)
        for ours, theirs in given.items()
    }
    given = {ours: theirs for ours, theirs in present.items() if theirs}
    used = {column for theirs in given.values() for column in theirs}
    free = [column for column in columns if column not in used]
    wanted = {ours: by for ours, by in names.items() if ours not in given and ours not in taken}
    usual = guess_columns(free, wanted) if guess else {}
    guessed = {ours: (column,) for ours, column in usual.items()}
    either = {**guessed, **given}
    found = {ours: either[ours] for ours in names if ours in either}
    notes = tuple(
        MappedColumn(
            ours,
            _shown(ours, theirs),
            how_named(theirs, optional) if ours in given else "guessed",
            theirs,
        )
        for ours, theirs in found.items()
    )
    return found, notes


def _shown(ours: str, theirs: Sequence[str]) -> str:
    return (" + " if ours in JOINED else ", else ").join(theirs)


def how_named(theirs: Iterable[str], optional: Collection[str]) -> str:
    """Says who named columns of the file: a profile or the user's own mapping."""
    return "profile" if all(column in optional for column in theirs) else "mapping"


def require_columns(
    file: Path,
    columns: tuple[str, ...],
    wanted: Iterable[str],
    setting: str,
    optional: Collection[str] = (),
) -> None:
    """Checks that the file has the columns that a setting of the mapping names.

    Args:
        file: named in errors.
        columns: the file's columns.
        wanted: the columns that it must have.
        setting: named in errors.
        optional: columns that it may lack.

    Raises:
        DataError: it has not; the text lists what it has.
    """
    for column in wanted:
        if column not in columns and column not in optional:
            message = (
                f"{file}: has no column {column!r}, which the mapping names in {setting}"
                f"{_alike(column, columns)}; its columns are {', '.join(columns)}"
            )
            raise DataError(message, file=str(file), column=column)


def _alike(column: str, columns: Sequence[str]) -> str:
    """Returns the column that was probably meant, as a hint; best one alike but for case."""
    same = [name for name in columns if bare(name) == bare(column)]
    return f"; did you mean {same[0]!r}?" if same else did_you_mean(column, columns)


def refuse_repeated(file: Path, repeated: Collection[str], notes: Iterable[MappedColumn]) -> None:
    """Checks that no column of ours comes from a name that stands several times in the header.

    Args:
        file: named in the error.
        repeated: names that stand several times.
        notes: where our columns come from.

    Raises:
        DataError: one does; which of the columns is meant cannot be told.
    """
    for note in notes:
        for column in note.columns:
            if column in repeated:
                message = (
                    f"{file}: the header has {column!r} more than once, and {note.ours} comes "
                    "from it: rename the columns in the file, or name them all in order:  "
                    'header = ["...", "..."] with skip_rows = 1'
                )
                raise DataError(message, file=str(file), column=column)


class Announce(Protocol):
    """Hears where the columns of a table come from, before its rows are read."""

    def __call__(self, table: str, columns: tuple[MappedColumn, ...]) -> None:
        """Takes `events`, `items` or `customers`, and the columns of the table's first file."""


def unannounced(table: str, columns: tuple[MappedColumn, ...]) -> None:
    """Is an `Announce` that tells nobody."""
    del table, columns


def missing_columns(
    file: Path, columns: tuple[str, ...], missing: list[str], table: str
) -> DataError:
    """Returns the error for needed columns that none of the file's was recognised as."""
    holder = next((name for name in columns if bare(name) in _HOLDERS), None)
    inside = (
        ""
        if holder is None or table != "events"
        else f". If {holder!r} holds the goods of an order, a row is made of each with  "
        f'[events.explode] columns = ["{holder}"]  and its fields are named item.<field>:  '
        '[events.columns]  item_id = "item.sku"'
    )
    if len(columns) == 1 and not set(_DELIMITED).intersection(file.suffixes):
        message = (
            f"{file}: the rows have one field, {columns[0]!r}. If it holds lists of records, make "
            f'a row of each in the mapping file:  [{table}.explode] columns = ["{columns[0]}"]'
        )
    elif len(columns) == 1:
        message = (
            f"{file}: found one column, {columns[0][:200]!r}: is it cut by another delimiter? "
            f'Say which: --delimiter "...", or in the mapping file: [{table}] delimiter = "..."'
        )
    elif looks_like_data(columns):
        message = (
            f"{file}: the first line looks like data, not like the names of columns: "
            f"{', '.join(columns)}. Name the columns in the mapping file, in the order of the "
            f'file:  [{table}] header = ["...", "..."]'
        )
    else:
        lines = "".join(f'  {ours} = "..."' for ours in missing)
        message = (
            f"{file}: no column was recognised as {' or '.join(missing)}; its columns are "
            f"{', '.join(columns)}. Name it in the mapping file:  [{table}.columns]{lines}{inside}"
        )
    return DataError(message, file=str(file), column=",".join(missing))


def several(given: Mapping[str, str | tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Returns a mapping's columns with one as a tuple of one."""
    return {
        ours: (theirs,) if isinstance(theirs, str) else theirs for ours, theirs in given.items()
    }
