"""Impressions and events for tests of what lists were followed by."""

from hashlib import md5
from typing import Any

from recsys.live.attribution import Shown, Tokens
from recsys.store.events import LogEvent
from recsys.store.impressions import Impression
from recsys.store.store import Store
from tests.stores import NOON

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def request_id(name: str) -> str:
    return md5(name.encode(), usedforsecurity=False).hexdigest()


def impression(
    name: str, customer_id: str | None, items: str, *, at: int = 0, **changes: Any
) -> Impression:
    """A list of items, given with blanks between them, `at` microseconds after noon."""
    item_ids = items.split()
    return Impression(
        request_id=request_id(name),
        answer_time=NOON + at,
        customer_id=customer_id,
        placement="for_you",
        bundle_version="b1",
        experiment="",
        arm="",
        experiment_version="",
        item_ids=item_ids,
        scores=[1.0] * len(item_ids),
        sources=["taste"] * len(item_ids),
        explored_rank=None,
        propensity=None,
        query={},
    )._replace(**changes)


def token(store: Store, shown: Impression) -> str:
    return Tokens(store.secret).write(
        Shown(
            shown.request_id,
            shown.placement,
            shown.bundle_version,
            shown.experiment,
            shown.arm,
            shown.answer_time // 1000,
        )
    )


def event(
    kind: str,
    customer_id: str,
    item_id: str | None,
    *,
    at: int,
    price: float | None = None,
    quantity: float = 1.0,
    **changes: Any,
) -> LogEvent:
    """An event `at` microseconds after noon; its id is derived by the store."""
    return LogEvent(
        None, customer_id, None, None, item_id, None, kind, NOON + at, quantity, price
    )._replace(**changes)
