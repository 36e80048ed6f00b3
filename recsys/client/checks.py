"""What arguments of calls must be: each check names the argument, what is wrong, what is right.

They run before anything is sent, so that a slip is an error at the caller's own line. Each looks
for the usual type first: to ask whether a value can be iterated over takes ten times as long.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from operator import index
from typing import Any, SupportsFloat, SupportsIndex, TypeVar, cast

from recsys.client.errors import ArgumentError
from recsys.errors import did_you_mean

Check = Callable[[str, Any], Any]
"""Takes the argument's name and its value; returns the value to send."""
T = TypeVar("T")
SettingsT = TypeVar("SettingsT", bound=Mapping[str, Any])

_LONGEST = 60
"""Characters of a wrong value that an error repeats."""
_USUAL = {
    **dict.fromkeys(("page_size", "k", "n", "top_k", "top_n", "size", "count", "N"), "limit"),
    **dict.fromkeys(("user_id", "user", "customer"), "customer_id"),
    **dict.fromkeys(("session_id", "anonymous_id", "cookie"), "visitor_id"),
    **dict.fromkeys(("item_ids", "context", "item_id", "items"), "context_item_ids"),
    **dict.fromkeys(("exclude", "exclude_items", "blacklist"), "exclude_item_ids"),
    **dict.fromkeys(("fields", "columns"), "item_fields"),
    **dict.fromkeys(("timeout", "deadline"), "timeout_s"),
    **dict.fromkeys(("now", "time", "timestamp"), "query_time"),
    **dict.fromkeys(("type", "event", "kind"), "event_type"),
}
"""What others call an argument -> ours, where the names are not alike."""
_TEXTS = frozenset({str})
_LARGEST = 2**31
"""No count that the contract can carry is as large."""
_MOST_SECONDS = 366 * 86_400


def checked(
    settings: SettingsT, checks: Mapping[str, Check], also: Iterable[str] = ()
) -> SettingsT:
    """Returns keyword arguments as they are sent, without those that are None.

    Args:
        settings: as the caller gave them.
        checks: by name, all that there may be.
        also: further arguments of the call, which a wrong name may have meant.

    Raises:
        ArgumentError: there is no such keyword, or its value is wrong.
    """
    values: dict[str, Any] = {}
    for name, value in settings.items():
        check = checks.get(name)
        if check is None:
            raise unknown_argument(name, [*checks, *also])
        if value is not None:
            values[name] = check(name, value)
    return cast("SettingsT", values)


def unknown_argument(name: str, names: Iterable[str]) -> ArgumentError:
    """Returns the error of a keyword that a call does not have."""
    names = list(names)
    usual = _USUAL.get(name)
    hint = f"; did you mean {usual!r}?" if usual in names else did_you_mean(name, names)
    hint = hint or f"; there are {', '.join(names)}"
    return ArgumentError(name, f"is no argument of this call{hint}")


def saying(value: object) -> str:
    """Returns what a wrong value is, short enough for a line."""
    text = repr(value)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    kind = type(value).__name__
    return (
        f"is {text} ({kind})" if isinstance(value, str | float | int) else f"is a {kind}: {text}"
    )


def text(name: str, value: object) -> str:
    """Returns a text; an empty one says nothing."""
    if isinstance(value, str):
        return value
    hint = f": write {str(value)!r}" if type(value) in (int, float) else ""
    raise ArgumentError(name, f"must be a text, {saying(value)}{hint}")


def name_text(name: str, value: object) -> str:
    """Returns a text that is not empty."""
    found = text(name, value)
    if not found.strip():
        raise ArgumentError(name, f"must not be empty, {saying(value)}")
    return found


def placement_name(value: object) -> str:
    """Returns the name of a placement."""
    if isinstance(value, str) and not value.strip():
        hint = "name one, such as 'for_you'; placements() lists those of the server"
        raise ArgumentError("placement", f"must not be empty: {hint}")
    return name_text("placement", value)


def texts(name: str, value: object) -> list[str]:
    """Returns a list of texts."""
    values = elements(name, value, "texts")
    if not _TEXTS.issuperset(map(type, values)):
        return [text(f"{name}[{place}]", each) for place, each in enumerate(values)]
    return values


def elements(name: str, value: object, what: str) -> list[Any]:
    """Returns the elements of a list, or of whatever else `iterable` takes."""
    return list(iterable(name, value, what))


def iterable(name: str, value: object, what: str) -> Iterable[Any]:
    """Returns a value that can be iterated over.

    A text, bytes and a mapping are refused, although Python iterates over them.
    """
    if type(value) in (list, tuple):
        return cast("Iterable[Any]", value)
    if isinstance(value, str):
        raise ArgumentError(name, f"must be a list of {what}, {saying(value)}: write [{value!r}]")
    if isinstance(value, bytes | Mapping) or not isinstance(value, Iterable):
        raise ArgumentError(name, f"must be a list of {what}, {saying(value)}")
    return value


def count(name: str, value: object) -> int:
    """Returns a whole number of 0 or more."""
    found = value if type(value) is int else _index(name, value)
    if found < 0:
        raise ArgumentError(name, f"must not be negative, is {found}")
    if found >= _LARGEST:
        raise ArgumentError(name, f"must be below {_LARGEST:,}, is {found}")
    return found


def _index(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise ArgumentError(name, f"must be a whole number, {saying(value)}")
    return index(value)


def number(name: str, value: object) -> float:
    """Returns a finite number."""
    if type(value) is not float and (
        isinstance(value, bool) or not isinstance(value, SupportsFloat)
    ):
        raise ArgumentError(name, f"must be a number, {saying(value)}")
    found = float(value)
    if not math.isfinite(found):
        raise ArgumentError(name, f"must be a finite number, is {found}")
    return found


def seconds(name: str, value: object) -> float:
    """Returns a time to wait, above 0."""
    found = number(name, value)
    if not 0 < found <= _MOST_SECONDS:
        raise ArgumentError(name, f"must be seconds, above 0 and at most a year, is {found:g}")
    return found


def flag(name: str, value: object) -> bool:
    """Returns a truth value."""
    if not isinstance(value, bool) and type(value).__name__ != "bool":  # numpy has its own
        raise ArgumentError(name, f"must be True or False, {saying(value)}")
    return bool(value)


def time(name: str, value: object) -> datetime:
    """Returns a moment with a time zone."""
    if not isinstance(value, datetime):
        raise ArgumentError(
            name,
            f"must be a datetime with a time zone, {saying(value)}: such as datetime.now(UTC)",
        )
    if value.tzinfo is None:
        hint = "write .replace(tzinfo=UTC) for a time in UTC, or datetime.now(UTC) for now"
        raise ArgumentError(name, f"needs a time zone, {value.isoformat()} has none: {hint}")
    return value


def one_of(choices: Iterable[str]) -> Check:
    """Returns a check that takes one of some words."""
    words = tuple(choices)

    def check(name: str, value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        hint = did_you_mean(value, words) if isinstance(value, str) else ""
        raise ArgumentError(name, f"must be one of {', '.join(words)}, {saying(value)}{hint}")

    return check


def instance(name: str, value: object, kind: type[T], how: str) -> T:
    """Returns a value that is of a class of this client.

    Args:
        name: of the argument.
        value: as the caller gave it.
        kind: of which it must be.
        how: to make one of a mapping, after the class's name.
    """
    if isinstance(value, kind):
        return value
    hint = f": write {kind.__name__}{how}" if isinstance(value, Mapping) else ""
    raise ArgumentError(name, f"must be a {kind.__name__}, {saying(value)}{hint}")
