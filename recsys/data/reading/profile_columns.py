"""Changes the names of the file's columns in a table of a mapping, wherever settings have them."""

from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any

from recsys.data.event_names import bare
from recsys.data.events import EVENT_SCHEMA, ITEM_SCHEMA

_LISTS = (
    "time_parts", "properties", "sale_period", "attributes", "drop", "key_values", "line_value",
    "sale_price",
)  # fmt: skip
"""Settings that are a column, or several."""
_RULES = ("require", "exclude", "available_when", "unavailable")
"""Settings from a column, ours or the file's, to a rule."""
_PARTS = {
    "explode": ("columns",),
    "fill_down": ("by", "first", "columns"),
    "order_times": ("customer", "number", "days_since_prior", "hour"),
    "returns": ("column",),
}
"""Tables of settings -> the ones in them that are columns."""

Change = Callable[[str], str]
_Values = Mapping[str, Any]


def loose(name: str) -> str:
    """Returns a name without what people write differently: case, spaces and signs."""
    return bare(name) or name.strip().casefold()


def written_as(columns: Collection[str], made: Collection[str] = ()) -> Change:
    """Returns a function from a name to the file's own way of writing it.

    A name that the file does not have, and one of a column that is made of others, stays.

    Args:
        columns: those of the file.
        made: how names of columns begin that are made of others (`item`, for `item.sku`).
    """
    written: dict[str, str] = {}
    for column in columns:
        written.setdefault(loose(column), column)
    begins = tuple(f"{name}." for name in made)

    def change(name: str) -> str:
        if name in columns or name.startswith(begins):
            return name
        return written.get(loose(name), name)

    return change


def begins_of_made(values: _Values) -> tuple[str, ...]:
    """Returns how the names begin of columns that a mapping makes of others."""
    explode = values.get("explode")
    name = () if explode is None else (explode.get("name", "item"),)
    return (*name, *values.get("joins", ()))


def with_columns(values: _Values, change: Change, columns: Collection[str] = ()) -> dict[str, Any]:
    """Returns a table of a mapping in which every name of a column of the file is changed.

    Args:
        values: the table.
        change: from a name to another.
        columns: those of the file, for patterns of names.
    """
    changed = dict(values)
    for setting in _LISTS:
        if setting in values:
            changed[setting] = _each(values[setting], change)
    for setting in _RULES:
        if setting in values:
            changed[setting] = _rules(values[setting], change, ours=True)
    if "missing_in" in values:
        changed["missing_in"] = _rules(values["missing_in"], change)
    if "columns" in values:
        named = values["columns"]
        changed["columns"] = {ours: _each(theirs, change) for ours, theirs in named.items()}
    for setting, parts in _PARTS.items():
        if setting in values:
            table = values[setting]
            names = {part: _each(table[part], change) for part in parts if part in table}
            changed[setting] = {**table, **names}
    if "explode" in values:
        patterns = changed["explode"].get("columns", ())
        holders = [name for pattern in patterns for name in _fitting(pattern, columns)]
        changed["explode"] = {**changed["explode"], "columns": holders}
    return {**changed, **_nested(values, change)}


def names_in(values: _Values) -> set[str]:
    """Returns every name of a column of the file in a table of a mapping."""
    names: set[str] = set()

    def note(name: str) -> str:
        names.add(name)
        return name

    with_columns(values, note)
    return names


def ruled_in(values: _Values) -> set[str]:
    """Returns every name in a table of a mapping that a rule is about: the file's, and ours."""
    return {name for setting in _RULES for name in values.get(setting, ())}


def _nested(values: _Values, change: Change) -> dict[str, Any]:
    """Returns the settings that hold rules or columns deeper down, changed."""
    changed: dict[str, Any] = {}
    if "type_when" in values:
        changed["type_when"] = {
            kind: _rules(rules, change, ours=True) for kind, rules in values["type_when"].items()
        }
    if "mentions" in values:
        changed["mentions"] = [
            {**mention, "rows": _rules(mention["rows"], change, ours=True)}
            for mention in values["mentions"]
        ]
    if "when" in values.get("returns", {}):
        returns = values["returns"]
        column = {"column": change(returns["column"])} if "column" in returns else {}
        when = _rules(returns["when"], change)
        changed["returns"] = {**returns, **column, "when": when}
    if "joins" in values:
        changed["joins"] = {
            name: {**join, "on": _rules(join["on"], change)} if "on" in join else join
            for name, join in values["joins"].items()
        }
    return changed


def _each(names: Any, change: Change) -> Any:  # noqa: ANN401 - any TOML
    if isinstance(names, str):
        return change(names)
    return [change(name) for name in names]


def _rules(rules: _Values, change: Change, *, ours: bool = False) -> dict[str, Any]:
    """Changes the keys; with `ours`, a key that is a column of ours stays."""
    kept = {*EVENT_SCHEMA, *ITEM_SCHEMA} if ours else set()
    return {name if name in kept else change(name): rule for name, rule in rules.items()}


def _fitting(pattern: str, columns: Collection[str]) -> list[str]:
    """Returns the columns that fit a pattern when signs and case do not count, or the pattern."""
    if "*" not in pattern or any(fnmatchcase(column, pattern) for column in columns):
        return [pattern]
    plain = "*".join(loose(part) for part in pattern.split("*"))
    return [column for column in columns if fnmatchcase(loose(column), plain)] or [pattern]
