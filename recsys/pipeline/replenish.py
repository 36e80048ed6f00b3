"""When the items of a list are needed again: shown beside them, without moving any."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recsys.models.known_items import places_of
from recsys.models.replenishment_model import Forecast, ReplenishmentModel
from recsys.pipeline.query import Reason, RecommendedItem, Replenishment
from recsys.pipeline.request import Request

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
    rows = iter(places.tolist())
    return [
        _with_forecast(item, told, next(rows), now) if is_known else item
        for item, is_known in zip(items, known.tolist(), strict=True)
    ]


def _with_forecast(item: RecommendedItem, told: Forecast, row: int, now: int) -> RecommendedItem:
    due = int(told.due_times[row])
    reason = item.reason
    overdue = now - due > due - int(told.last_times[row])
    if reason.code == "bought-before" and told.days[row] >= OWN_INTERVAL and not overdue:
        reason = Reason("due-about", count=reason.count, date=due)
    return replace(
        item, reason=reason, replenishment=Replenishment(due, *told.probabilities[row].tolist())
    )
