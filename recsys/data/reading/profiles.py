"""Profiles: ready mappings for the exports of shop systems and trackers, told by their headers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from recsys.config import StrictModel, merge, read_toml, validated
from recsys.data.reading.mapping import (
    CustomerMapping,
    EventMapping,
    ItemMapping,
)
from recsys.data.reading.mapping import (
    Mapping as FileMappings,
)
from recsys.data.reading.profile_columns import (
    begins_of_made,
    loose,
    names_in,
    ruled_in,
    with_columns,
    written_as,
)
from recsys.errors import ConfigError
from recsys.toml_lines import TomlLines

_OTHER_WAYS = {"line_value": "unit_price", "time_parts": "event_time", "properties": "properties"}
"""Setting -> our column, which it gives as `columns` and `constants` could."""
_WHOLE = frozenset({"explode", "fill_down", "order_times"})
"""Settings that a user says as a whole."""
_BY_NAME = frozenset(
    {"require", "exclude", "available_when", "unavailable", "type_when", "missing_in", "joins"}
)
"""Settings whose parts a user says as a whole."""

FOLDER = Path(__file__).parent / "profile_files"

TableName = Literal["events", "items", "customers"]
TABLES: tuple[TableName, ...] = ("events", "items", "customers")


class _Shape(StrictModel):
    export: str
    recognise: tuple[str, ...] = Field(min_length=1)
    exact: bool = False
    """A file is recognised only by columns that are written just so."""


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
    exact: bool
    """They must be written just so."""
    values: Mapping[str, Any]
    """The table of a mapping, as it stands in the file."""

    def lacks(self, columns: Collection[str]) -> tuple[str, ...]:
        """Returns the columns to recognise the kind by that are not among these."""
        if self.exact:
            return tuple(name for name in self.recognise if name not in columns)
        present = {loose(column) for column in columns}
        return tuple(name for name in self.recognise if loose(name) not in present)

    def mapping_for(self, columns: Collection[str]) -> dict[str, Any]:
        """Returns the table of a mapping for a file.

        Names that differ from the file's only in case, spaces and signs become the file's; all
        columns that the shape names are optional, and no other is guessed.

        Args:
            columns: those of the file, as read.
        """
        change = written_as(columns, begins_of_made(self.values))
        values = with_columns(self.values, change, columns)
        return {"guess": False, **values, "optional": sorted(names_in(values) | ruled_in(values))}


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

    What a user says of one of our columns replaces every other way in which the shape gives it,
    and a column that the user names is not optional, whatever the shape says.
    """
    base = dict(base)
    columns, constants = own.get("columns", {}), own.get("constants", {})
    replaced = {*columns, *constants}
    for setting, ours in _OTHER_WAYS.items():
        if setting in own:
            replaced.add(ours)
        if setting in own or ours in replaced:
            base.pop(setting, None)
    for setting in _WHOLE.intersection(own):
        base.pop(setting, None)
    for setting in _BY_NAME.intersection(own, base):
        base[setting] = _without(base[setting], own[setting])
    base["columns"] = _without(base.get("columns", {}), replaced - columns.keys())
    if "constants" in base:
        base["constants"] = _without(base["constants"], replaced - constants.keys())
    merged = merge(base, own)
    optional = set(base.get("optional", ())) - names_in(own) - ruled_in(own)
    return {**merged, "optional": sorted({*optional, *own.get("optional", ())})}


def checked(values: Mapping[str, Any], where: str, lines: TomlLines | None = None) -> FileMappings:
    """Returns a whole mapping from its values.

    Args:
        values: as they were read.
        where: names them in errors.
        lines: of the file, to name the line of what is wrong.

    Raises:
        ConfigError: something in it is unknown or contradicts itself.
    """
    return validated(FileMappings, values, where=where, lines=lines)


def _load(file: Path) -> Profile:
    values = read_toml(file)
    parsed = validated(_ProfileFile, values, where=str(file))
    shapes = tuple(
        Shape(
            table,
            shape["export"],
            tuple(shape["recognise"]),
            shape.get("exact", False),
            _without(shape, ("export", "recognise", "exact")),
        )
        for table in TABLES
        for shape in values.get(table, ())
    )
    return Profile(file.stem, parsed.title, parsed.about, shapes)


def _without(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}
