"""The filters of a query: its own text, and one of the deployment file by its name."""

from functools import lru_cache

from recsys.errors import InvalidFilterError, InvalidQueryError
from recsys.live.eligibility import Eligibility
from recsys.live.filter_parameters import FIELD, Parameters
from recsys.live.filter_tokens import parameter_names
from recsys.live.rules import NamedFilter
from recsys.pipeline.query import Query
from recsys.types import BoolArray

_names = lru_cache(maxsize=256)(parameter_names)


def passing(query: Query, eligibility: Eligibility) -> BoolArray:
    """Returns which items are available and pass both filters, shape (items,), to be changed.

    Raises:
        InvalidQueryError: there is no filter of this name, a parameter that neither filter has,
            or no item names the market.
        InvalidFilterError: a filter is wrong, or a parameter has no value that fits.
    """
    named = _named(query)
    if query.filter_parameters:
        _refuse_unused(query, named)
    own = _used(query.filter, query.filter_parameters)
    mask = eligibility.mask(query.filter, query.market, own).copy()
    if named is not None:
        used = _used(named.sql, query.filter_parameters)
        try:
            mask &= eligibility.mask(named.sql, query.market, used)
        except InvalidFilterError as error:
            description = f"{query.filter_name}: {error.description}"
            raise InvalidFilterError(description, error.position, field="filter_name") from None
    return mask


def _named(query: Query) -> NamedFilter | None:
    if not query.filter_name:
        return None
    known = {} if query.rules is None else query.rules.filters
    if query.filter_name not in known:
        names = ", ".join(known) or "none"
        message = f"must be a filter of the deployment file, which has {names}"
        raise InvalidQueryError("filter_name", message)
    return known[query.filter_name]


def _used(text: str, parameters: Parameters) -> Parameters:
    """Returns the parameters that a filter has, so that others make no other key of its mask."""
    if not (parameters and text.strip()):
        return ()
    names = _names(text)
    return tuple(each for each in parameters if each[0] in names)


def _refuse_unused(query: Query, named: NamedFilter | None) -> None:
    used = _names(query.filter) if query.filter.strip() else frozenset()
    if named is not None:
        used |= _names(named.sql)
    for name, _ in query.filter_parameters:
        if name not in used:
            raise InvalidQueryError(f"{FIELD}.{name[:64]}", "no filter of the query has it")
