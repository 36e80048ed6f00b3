"""Brings the batches of one file into shape, as the mapping says."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain

import polars as pl

from recsys.data.reading.literal import column
from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.mapping_parts import Explode
from recsys.data.reading.raw import ROW, RawBatch, RawTable
from recsys.data.reading.shape.explode import explode
from recsys.data.reading.shape.fill_down import DownFiller
from recsys.data.reading.shape.joins import JoinedTable
from recsys.data.reading.shape.key_values import keys_of, with_keys
from recsys.data.reading.shape.order_times import with_order_times
from recsys.errors import DataError


def shaped(
    table: RawTable,
    mapping: FileMapping,
    joins: Sequence[JoinedTable] = (),
    wanted: Iterable[str] = (),
) -> RawTable:
    """Returns a table whose batches are in shape; one that needs no shaping, as it is.

    In this order: empty cells are filled down, lists of keys and values become columns, items
    become rows, orders get times, other files are joined.

    Args:
        table: as a reader opened it.
        mapping: what is to be done.
        joins: `load_joins` of the mapping, for all files of the table.
        wanted: columns that settings name; those that come from keys are made for every batch.

    Raises:
        DataError: a column that the shaping needs is not there.
    """
    steps = (mapping.explode, mapping.fill_down, mapping.order_times)
    if not (mapping.key_values or joins or any(step is not None for step in steps)):
        return table
    shaper = _Shaper(table, mapping, tuple(joins), tuple(wanted))
    if mapping.order_times is not None:
        # The time of an order depends on all orders of its customer.
        batches: Iterator[RawBatch] = _whole(table.batches)
    else:
        batches = table.batches
    first = next(batches, None)
    if first is None:
        return table
    begun = shaper.batch(first)
    shaper.columns = tuple(name for name in begun.rows.columns if name != ROW)
    rest = (shaper.batch(batch) for batch in batches)
    return replace(table, columns=shaper.columns, batches=chain([begun], rest))


@dataclass(slots=True)
class _Shaper:
    table: RawTable
    mapping: FileMapping
    joins: tuple[JoinedTable, ...]
    wanted: tuple[str, ...]
    columns: tuple[str, ...] = ()
    """Of the first batch, in shape; every later batch has just these."""
    _filler: DownFiller | None = field(default=None, init=False)
    _keys: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        settings = self.mapping.fill_down
        if settings is not None:
            self._need([settings.by], "fill_down.by")
            self._filler = DownFiller(settings, self.mapping.missing)

    def batch(self, batch: RawBatch) -> RawBatch:
        rows, mapping = batch.rows, self.mapping
        if self._filler is not None:
            rows = self._filler.fill(rows)
        for name in mapping.key_values:
            rows = with_keys(rows, name, self._keys_of(rows, name))
        if mapping.explode is not None:
            rows = self._exploded(rows, mapping.explode)
        if mapping.order_times is not None:
            rows = self._with_times(rows)
        for join in self.joins:
            if join.optional and not set(join.keys) <= set(rows.columns):
                continue
            self._need(join.keys, f"joins.{join.name}.on", rows.columns)
            with self._naming_file():
                rows = join.beside(rows, mapping)
        if self.columns:
            rows = _aligned(rows, (ROW, *self.columns))
        return RawBatch(rows, batch.broken, records=len(batch))

    def _exploded(self, rows: pl.DataFrame, settings: Explode) -> pl.DataFrame:
        """Returns a row for each item; fields of texts that are named are there in every batch."""
        with self._naming_file():
            rows = explode(rows, settings, self.mapping.missing)
        if not settings.field_separator:
            return rows
        begin = f"{settings.name}."
        names = dict.fromkeys(name for name in self.wanted if name.startswith(begin))
        lacking = [name for name in names if name not in rows.columns]
        return rows.with_columns(pl.lit(None, pl.String).alias(name) for name in lacking)

    @contextmanager
    def _naming_file(self) -> Iterator[None]:
        """Puts the file's name in front of an error that has none."""
        try:
            yield
        except DataError as error:
            message = f"{self.table.file}: {error}"
            raise DataError(message, file=str(self.table.file)) from error

    def _keys_of(self, rows: pl.DataFrame, holder: str) -> tuple[str, ...]:
        """Returns the keys of the first batch, and those that the mapping names."""
        if holder not in self._keys:
            seen = keys_of(rows[holder]) if holder in rows.columns else ()
            prefix = f"{holder}."
            names = [name.removeprefix(prefix) for name in self.wanted if name.startswith(prefix)]
            self._keys[holder] = tuple(dict.fromkeys((*seen, *names)))
        return self._keys[holder]

    def _with_times(self, rows: pl.DataFrame) -> pl.DataFrame:
        settings = self.mapping.order_times
        if settings is None:
            return rows
        further = (settings.days_since_prior, settings.hour)
        names = [settings.customer, settings.number, *(name for name in further if name)]
        self._need(names, "order_times", rows.columns)
        texts = rows.select(column(name).cast(pl.String) for name in dict.fromkeys(names))
        return rows.hstack(with_order_times(texts, settings).select("order_time"))

    def _need(
        self, names: Iterable[str], setting: str, columns: Sequence[str] | None = None
    ) -> None:
        present = self.table.columns if columns is None else columns
        for name in names:
            if name not in present:
                shown = ", ".join(column for column in present if column != ROW)
                message = (
                    f"{self.table.file}: has no column {name!r}, which the mapping names in "
                    f"{setting}; its columns are {shown}"
                )
                raise DataError(message, file=str(self.table.file), column=name)


def _whole(batches: Iterable[RawBatch]) -> Iterator[RawBatch]:
    """Yields all batches as one; nothing where there are none."""
    every = list(batches)
    if every:
        yield RawBatch(
            pl.concat([batch.rows for batch in every], how="vertical_relaxed"),
            pl.concat([batch.broken for batch in every]),
        )


def _aligned(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Returns just these columns; one that a batch lacks is empty in it."""
    return rows.select(
        column(name) if name in rows.columns else pl.lit(None, pl.String).alias(name)
        for name in columns
    )
