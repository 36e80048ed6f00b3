"""Names events that came without an id as a file's are, so that one event is one everywhere."""

from collections.abc import Sequence

import polars as pl

from recsys.data.events import EVENT_SCHEMA
from recsys.data.reading.event_ids import content_ids, numbered
from recsys.store.events import LogEvent

_PLACE, _DERIVED = "__place__", "__derived__"


def with_ids(batch: Sequence[LogEvent]) -> Sequence[LogEvent]:
    """Returns the batch with an id for each event; equal ones in it are told apart."""
    nameless = [place for place, event in enumerate(batch) if not event.event_id]
    if not nameless:
        return batch
    frame = pl.DataFrame([batch[place] for place in nameless], schema=EVENT_SCHEMA, orient="row")
    ids = numbered(
        frame.with_columns(
            content_ids(frame),
            pl.Series(_PLACE, nameless, pl.Int64),
            pl.lit(value=True).alias(_DERIVED),
        ).sort("event_id", _PLACE),
        _DERIVED,
    )
    named = list(batch)
    for place, event_id in ids.select(_PLACE, "event_id").iter_rows():
        named[place] = named[place]._replace(event_id=event_id)
    return named
