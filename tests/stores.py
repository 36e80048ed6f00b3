"""Events and stores for tests."""

from recsys.store.events import LogEvent

NOON = 1_704_110_400_000_000
"""2024-01-01 12:00 UTC, in microseconds."""


def log_event(
    event_id: str | None = "e1",
    customer_id: str = "anna",
    item_id: str | None = "tea",
    *,
    event_type: str = "view",
    event_time: int = NOON,
    attribution_token: str | None = None,
) -> LogEvent:
    return LogEvent(
        event_id,
        customer_id,
        None,
        None,
        item_id,
        None,
        event_type,
        event_time,
        attribution_token=attribution_token,
    )
