"""Profiles: ready mappings for the exports of shop systems and trackers, told by their headers."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from recsys.config import StrictModel, merge, read_toml, validated
from recsys.data.event_names import bare
from recsys.data.reading.mapping import (
    CustomerMapping,
    EventMapping,
    ItemMapping,
)
from recsys.data.reading.mapping import (
    Mapping as FileMappings,
)
from recsys.errors import ConfigError

FOLDER = Path(__file__).parent / "profile_files"

TableName = Literal["events", "items", "customers"]
TABLES: tuple[TableName, ...] = ("events", "items", "customers")


class _Shape(StrictModel):
    export: str
    recognise: tuple[str, ...] = Field(min_length=1)


class _EventShape(_Shape, EventMapping):
    pass


class _ItemShape(_Shape, ItemMapping):
    pass


class _CustomerShape(_Shape, CustomerMapping):
    pass


class _ProfileFile(StrictModel):
    """A profile's file: for each table the exports that it knows, each a table of a mapping."""

    title: str
    about: str = ""
    events: tuple[_EventShape, ...] = ()
    items: tuple[_ItemShape, ...] = ()
    customers: tuple[_CustomerShape, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of file that a profile knows."""

    table: TableName
    export: str
    """What a person calls the file."""
    recognise: tuple[str, ...]
    """Columns that all files of this kind have, and hardly any other."""
    values: Mapping[str, Any]
    """The table of a mapping, as it stands in the file."""

    def lacks(self, columns: Collection[str]) -> tuple[str, ...]:
        """Returns the columns to recognise the kind by that are not among these."""
        present = {bare(column) for column in columns}
        return tuple(name for name in self.recognise if bare(name) not in present)

    def mapping_for(self, columns: Collection[str]) -> dict[str, Any]:
        """Returns the table of a mapping for a file.

        Names that differ from the file's only in case, spaces and signs become the file's; all
        columns that the shape names are optional, and no other is guessed.

        Args:
            columns: those of the file, as read.
        """
        written = {bare(column): column for column in columns}
        names: set[str] = set()

        def renamed(name: str) -> str:
            name = name if name in columns else written.get(bare(name), name)
            names.add(name)
            return name

        values = _with_columns(self.values, renamed)
        return {"guess": False, **values, "optional": sorted(names)}


@dataclass(frozen=True, slots=True)
class Profile:
    """A ready mapping, for all kinds of files of one system."""

    name: str
    title: str
    about: str
    shapes: tuple[Shape, ...]


@cache
def shipped_profiles() -> tuple[Profile, ...]:
    """Returns the profiles that come with this package, by name."""
    return tuple(_load(file) for file in sorted(FOLDER.glob("*.toml")))


def find_profile(name: str) -> Profile:
    """Returns a profile by its name, or from a file of one's own.

    Raises:
        ConfigError: there is none of the name, or the file cannot be used.
    """
    if name.endswith(".toml"):
        return _load(Path(name))
    for profile in shipped_profiles():
        if profile.name == name:
            return profile
    names = ", ".join(profile.name for profile in shipped_profiles())
    message = (
        f"there is no profile {name!r}; there are {names}, `none`, and files of your own (.toml)"
    )
    raise ConfigError(message, profile=name)


def laid_over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a shape's table of a mapping with a user's laid over it.

    What a user says of one of our columns replaces every other way in which the shape gives it.
    """
    base = dict(base)
    columns, constants = own.get("columns", {}), own.get("constants", {})
    if "line_value" in own or "unit_price" in {*columns, *constants}:
        base.pop("line_value", None)
        base["columns"] = _without(base.get("columns", {}), ["unit_price"])
    if "time_parts" in own or "event_time" in {*columns, *constants}:
        base.pop("time_parts", None)
        base["columns"] = _without(base.get("columns", {}), ["event_time"])
    if "properties" in columns or "properties" in constants:
        base.pop("properties", None)
    base["columns"] = _without(base.get("columns", {}), constants)
    if "constants" in base:
        base["constants"] = _without(base["constants"], columns)
    return merge(base, own)


def checked(values: Mapping[str, Any], where: str) -> FileMappings:
    """Returns a whole mapping from its values.

    Raises:
        ConfigError: something in it is unknown or contradicts itself.
    """
    return validated(FileMappings, values, where=where)


def _load(file: Path) -> Profile:
    values = read_toml(file)
    parsed = validated(_ProfileFile, values, where=str(file))
    shapes = tuple(
        Shape(
            table,
            shape["export"],
            tuple(shape["recognise"]),
            {key: value for key, value in shape.items() if key not in {"export", "recognise"}},
        )
        for table in TABLES
        for shape in values.get(table, ())
    )
    return Profile(file.stem, parsed.title, parsed.about, shapes)


def _without(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}


_NO_COLUMNS = frozenset(
    {"constants", "event_types", "missing", "any_of", "pattern", "text", "zone", "time_format"}
    | {"more_time_formats", "encoding", "delimiter", "quote", "files", "header", "prefix"}
    | {"separator", "field_separator", "pair_separator", "last", "name", "records", "id_width"}
    | {"category_separator", "categories_separator", "tags_separator"}
)
"""Settings whose texts are no columns of the file."""
_KEYED = frozenset(
    {"require", "exclude", "when", "rows", "unavailable", "available_when", "missing_in", "on"}
)
"""Settings whose keys are columns."""


def _with_columns(value: Any, change: Callable[[str], str], key: str = "") -> Any:  # noqa: ANN401 - any TOML
    """Returns a table of a mapping in which every name of a column of the file is changed."""
    if key in _NO_COLUMNS:
        return value
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_with_columns(part, change, key) for part in value]
    if isinstance(value, Mapping):
        inner = "when" if key == "type_when" else None
        return {
            change(name) if key in _KEYED else name: (
                part if key == "missing_in" else _with_columns(part, change, inner or name)
            )
            for name, part in value.items()
        }
    return value
