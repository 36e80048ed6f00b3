"""What requests say of filters and rules: names, parameters, levels and strictness."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from google.protobuf.json_format import MessageToDict

from recsys.errors import InvalidQueryError
from recsys.live.filter_parameters import to_parameters
from recsys.live.rules import LEVELS, Strictness, Tuning
from recsys.pipeline.query import Query
from recsys.v1.recommendation_service_pb2 import (
    LEVEL_NAME_HIGH,
    LEVEL_NAME_LOW,
    LEVEL_NAME_MEDIUM,
    LEVEL_NAME_NONE,
    STRICTNESS_FILL,
    STRICTNESS_STRICT,
    STRICTNESS_UNSPECIFIED,
    Level,
    PageSlot,
    RankItemsRequest,
    RecommendBatchRequest,
    RecommendRequest,
)
from serving.messages.limits import checked_text

TunedRequest: TypeAlias = RecommendRequest | RecommendBatchRequest | PageSlot
"""Requests that may say how a list is varied."""
FilteredRequest: TypeAlias = TunedRequest | RankItemsRequest
"""Requests with filters."""

_LEVELS: Mapping[int, float] = {
    LEVEL_NAME_NONE: LEVELS["none"],
    LEVEL_NAME_LOW: LEVELS["low"],
    LEVEL_NAME_MEDIUM: LEVELS["medium"],
    LEVEL_NAME_HIGH: LEVELS["high"],
}
_STRICTNESS: Mapping[int, Strictness] = {
    STRICTNESS_UNSPECIFIED: Strictness.AS_RULES,
    STRICTNESS_STRICT: Strictness.STRICT,
    STRICTNESS_FILL: Strictness.FILL,
}


def filtered(query: Query, request: FilteredRequest) -> Query:
    """Returns a query with the request's filters and their parameters.

    Raises:
        InvalidQueryError: the name is none, or a parameter is of no type that filters know.
    """
    name = request.filter_name
    return replace(
        query,
        filter=request.filter,
        filter_name=checked_text(name, "filter_name") if name else "",
        filter_parameters=to_parameters(MessageToDict(request.filter_parameters)),
    )


def tuned(query: Query, request: TunedRequest) -> Query:
    """Returns a query with the request's filters, tuning and strictness.

    Raises:
        InvalidQueryError: as for `filtered`, or a level or the strictness is unknown.
    """
    query = filtered(query, request)
    if request.HasField("tuning"):
        asked = request.tuning
        levels = {
            name: _level(getattr(asked, name), f"tuning.{name}")
            for name in ("diversity", "freshness", "popularity")
            if asked.HasField(name)
        }
        query = replace(query, tuning=Tuning(**levels))
    if request.strictness not in _STRICTNESS:
        text = f"{request.strictness} is none that this server knows"
        raise InvalidQueryError("strictness", text)
    return replace(query, strictness=_STRICTNESS[request.strictness])


def _level(level: Level, field: str) -> float:
    """Returns the number that a level stands for; its range is the library's to check."""
    if level.HasField("value"):
        return level.value
    if not level.HasField("name") or level.name not in _LEVELS:
        raise InvalidQueryError(field, "must have a name or a value that this server knows")
    return _LEVELS[level.name]
