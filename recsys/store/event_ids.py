"""Names events that came without an id as a file's are, so that one event is one everywhere."""

from collections import Counter
from collections.abc import Sequence

from recsys.data.reading.event_ids import content_id
from recsys.store.events import LogEvent


def with_ids(batch: Sequence[LogEvent]) -> Sequence[LogEvent]:
    """Returns the batch with an id for each event; equal ones in it are told apart.

    The second of two equal events becomes `<id>.2`, and so on, as in a file.
    """
    if all(event.event_id for event in batch):
        return batch
    seen: Counter[str] = Counter()
    named: list[LogEvent] = []
    for event in batch:
        if event.event_id:
            named.append(event)
            continue
        event_id = content_id(event[1:])
        seen[event_id] += 1
        if seen[event_id] > 1:
            event_id = f"{event_id}.{seen[event_id]}"
        named.append(LogEvent(event_id, *event[1:]))
    return named
