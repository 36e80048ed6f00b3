"""Misspelt keywords of calls and values are refused with the one that was probably meant."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from recsys.client.checks import unknown_argument

T = TypeVar("T")
P = ParamSpec("P")


def names_keywords(kind: type[T]) -> type[T]:
    """Has a class refuse unknown keywords of its constructor and of its public methods.

    Python's own error does not say which keyword was meant. Methods with `**settings` check them
    where they check the values.
    """
    methods = {
        name: function
        for name, function in inspect.getmembers(kind, inspect.isfunction)
        if name == "__init__" or not name.startswith("_")
    }
    for name, function in methods.items():
        names = _keywords(function)
        if names is not None:
            setattr(kind, name, _naming(function, names))
    return kind


def _keywords(function: Callable[..., Any]) -> dict[str, None] | None:
    """Returns the keywords that a method takes, None where it takes any."""
    parameters = list(inspect.signature(function).parameters.values())[1:]  # without self
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
        return None
    return {each.name: None for each in parameters}


def _naming(function: Callable[P, T], names: dict[str, None]) -> Callable[P, T]:
    @wraps(function)
    def call(*arguments: P.args, **keywords: P.kwargs) -> T:
        if not keywords.keys() <= names.keys():
            raise unknown_argument(next(name for name in keywords if name not in names), names)
        return function(*arguments, **keywords)

    return call
