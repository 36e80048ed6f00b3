"""A table of customers, some of whom were treated: what a study of uplift reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsys.data.file_errors import naming
from recsys.errors import DataError
from recsys.models.small_trees import Numbers
from recsys.models.uplift import Trial
from recsys.types import BoolArray, FloatArray

MAX_NAMES = 200
"""Distinct texts of a column that trees may split by."""


@dataclass(frozen=True, slots=True)
class UpliftColumns:
    """Which columns of a table say what."""

    treatment: str
    treated: str
    """Its value for the treated."""
    control: str
    """Its value for the untreated; rows of others are left out."""
    outcome: str
    features: tuple[str, ...]
    """All known before the treatment."""
    chance: str | None = None
    """The probability of being treated; None: the share of the treated."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A column as trees see it."""

    name: str
    labels: tuple[str, ...] = ()
    """What the numbers of a column of texts mean; empty: they are numbers."""


def read_table(file: Path) -> pl.DataFrame:
    """Reads Parquet or CSV.

    Raises:
        DataError: the file cannot be read.
    """
    with naming(file):
        csv = file.suffix in (".csv", ".txt")
        return pl.read_csv(file) if csv else pl.read_parquet(file, glob=False)


def trial_of(table: pl.DataFrame, columns: UpliftColumns) -> tuple[Trial, tuple[Feature, ...]]:
    """Returns the customers of both sides, and what the columns of their rows are.

    Raises:
        DataError: a column is missing or holds what it must not, or a side has nobody.
    """
    named = (columns.treatment, columns.outcome, *columns.features)
    chance = (columns.chance,) if columns.chance else ()
    if missing := [name for name in (*named, *chance) if name not in table.columns]:
        message = f"there is no column {missing[0]!r}; there are {', '.join(table.columns)}"
        raise DataError(message, column=missing[0])
    if leaking := {columns.treatment, columns.outcome, *chance} & set(columns.features):
        message = f"{min(leaking)!r} is no feature: it is not known before the treatment"
        raise DataError(message, column=min(leaking))
    side = _texts(table[columns.treatment])
    kept = table.filter(side.is_in([columns.treated, columns.control]))
    treated = (_texts(kept[columns.treatment]) == columns.treated).to_numpy()
    for value, count in ((columns.treated, treated.sum()), (columns.control, (~treated).sum())):
        if not count:
            known = ", ".join(sorted(side.drop_nulls().unique().to_list())[:10])
            message = f"nobody has {columns.treatment} = {value!r}; there are {known}"
            raise DataError(message, column=columns.treatment)
    rows, features = _rows(kept, columns.features)
    chances = _chances(kept, columns, treated)
    outcomes = _numbers(kept, columns.outcome)
    places = tuple(place for place, feature in enumerate(features) if feature.labels)
    return Trial(rows, treated, outcomes, chances, places), features


def _texts(column: pl.Series) -> pl.Series:
    """Returns values as texts; true and false are 1 and 0, as the numbers are."""
    if column.dtype == pl.Boolean:
        column = column.cast(pl.Int8)
    if column.dtype.is_float():
        whole = column.cast(pl.Int64, strict=False)
        if (whole.cast(pl.Float64) == column).all():
            column = whole
    return column.cast(pl.String)


def _numbers(table: pl.DataFrame, name: str) -> Numbers:
    try:
        column = table[name].cast(pl.Float64)
    except pl.exceptions.PolarsError:
        column = pl.Series([None])
    if column.null_count() or not column.is_finite().all():
        message = f"{name}: holds values that are missing or no numbers"
        raise DataError(message, column=name)
    return column.to_numpy()


def _chances(table: pl.DataFrame, columns: UpliftColumns, treated: BoolArray) -> Numbers:
    if columns.chance is None:
        return np.full(len(treated), treated.mean())
    chances = _numbers(table, columns.chance)
    if not ((chances > 0) & (chances < 1)).all():
        message = f"{columns.chance}: holds probabilities that are not between 0 and 1"
        raise DataError(message, column=columns.chance)
    return chances


def _rows(table: pl.DataFrame, names: Sequence[str]) -> tuple[FloatArray, tuple[Feature, ...]]:
    columns: list[NDArray[np.float32]] = []
    features = []
    for name in names:
        column = table[name]
        labels: tuple[str, ...] = ()
        if column.dtype == pl.Boolean or column.dtype.is_numeric():
            numbers = column.cast(pl.Float32)
        elif column.dtype.is_temporal():
            numbers = column.cast(pl.Datetime("us")).dt.epoch("s").cast(pl.Float32)
        else:
            texts = column.cast(pl.String)
            labels = tuple(sorted(texts.drop_nulls().unique().to_list()))
            if len(labels) > MAX_NAMES:
                message = f"{name}: {len(labels):,} distinct texts are no groups of customers"
                raise DataError(message, column=name)
            codes = {label: float(place) for place, label in enumerate(labels)}
            numbers = texts.replace_strict(codes, default=None, return_dtype=pl.Float32)
        columns.append(numbers.fill_null(np.nan).to_numpy())
        features.append(Feature(name, labels))
    return np.column_stack(columns).astype(np.float32), tuple(features)
