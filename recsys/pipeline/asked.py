"""What was asked, as plain values that JSON can carry, and back: so that a query can be kept."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from recsys.errors import InvalidQueryError
from recsys.pipeline.query import Query

NOT_ASKED = frozenset(
    # Kept beside it, or made anew: what the store adds, and what the deployment file says.
    {"placement", "customer_id", "merged_ids", "earlier", "rules", "seed", "explain"}
)
_DEFAULTS = tuple(
    # Later programs may have another limit as their default.
    (field.name, None if field.name == "limit" else field.default)
    for field in fields(Query)
    if field.name not in NOT_ASKED
)


def to_asked(query: Query) -> dict[str, Any]:
    """Returns all that a caller asked but placement and customer, without what is not given."""
    return {
        name: _plain(value)
        for name, default in _DEFAULTS
        if (value := getattr(query, name)) is not default and value != default
    }


def from_asked(placement: str, customer_id: str | None, asked: Mapping[str, Any]) -> Query:
    """Returns the query again; keys that are not of a query do not count.

    Raises:
        InvalidQueryError: a value is not one that this program knows.
    """
    known = {name: asked[name] for name, _ in _DEFAULTS if name in asked}
    try:
        return _queries().validate_python(
            {**known, "placement": placement, "customer_id": customer_id}
        )
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InvalidQueryError(where, "was logged by another program") from error


@cache
def _queries() -> TypeAdapter[Query]:
    return TypeAdapter(Query)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return value
