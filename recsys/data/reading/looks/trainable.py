"""Says whether anything can be trained on a data set: by the rule that training itself has."""

from pathlib import Path

import polars as pl

from recsys.data.events import event_type_code
from recsys.data.interactions import settle_returns
from recsys.data.reading.looks.facts import EventFacts
from recsys.data.reading.looks.look import listed
from recsys.types import EVENT_TYPES, EventType

_KNOWN = tuple(kind.value for kind in EVENT_TYPES)


def untrainable(facts: EventFacts, events_file: Path) -> str | None:
    """Returns why `training run` would refuse a set; None: it does not.

    Training needs one event that names an item, has a known type, and is no purchase that was
    given back.
    """
    known = {kind: n for kind, n in facts.by_kind.items() if kind in _KNOWN}
    usable = sum(n.with_item for kind, n in known.items() if kind != EventType.RETURN)
    types = listed([f"{kind} ({n.events:,})" for kind, n in facts.by_kind.items()])
    begin = f"the data set cannot be trained on: of {facts.events:,} events"
    if not known:
        return (
            f"{begin} none has a type that a model uses; the types are {types}. Say which of ours "
            'they are in the mapping file:  [events.event_types]  "..." = "purchase"'
        )
    if not sum(n.with_item for n in known.values()):
        return (
            f"{begin} none with a known type names an item; the types are {types}. Name the "
            'column with the item in the mapping file:  [events.columns]  item_id = "..."'
        )
    if not usable:
        back = facts.of_kind(EventType.RETURN).events
        return (
            f"{begin} {back:,} are returns, and none that names an item is anything else. Give "
            "the purchases, too, or correct the mapping's [events.returns]"
        )
    if _all_given_back(facts, usable, events_file):
        return (
            f"{begin} every purchase is given back by a return ({types}). Check the mapping's "
            "[events.returns] and the signs of the quantities"
        )
    return None


def _all_given_back(facts: EventFacts, usable: int, events_file: Path) -> bool:
    bought, back = facts.of_kind(EventType.PURCHASE), facts.of_kind(EventType.RETURN)
    if bought.with_item < usable or back.units < bought.units:
        return False
    rows = (
        pl.scan_parquet(events_file, glob=False)
        .filter(pl.col("item_id").is_not_null())
        .select(
            "customer_id",
            "item_id",
            "quantity",
            code=event_type_code(),
            time=pl.col("event_time").dt.epoch("s"),
        )
        .drop_nulls("code")
        .collect(engine="streaming")
    )
    return settle_returns(rows).is_empty()
