"""Who gets a list: the customers of a file, of a segment, or all that are known."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from recsys.data.reading.byte_source import refuse_foreign
from recsys.errors import ConfigError, DataError, file_fault
from recsys.pipeline.recommender import Recommender
from recsys.store.store import Store
from recsys.store.tables import events, visitors
from recsys.types import VISITOR_PREFIX, NumArray
from serving.messages.limits import text_fault

COLUMN = "customer_id"
MOST_NAMED = 20
"""Labels that a message names."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Customers in the order in which they are answered."""

    customer_ids: pl.Series
    """Each once."""
    repeated: int = 0
    """Ids that stood there more than once, which counts once."""

    def digest(self) -> str:
        """Returns SHA-256 in hex over the ids and their order."""
        return hashlib.sha256("\n".join(self.customer_ids).encode()).hexdigest()


def of_file(path: Path) -> Audience:
    """Reads customers from a text file with one id a line, or a CSV or Parquet file.

    CSV and Parquet files have a column `customer_id`; others are not read.

    Raises:
        ConfigError: the file cannot be read, has no such column, or an id is none.
    """
    try:
        ids = _read(path)
    except OSError as error:
        raise ConfigError(file_fault(error, path)) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text, with an id a line") from None
    except DataError as error:
        raise ConfigError(str(error)) from None
    except pl.exceptions.PolarsError as error:
        first = str(error).partition("\n")[0]
        raise ConfigError(f"{path}: cannot be read: {first}") from None
    ids = ids.drop_nulls()
    for place, text in enumerate(ids):
        fault = text_fault(text)
        if text.startswith(VISITOR_PREFIX):
            fault = f"must not begin with {VISITOR_PREFIX!r}: visitors get no mail"
        if fault:
            raise ConfigError(f"{path}: customer {place + 1}: {fault}")
    if ids.is_empty():
        raise ConfigError(f"{path}: names no customer")
    distinct = ids.unique(maintain_order=True)
    return Audience(distinct, len(ids) - len(distinct))


def of_segment(label: str, recommender: Recommender) -> Audience:
    """Returns the bundle's customers who carry a segment's label.

    Raises:
        ConfigError: the bundle has no such label; the text names those that it has.
    """
    segments = recommender.resolver.segments
    number = segments.labels.number(label)
    if number is None:
        some = np.arange(min(MOST_NAMED, len(segments.labels)), dtype=np.int32)
        known = ", ".join(segments.labels.ids(some)) or "none"
        raise ConfigError(f"segment: {label!r} is not one of the bundle's, such as {known}")
    places = np.flatnonzero(segments.label_nums == number)
    nums = np.searchsorted(segments.offsets, places, side="right") - 1
    return Audience(_without_visitors(recommender, nums.astype(np.int32)))


def of_all(recommender: Recommender, store: Store | None) -> Audience:
    """Returns the customers whom the bundle or the store knows, in alphabetical order."""
    known = recommender.resolver.customers
    ids = _without_visitors(recommender, np.arange(len(known), dtype=np.int32))
    if store is not None:
        read = recommender.log_position
        after = read.position if read is not None and read.store_id == store.id else 0
        with store.read() as session:
            names = events.customers_after(session, after)
            names += [link.customer_id for link in visitors.links(session, 0)]
        later = pl.Series(COLUMN, names, pl.String)
        ids = pl.concat([ids, later.filter(~later.str.starts_with(VISITOR_PREFIX))])
    return Audience(ids.unique().sort())


def _without_visitors(recommender: Recommender, nums: NumArray) -> pl.Series:
    ids = pl.Series(COLUMN, recommender.resolver.customers.ids(nums), pl.String)
    return ids.filter(~ids.str.starts_with(VISITOR_PREFIX))


def _read(path: Path) -> pl.Series:
    kind = path.suffix.lower()
    if path.is_dir() or not path.exists():
        path.read_bytes()  # says why it cannot be read, as a reader of tables does not
    if kind != ".parquet":
        with path.open("rb") as source:
            refuse_foreign(path, source.read(64))
    if kind == ".parquet":
        return pl.read_parquet(path, columns=[COLUMN])[COLUMN].cast(pl.String)
    if kind == ".csv":
        head = pl.read_csv(path, n_rows=0).columns
        if COLUMN not in head:
            raise ConfigError(
                f"{path}: has no column {COLUMN!r}, which a CSV (with commas) needs; its columns "
                f"are {', '.join(head)}. Or give a text file, .txt, with an id a line"
            )
        table = pl.read_csv(path, columns=[COLUMN], schema_overrides={COLUMN: pl.String})
        return table[COLUMN]
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return pl.Series(COLUMN, [line.strip() for line in lines if line.strip()], pl.String)
