"""When the items of a list are needed again: shown beside them, without moving any."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recsys.models.known_items import places_of
from recsys.models.replenishment_model import Forecast, ReplenishmentModel
from recsys.pipeline.query import Reason, RecommendedItem, Replenishment
from recsys.pipeline.request import Request
from recsys.types import BoolArray, FloatArray, TimeArray

OWN_INTERVAL = 2
"""Days of purchase from which on a customer has an interval of their own."""


def with_forecasts(
    model: ReplenishmentModel, request: Request, items: Sequence[RecommendedItem]
) -> list[RecommendedItem]:
    """Returns the items in place; those that the customer bought say when they are due.

    Where the customer has an interval of their own and it has not passed twice, "due about" says
    more than "bought before", and takes its place.
    """
    now = request.query.query_time
    told = model.forecast(request.rows, now)
    places, known = places_of(told.item_nums, np.array([item.item_num for item in items], int))
    own = is_own_interval(told.days, told.last_times, told.due_times, now)
    rows = iter(places.tolist())
    return [
        _with_forecast(item, told, next(rows), own) if is_known else item
        for item, is_known in zip(items, known.tolist(), strict=True)
    ]


def is_own_interval(
    days: FloatArray, last_times: TimeArray, due_times: TimeArray, now: int
) -> BoolArray:
    """Returns of which items a customer has an interval that has not passed twice.

    Args:
        days: of purchase, shape (items,).
        last_times: of the last purchase, Unix seconds, shape (items,).
        due_times: when they are due, Unix seconds, shape (items,).
        now: Unix seconds.
    """
    passed_twice = now - due_times > due_times - last_times
    own: BoolArray = (days >= OWN_INTERVAL) & ~passed_twice
    return own


def _with_forecast(
    item: RecommendedItem, told: Forecast, row: int, own: BoolArray
) -> RecommendedItem:
    due = int(told.due_times[row])
    reason = item.reason
    if reason.code == "bought-before" and own[row]:
        reason = Reason("due-about", count=reason.count, date=due)
    return replace(
        item, reason=reason, replenishment=Replenishment(due, *told.probabilities[row].tolist())
    )
