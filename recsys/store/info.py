"""What is in a store, for people."""

from dataclasses import dataclass

from recsys.store.archives import Archives
from recsys.store.store import Store
from recsys.store.tables import impressions, meta, visitors

_ALWAYS = (0, 2**62)


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """Counts of a moment."""

    id: str
    schema_version: int
    last_position: int
    """Of the newest event; every event ever stored has had one."""
    events: int
    """In the table."""
    first_time: int | None
    """Of the events in the table, in microseconds since 1970, UTC."""
    last_time: int | None
    archived: int
    archive_days: tuple[str, ...]
    """As 2026-01-31, in order."""
    archive_files: int
    links: int
    """Visitors who are linked to customers."""
    items: int
    """Items that callers changed."""
    tombstones: int
    impressions: int
    lost_impressions: int
    """Lists that were answered and could not be noted."""


def look(store: Store) -> StoreInfo:
    """Counts what is in a store; goes through its tables."""
    files = Archives(store).files()
    with store.read() as session:
        [[events, first, last]] = session.rows(
            "SELECT COUNT(*), MIN(event_time), MAX(event_time) FROM events"
        )
        [[shown]] = session.rows("SELECT COUNT(*) FROM impressions")
        [[stones]] = session.rows("SELECT COUNT(*) FROM tombstones")
        losses = impressions.losses_between(session, *_ALWAYS)
        version = meta.read(session, "schema_version")
        links = visitors.links(session)
    return StoreInfo(
        id=store.id,
        schema_version=int(version or 0),
        last_position=store.last_position,
        events=events,
        first_time=first,
        last_time=last,
        archived=sum(file.events for file in files),
        archive_days=tuple(sorted({file.day for file in files})),
        archive_files=len(files),
        links=len(links),
        items=len(store.changed_items()),
        tombstones=stones,
        impressions=shown,
        lost_impressions=sum(loss.lost for loss in losses),
    )
