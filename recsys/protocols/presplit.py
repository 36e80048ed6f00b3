"""Data that others have split: train, test, and perhaps validation files become a hold-out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from recsys.data.splits import Split
from recsys.errors import DataError
from recsys.protocols.clock import CLOCKS
from recsys.protocols.customers import strong, weak
from recsys.protocols.files import Table, read_table
from recsys.protocols.hold_back import hold_back_of
from recsys.protocols.holdout import HoldOut, InnerSplit, usual_placements
from recsys.protocols.in_memory import bare_items, in_memory
from recsys.protocols.mask import Mask
from recsys.protocols.next_item import NEXT_ITEM, later_sessions, next_item
from recsys.protocols.shapes import ORDER, Shape
from recsys.protocols.sides import split_of
from recsys.protocols.temporal import by_time
from recsys.protocols.timed import end_of, timed, wanted

PROTOCOL = "pre-split"
USUAL_MASKS: Mapping[Shape, Mask] = {
    Shape.PAIRS: Mask.BOUGHT,
    Shape.SEQUENCES: Mask.BOUGHT,
    Shape.BASKETS: Mask.NONE,
    Shape.EVENTS: Mask.BOUGHT,
}
"""What is left out of lists unless somebody says otherwise: as published tables do."""


def read_holdout(
    train: str | Path,
    test: str | Path,
    *,
    validation: str | Path | None = None,
    given: str | Path | None = None,
    mask: Mask | None = None,
    fit_validation: bool = False,
    every_step: bool = False,
    seed: int = 0,
) -> HoldOut:
    """Reads data that others have split; `evaluate` takes what comes out.

    Each source is a file, folder or pattern in one of the shapes of `Shape`; `::column=value`
    behind it keeps only such rows, and of a file with a column `split` only the part's rows are
    read. Test customers of whom the training part knows nothing bring all but their last basket
    or item with the query. All items of all parts are ranked.

    Args:
        train: what may be fitted on.
        test: what should be found.
        validation: what choices are judged by. At the end it counts as the customers' past,
            brought with the query, unless `fit_validation`.
        given: more of the test customers' past, brought with the query, not fitted.
        mask: what lists and truth leave out; default: by shape, as in published tables.
        fit_validation: adds the validation part to what is fitted at the end.
        every_step: of logs: asks for the next item at every step of every test session.
        seed: of the inner split's draws.

    Raises:
        DataError: a file cannot be read or used: the text names file, row and field.
    """
    parts = _Parts(
        train=read_table(train, "train"),
        target=read_table(test, "test"),
        validation=None if validation is None else read_table(validation, "validation"),
        given=None if given is None else read_table(given),
    )
    shape = parts.shape()
    if every_step:
        return _next_item(parts, mask or Mask.NONE)
    mask = mask or USUAL_MASKS[shape]
    split = _split(parts, parts.items(), fit_validation=fit_validation)
    return HoldOut(
        protocol=PROTOCOL,
        variant=f"{shape.value} mask={mask.value}",
        split=split,
        inner=_inner(parts, seed),
        mask=mask,
        placements=usual_placements(mask),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """What was read."""

    train: Table
    target: Table
    validation: Table | None = None
    given: Table | None = None

    def shape(self) -> Shape:
        """Returns the shape of all parts; what should be found may also be plain pairs."""
        for table in (self.target, self.validation, self.given):
            if table is None or table.shape is self.train.shape:
                continue
            if table.shape is not Shape.PAIRS or table is self.given:
                message = (
                    f"{table.source} has the columns of {table.shape.value}, but "
                    f"{self.train.source} those of {self.train.shape.value}"
                )
                raise DataError(message, file=table.source)
        return self.train.shape

    def items(self) -> pl.DataFrame:
        """Returns all items of all parts."""
        tables = (self.train, self.target, self.validation, self.given)
        return bare_items(
            pl.concat([table.rows["item_id"] for table in tables if table is not None])
        )

    def strangers(self) -> pl.DataFrame:
        """Returns the customers of the target that the training part does not know."""
        asked = self.target.rows.select("customer_id").unique()
        return asked.join(self.train.rows, on="customer_id", how="anti")


def _split(parts: _Parts, items: pl.DataFrame, *, fit_validation: bool = False) -> Split:
    """Puts train, what queries bring, and truth together."""
    shape, target = parts.train.shape, parts.target
    fitted, brought = [parts.train.rows], [] if parts.given is None else [parts.given.rows]
    if parts.validation is not None:
        known = _past_of(parts.validation, shape)
        (fitted if fit_validation else brought).append(known)
    if shape in (Shape.SEQUENCES, Shape.BASKETS) and target.shape is shape:
        earlier, target = _last_step(target, parts.strangers())
        brought += [] if earlier.is_empty() else [earlier]
    told = timed(shape, [*fitted, *brought])
    cutoff = end_of(shape, told)
    return split_of(
        in_memory(pl.concat(told[: len(fitted)]).sort("event_time", "event_id"), items),
        wanted(target, cutoff),
        cutoff,
        given=pl.concat(told[len(fitted) :]) if brought else None,
    )


def _next_item(parts: _Parts, mask: Mask) -> HoldOut:
    if parts.target.shape is not Shape.EVENTS or parts.train.shape is not Shape.EVENTS:
        message = f"{parts.target.source}: the next item of a session needs times: event_time"
        raise DataError(message, file=parts.target.source, field="event_time")
    train, sessions = (timed(Shape.EVENTS, [part.rows])[0] for part in (parts.train, parts.target))
    return HoldOut(
        protocol=NEXT_ITEM,
        variant=f"{PROTOCOL} mask={mask.value}",
        split=next_item(in_memory(train, parts.items()), sessions),
        inner=partial(later_sessions, all_items=True),
        mask=mask,
        placements=usual_placements(mask),
    )


def _past_of(validation: Table, shape: Shape) -> pl.DataFrame:
    if validation.shape is shape:
        return validation.rows
    message = (
        f"{validation.source} has no {ORDER[shape]}: it can judge choices, but not be a past to "
        "fit on or to bring with queries"
    )
    raise DataError(message, file=validation.source, field=ORDER[shape])


def _last_step(table: Table, strangers: pl.DataFrame) -> tuple[pl.DataFrame, Table]:
    """Parts what strangers bring with the query from the last step, which should be found."""
    order = pl.col(ORDER[table.shape])
    rows = table.rows.join(
        strangers.with_columns(stranger=pl.lit(value=True)), on="customer_id", how="left"
    )
    last = order == order.max().over("customer_id")
    is_past = pl.col("stranger").fill_null(value=False) & ~last
    past, rest = rows.filter(is_past).drop("stranger"), rows.filter(~is_past).drop("stranger")
    return past, Table(table.source, table.shape, rest)


def _inner(parts: _Parts, seed: int) -> InnerSplit:
    """Returns how the protocol is repeated inside: by the validation part, or by holding back."""
    shape = parts.train.shape
    if parts.validation is not None:
        # What is wanted of the test part must not be reachable from here: only its items are.
        within = _Parts(parts.train, parts.validation)
        return partial(_by_validation, within, parts.items())
    if shape is Shape.EVENTS and parts.target.shape is Shape.EVENTS:
        return by_time
    unknown = len(parts.strangers()) * 2 > parts.target.rows["customer_id"].n_unique()
    return partial(by_holding_back, shape, seed, apart=unknown)


def _by_validation(parts: _Parts, items: pl.DataFrame, split: Split) -> Split:
    del split
    return _split(parts, items)


def by_holding_back(shape: Shape, seed: int, split: Split, *, apart: bool) -> Split:
    """Holds back a part of everybody's events, or of some customers' who are not fitted on."""
    # Of a log whose test part has no times, what was held out may lie anywhere.
    hold_back, clock = hold_back_of(shape, seed, log_by_time=False), CLOCKS[shape]
    if apart:
        return strong(split.train, hold_back, clock, split.cutoff, all_items=True, seed=seed)
    return weak(split.train, hold_back, clock, split.cutoff, all_items=True)
