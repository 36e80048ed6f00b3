"""Click sessions as a shop would have them, and the neighbour baselines of the field."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from recsys.data.dataset import Dataset
from recsys.data.events import EVENT_SCHEMA, ITEM_SCHEMA
from recsys.types import EventType

REGULARISATION, ALPHA = 0.0, 0.75
"""Of the baselines' similarities, the best of 0 and 20, and of .5 and .75, on validation."""
DECAY = 0.5
"""What a session's click counts beside the one after it, the best of 0, .5 and 1."""


@dataclass(frozen=True, slots=True)
class Session:
    """The clicks of one visit, in order, on items that the training part has."""

    session_id: str
    item_ids: tuple[str, ...]
    times: tuple[int, ...]
    """Microseconds since 1970, UTC."""


def read_sessions(file: Path, known: frozenset[str]) -> Iterator[Session]:
    """Yields the sessions of at least two clicks on known items, in the order of their ids.

    They are named otherwise than those of the training part: nobody is to be known.
    """
    clicks = _clicks(file).filter(pl.col("item_id").is_in(known))
    for [session_id], own in clicks.group_by("session_id", maintain_order=True):
        if len(own) > 1:
            ids, times = own["item_id"].to_list(), own["time"].to_list()
            yield Session(f"later-{session_id}", tuple(ids), tuple(times))


def training_data(file: Path) -> Dataset:
    """Returns the training part as a shop's log of views, each session a visitor."""
    clicks = _clicks(file)
    given = clicks.select(
        event_id=pl.int_range(pl.len()).cast(pl.String),
        customer_id="visitor/" + pl.col("session_id"),
        session_id="session_id",
        item_id="item_id",
        event_type=pl.lit(EventType.VIEW.value),
        event_time=pl.col("time").cast(pl.Datetime("us", "UTC")),
        quantity=pl.lit(1.0),
    )
    ids = clicks["item_id"].unique().sort()
    items = pl.DataFrame({"item_id": ids, "available": [True] * len(ids)})
    return Dataset(
        _whole(given, EVENT_SCHEMA).sort("event_time", "event_id").lazy(),
        _whole(items, ITEM_SCHEMA),
        pl.DataFrame(schema={"customer_id": pl.String}),
        "yoochoose_100k",
    )


class Neighbours:
    """Session item-KNN: items that share sessions with those of the session.

    Hidasi et al., Session-based recommendations with recurrent neural networks, ICLR 2016:
    co-occurrences over a power of both supports, of the last click alone. `own` lets an item be
    its own neighbour, and `decay` lets earlier clicks count as well: both make it stronger where
    lists may repeat what was clicked.
    """

    def __init__(self, train: Dataset, *, own: bool, decay: float) -> None:
        pairs = train.events.select("session_id", "item_id").unique().collect()
        ids = train.items["item_id"].to_list()
        self._ids = ids
        self._numbers = {item_id: number for number, item_id in enumerate(ids)}
        rows = pairs["session_id"].rank("dense").to_numpy() - 1
        columns = np.array([self._numbers[item_id] for item_id in pairs["item_id"]])
        shared = csr_array((np.ones(len(columns)), (rows, columns)))
        together = csr_array(shared.T @ shared)
        support = together.diagonal() + REGULARISATION
        if not own:
            together.setdiag(0)
            together.eliminate_zeros()
        left, right = diags_array(support**-ALPHA), diags_array(support ** (ALPHA - 1))
        self._similar = csr_array(left @ together @ right)
        self._decay = decay

    def rank(self, past: tuple[str, ...], target: str, most: int) -> int:
        """Returns the place of an item after these clicks, from 1; 0 if it is not in the list."""
        numbers = [self._numbers[item_id] for item_id in past]
        weights = self._decay ** np.arange(len(numbers), dtype=np.float64)[::-1]
        scores = csr_array(weights[None, :]) @ self._similar[numbers]
        values: NDArray[np.float64] = scores.toarray().ravel()
        own = values[self._numbers[target]]
        before = int((values > own).sum() + (values[: self._numbers[target]] == own).sum())
        return before + 1 if own > 0 and before < most else 0


def _clicks(file: Path) -> pl.DataFrame:
    """Returns session_id, item_id and time of all clicks, in the order of a session."""
    return (
        pl.read_parquet(file)
        .select(
            pl.col("SessionId").alias("number"),
            session_id=pl.col("SessionId").cast(pl.String),
            item_id=pl.col("ItemId").cast(pl.String),
            time=(pl.col("Time") * 1e6).round().cast(pl.Int64),
        )
        .sort("number", "time", maintain_order=True)
        .drop("number")
    )


def _whole(table: pl.DataFrame, schema: pl.Schema | dict[str, pl.DataType]) -> pl.DataFrame:
    """Returns the table with all columns of a schema, null where it has none."""
    return table.select(
        (pl.col(name) if name in table.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    )
