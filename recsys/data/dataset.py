"""A prepared data set: the canonical tables of one folder, as one value with a fingerprint."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from json import dumps, loads
from pathlib import Path

import polars as pl

from recsys.data.events import CUSTOMER_SCHEMA, EVENT_SCHEMA, ITEM_SCHEMA
from recsys.data.file_errors import naming
from recsys.errors import DataError
from recsys.types import LogPosition

EVENTS_FILE = "events.parquet"
ITEMS_FILE = "items.parquet"
CUSTOMERS_FILE = "customers.parquet"
REPORT_FILE = "report.json"
REJECTS_FILE = "rejects.csv"
LOG_FILE = "log.json"

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """What models are fitted and evaluated on."""

    events: pl.LazyFrame
    """`EVENT_SCHEMA`, sorted by `event_time`, `event_id`."""
    items: pl.DataFrame
    """`ITEM_SCHEMA` and attributes, sorted by `item_id`: a row for every item that occurs."""
    customers: pl.DataFrame
    """`CUSTOMER_SCHEMA` and attributes, sorted by `customer_id`; no rows where none were given."""
    digest: str
    """SHA-256 in hex: equal for equal content, whatever the order and the sources it came in."""
    log: LogPosition | None = None
    """How far the event log of a store was read; None: only files were."""

    @classmethod
    def open(cls, folder: Path) -> "Dataset":
        """Opens a folder that `prepare` wrote; events stay on disk.

        Raises:
            DataError: the folder is not a prepared data set, or a file in it is damaged.
        """
        if (folder / "events.db").is_file():
            message = f"{folder}: is a store, not a prepared data set: write store://{folder}"
            raise DataError(message, file=str(folder))
        for name in (EVENTS_FILE, ITEMS_FILE):
            if not (folder / name).is_file():
                message = (
                    f"{folder}: is not a prepared data set: there is no {name}. "
                    f"Make one with: recsys prepare --events FILE --out {folder}"
                )
                raise DataError(message, file=str(folder / name))
        events = _scanned(folder / EVENTS_FILE, EVENT_SCHEMA)
        items = _scanned(folder / ITEMS_FILE, ITEM_SCHEMA)
        customers = pl.LazyFrame(schema=CUSTOMER_SCHEMA)
        names = [EVENTS_FILE, ITEMS_FILE]
        if (folder / CUSTOMERS_FILE).is_file():
            customers = _scanned(folder / CUSTOMERS_FILE, CUSTOMER_SCHEMA)
            names.append(CUSTOMERS_FILE)
        with naming(folder):
            return cls(
                events,
                items.collect(),
                customers.collect(),
                _digest(folder, names),
                read_log_position(folder),
            )

    def before(self, cutoff: datetime) -> "Dataset":
        """Returns the data set as it was known at a time: only events strictly before it.

        Items and customers stay whole: the tables do not say when a row became known. It stands
        for no position of a log: late events came after events of a later time.
        """
        if cutoff.tzinfo is None:
            message = f"cutoff {cutoff} has no time zone"
            raise ValueError(message)
        moment = cutoff.astimezone(UTC)
        derived = hashlib.sha256(f"{self.digest} before {moment.isoformat()}".encode())
        events = self.events.filter(pl.col("event_time") < pl.lit(moment))
        return Dataset(events, self.items, self.customers, derived.hexdigest())


def write_log_position(folder: Path, log: LogPosition) -> None:
    """Notes in a data set how far the log was read for it."""
    (folder / LOG_FILE).write_text(dumps(log._asdict()) + "\n", encoding="utf-8")


def read_log_position(folder: Path) -> LogPosition | None:
    """Returns how far the log was read for a data set; None: it is of files alone.

    Raises:
        DataError: the note is damaged.
    """
    file = folder / LOG_FILE
    if not file.is_file():
        return None
    try:
        told = loads(file.read_bytes())
        return LogPosition(str(told["store_id"]), int(told["position"]), int(told["links"]))
    except (ValueError, KeyError, TypeError) as error:
        message = f"{file}: is damaged; prepare the data set again"
        raise DataError(message, file=str(file)) from error


def _scanned(file: Path, schema: dict[str, pl.DataType]) -> pl.LazyFrame:
    with naming(file):
        table = pl.scan_parquet(file, glob=False)
        found = table.collect_schema()
    wrong = [name for name, dtype in schema.items() if found.get(name) != dtype]
    if wrong:
        message = (
            f"{file}: columns missing or of another type: {', '.join(wrong)}; prepare it again"
        )
        raise DataError(message, file=str(file))
    return table


def _digest(folder: Path, names: list[str]) -> str:
    whole = hashlib.sha256()
    for name in names:
        part = hashlib.sha256()
        with (folder / name).open("rb") as source:
            while block := source.read(_BLOCK_BYTES):
                part.update(block)
        whole.update(f"{name} {part.hexdigest()}\n".encode())
    return whole.hexdigest()
