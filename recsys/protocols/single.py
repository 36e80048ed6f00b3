"""One log of events and a protocol's name: how a hold-out is made of data nobody has split."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

from recsys.data.dataset import Dataset
from recsys.data.splits import Split
from recsys.errors import ConfigError
from recsys.protocols.clock import CLOCKS, Clock
from recsys.protocols.customers import (
    asked_at,
    known_events,
    refuse_nobody,
    strong,
    training_side,
    weak,
)
from recsys.protocols.files import read_table
from recsys.protocols.hold_back import (
    HELD_SHARE,
    HoldBack,
    hold_back_of,
    last_basket,
    last_item,
    random_share,
)
from recsys.protocols.holdout import HoldOut, InnerSplit, usual_placements
from recsys.protocols.in_memory import in_memory
from recsys.protocols.mask import Mask
from recsys.protocols.next_item import NEXT_ITEM, later_sessions, sessions_after
from recsys.protocols.shapes import Shape
from recsys.protocols.sides import split_of
from recsys.protocols.temporal import (
    ROLLING_ORIGIN,
    TEMPORAL,
    last_fifth,
    temporal,
)
from recsys.protocols.timed import end_of, log_of


class ProtocolName(StrEnum):
    """Ways to split one log and to make truth."""

    TEMPORAL = TEMPORAL
    ROLLING_ORIGIN = ROLLING_ORIGIN
    LEAVE_LAST_ONE = "leave-last-one"
    RANDOM = "random"
    STRONG_GENERALISATION = "strong-generalisation"
    NEXT_BASKET = "next-basket"
    NEXT_ITEM = NEXT_ITEM


USUAL_MASKS: Mapping[ProtocolName, Mask] = {
    ProtocolName.LEAVE_LAST_ONE: Mask.BOUGHT,
    ProtocolName.RANDOM: Mask.BOUGHT,
    ProtocolName.STRONG_GENERALISATION: Mask.BOUGHT,
    ProtocolName.NEXT_BASKET: Mask.NONE,
    ProtocolName.NEXT_ITEM: Mask.NONE,
}
"""What is left out of lists unless somebody says otherwise: as published tables do."""


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """Events that nobody has split."""

    dataset: Dataset
    shape: Shape = Shape.EVENTS
    all_items: bool = False
    """Lists rank every item of the data, as published tables do, not only those known from what
    is fitted on."""

    @property
    def clock(self) -> Clock:
        """Returns how times are told after some events were taken away."""
        return CLOCKS[self.shape]

    def end(self) -> datetime:
        """Returns a moment after all events."""
        return end_of(self.shape, [self.dataset.events.select("event_time").collect()])


def open_log(source: Path) -> Log:
    """Opens a prepared data set, or one file in any of the shapes of `Shape`.

    Raises:
        DataError: it is neither, or damaged; for a file the text names row and field.
    """
    if not source.is_file():
        return Log(Dataset.open(source))
    table = read_table(source)
    return Log(log_of(table), table.shape, all_items=True)


@dataclass(frozen=True, slots=True)
class Cut:
    """What some protocols want to know besides."""

    cutoff: datetime | None = None
    """Where `temporal` and `next-item` cut, with a time zone."""
    test_days: int | None = None
    """Instead of `cutoff`: days of the test side."""
    min_item_events: int = 0
    """For `temporal`: keeps only items with so many purchases before the cutoff."""
    fit_validation: bool = False
    """For `leave-last-one`: also fits on each customer's item before the last, which otherwise
    only comes with the query."""
    seed: int = 0
    """Of the draws."""


def hold_out(
    log: Log, protocol: ProtocolName, cut: Cut | None = None, *, mask: Mask | None = None
) -> HoldOut:
    """Holds something out of a log; for several cut-offs see `rolling_origin`.

    Args:
        log: what nobody has split.
        protocol: how.
        cut: what the protocol wants to know besides.
        mask: what lists and truth leave out; default: by protocol.

    Raises:
        ConfigError: the data have no times and the protocol needs some, or it makes several
            hold-outs.
        DataError: nobody is left to judge by.
    """
    cut = cut or Cut()
    if protocol is ProtocolName.TEMPORAL:
        refuse_made_up(log, protocol)
        return temporal(
            log.dataset,
            cutoff=cut.cutoff,
            test_days=cut.test_days,
            min_item_events=cut.min_item_events,
            mask=mask,
        )
    if protocol not in _BY_NAME:
        message = f"{protocol.value} makes several hold-outs: call rolling_origin"
        raise ConfigError(message, protocol=protocol.value)
    mask = mask or USUAL_MASKS[protocol]
    split, inner = _BY_NAME[protocol](log, cut)
    return HoldOut(
        protocol=protocol.value,
        variant=f"{log.shape.value} mask={mask.value}",
        split=split,
        inner=inner,
        mask=mask,
        placements=usual_placements(mask),
    )


def refuse_made_up(log: Log, protocol: ProtocolName) -> None:
    """Fails where a protocol needs times and the data have none.

    Raises:
        ConfigError: always then.
    """
    if log.clock.made_up:
        message = f"the protocol {protocol.value} needs times; {log.shape.value} have none"
        raise ConfigError(message, protocol=protocol.value)


def _leave_last_one(log: Log, cut: Cut) -> tuple[Split, InnerSplit]:
    hold_back = partial(last_item, seed=cut.seed)
    halves = hold_back(log.dataset.events.collect())
    refuse_nobody(halves)
    kept, given = log.clock.tell(halves.kept), None
    if not cut.fit_validation:
        judged = kept.join(halves.held, on="customer_id", how="semi")
        latest = judged.join(hold_back(judged).kept, on="event_id", how="anti")
        kept, given = kept.join(latest, on="event_id", how="anti"), latest
    train = training_side(log.dataset, kept, all_items=log.all_items)
    asked = asked_at(halves, log.clock)
    split = split_of(train, halves.held, log.end(), given=given, asked_at=asked)
    return split, partial(_within, log, hold_back)


def _within(log: Log, hold_back: HoldBack, split: Split) -> Split:
    """Holds back within all that is known before the truth, also what only queries bring."""
    known = in_memory(known_events(split), split.train.items, split.train.customers)
    return weak(known, hold_back, log.clock, split.cutoff, all_items=log.all_items)


def _random(log: Log, cut: Cut) -> tuple[Split, InnerSplit]:
    return _everybody(log, partial(random_share, share=HELD_SHARE, seed=cut.seed))


def _next_basket(log: Log, cut: Cut) -> tuple[Split, InnerSplit]:
    del cut
    return _everybody(log, last_basket)


def _everybody(log: Log, hold_back: HoldBack) -> tuple[Split, InnerSplit]:
    split = weak(log.dataset, hold_back, log.clock, log.end(), all_items=log.all_items)
    return split, partial(_within, log, hold_back)


def _strong(log: Log, cut: Cut) -> tuple[Split, InnerSplit]:
    hold_back = hold_back_of(log.shape, cut.seed)

    def part(split_end: datetime, dataset: Dataset) -> Split:
        return strong(
            dataset,
            hold_back,
            log.clock,
            split_end,
            all_items=log.all_items,
            share=HELD_SHARE,
            seed=cut.seed,
        )

    return part(log.end(), log.dataset), lambda split: part(split.cutoff, split.train)


def _next_item(log: Log, cut: Cut) -> tuple[Split, InnerSplit]:
    refuse_made_up(log, ProtocolName.NEXT_ITEM)
    moment = _moment(log, cut) or last_fifth(log.dataset)
    split = sessions_after(log.dataset, moment, all_items=log.all_items)
    return split, partial(later_sessions, all_items=log.all_items)


def _moment(log: Log, cut: Cut) -> datetime | None:
    if cut.cutoff is not None or cut.test_days is None:
        return cut.cutoff
    midnight = log.end().replace(hour=0, minute=0, second=0)
    return midnight - timedelta(days=cut.test_days - 1)


_BY_NAME: Mapping[ProtocolName, Callable[[Log, Cut], tuple[Split, InnerSplit]]] = {
    ProtocolName.LEAVE_LAST_ONE: _leave_last_one,
    ProtocolName.RANDOM: _random,
    ProtocolName.STRONG_GENERALISATION: _strong,
    ProtocolName.NEXT_BASKET: _next_basket,
    ProtocolName.NEXT_ITEM: _next_item,
}
