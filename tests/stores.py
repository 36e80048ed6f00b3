"""Events and stores for tests."""

from recsys.store.events import LogEvent

NOON = 1_704_110_400_000_000
"""2024-01-01 12:00 UTC, in microseconds."""
DAY = NOON - 12 * 3_600_000_000
"""2024-01-01 00:00 UTC, in microseconds."""
DAY_US = 86_400_000_000


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


def week(customers: int = 3, per_day: int = 4) -> list[LogEvent]:
    """Seven days of events, not in the order of their times."""
    return [
        log_event(
            f"e{number}",
            f"customer-{number % customers}",
            f"item-{number % 5}",
            event_time=DAY + (number * 3 % 7) * DAY_US + number,
        )
        for number in range(7 * per_day)
    ]
