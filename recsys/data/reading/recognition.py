"""Recognises a retailer's files by their headers, and settles how they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from glob import escape
from os.path import commonpath
from pathlib import Path
from typing import Any

from recsys.data.reading.looks.look import listed
from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.mapping import Mapping as FileMappings
from recsys.data.reading.profiles import (
    TABLES,
    Profile,
    Shape,
    TableName,
    checked,
    find_profile,
    laid_over,
    shipped_profiles,
)
from recsys.data.reading.readers import find_files, open_table, readable_files
from recsys.data.reading.sources import Sources
from recsys.errors import DataError
from recsys.toml_lines import TomlLines

MOST_FILES = 50
"""So many files of a folder are opened to recognise them; all where these differ in kind."""
_SHOWN_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Recognised:
    """What one table's files were recognised as."""

    table: TableName
    profile: Profile
    shape: Shape
    files: tuple[Path, ...]
    given: bool
    """The person named these files as the table's; False: they lay beside the events."""

    def sentence(self) -> str:
        """Says in three short lines what was recognised, by which columns, and how to do without.

        Of many columns the first ones are named.
        """
        names = ", ".join(file.name for file in self.files[:3])
        more = f" and {len(self.files) - 3} more" if len(self.files) > 3 else ""  # noqa: PLR2004 - as shown
        columns = listed(self.shape.recognise, _SHOWN_COLUMNS)
        beside = ""
        if not self.given:
            own = _from_events(self)
            beside = " (the events' own files)" if own else " (found beside the events)"
        return (
            f"{self.table}: {names}{more}{beside} is {self.profile.title}, {self.shape.export}\n"
            f"  by the columns {columns}\n"
            f"  read with profile {self.profile.name}; --profile none reads without it"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """Which files are read, and how."""

    sources: Sources
    mapping: FileMappings
    recognised: tuple[Recognised, ...] = ()


def recognise(
    sources: Sources,
    own: Mapping[str, Any],
    profile: str | None = None,
    *,
    where: str = "mapping",
    lines: TomlLines | None = None,
) -> Plan:
    """Settles how the files are read: by a profile, with the user's own mapping laid over it.

    Where the profile knows more files of the same set (products beside orders), and none are
    given, these are read, too.

    Args:
        sources: as the person gave them.
        own: the user's mapping file, as read; empty where there is none.
        profile: the name of a profile, a file of one, `none`, or None: by the headers.
        where: names the user's mapping in errors.
        lines: of the user's mapping file, to name the line of what is wrong.

    Raises:
        ConfigError: the profile or the mapping cannot be used.
        DataError: the files are none that the named profile knows.
    """
    alone = checked(own, where, lines)
    if profile == "none" or sources.events is None:
        return Plan(sources, alone)
    candidates = shipped_profiles() if profile is None else (find_profile(profile),)
    given = {
        table: _headers(path, own, table, candidates) for table, path in sources.paths().items()
    }
    best = _best(candidates, given["events"], "events")
    if best is None and profile is not None and not _knows_any(candidates[0], given):
        raise _unlike(candidates[0], sources.events, given["events"])
    chosen: dict[TableName, Recognised] = {} if best is None else {"events": best}
    for table in TABLES[1:]:
        headers = given.get(table)
        if headers is not None:
            found = _best(candidates, headers, table)
        elif best is not None:
            found = _beside(best, table, sources.events, own)
        else:
            continue
        if found is not None:
            chosen[table] = replace(found, given=headers is not None)
    return _plan(sources, own, chosen, given, where)


_Headers = dict[Path, tuple[str, ...]]


def _plan(
    sources: Sources,
    own: Mapping[str, Any],
    chosen: Mapping[TableName, Recognised],
    given: Mapping[TableName, _Headers],
    where: str,
) -> Plan:
    values: dict[str, Any] = dict(own)
    for table, found in chosen.items():
        theirs = _own_of(own, table, found)
        columns = given.get(table, {}).get(found.files[0]) or _columns(found.files[0], theirs)
        base = found.shape.mapping_for(columns)
        own_files = _from_events(found) or found.given
        looked_at = given["events" if _from_events(found) else table] if own_files else {}
        if len(looked_at) > len(found.files) or (not own_files and len(found.files) > 1):
            base["files"] = [escape(file.name) for file in found.files]
        values[table] = laid_over(base, theirs)
    beside = {
        table: sources.events if _from_events(found) else _source_of(found)
        for table, found in chosen.items()
        if not found.given
    }
    whole = Sources(
        sources.events,
        beside.get("items", sources.items),
        beside.get("customers", sources.customers),
        sources.feeds,
    )
    return Plan(whole, checked(values, where), tuple(chosen.values()))


def _own_of(own: Mapping[str, Any], table: TableName, found: Recognised) -> dict[str, Any]:
    """Returns what the user says of a table; of the events' own files, what is said of these."""
    theirs = dict(own.get(table, {}))
    if not _from_events(found):
        return theirs
    events = own.get("events", {})
    for setting in (*_FORM, "missing", "files"):
        if setting in events:
            theirs.setdefault(setting, events[setting])
    item = events.get("columns", {}).get("item_id")
    if item is not None:
        theirs["columns"] = {"item_id": item, **theirs.get("columns", {})}
    return theirs


def _from_events(found: Recognised) -> bool:
    """Says whether a table is read from the events' own files."""
    return not found.given and bool(found.shape.values.get("from_events"))


def _source_of(found: Recognised) -> str:
    """Returns where files are that were not given: the file, or the folder of all."""
    if len(found.files) == 1:
        return str(found.files[0])
    return commonpath([file.parent for file in found.files])


def _headers(
    source: str, own: Mapping[str, Any], table: TableName, profiles: Sequence[Profile]
) -> _Headers:
    """Returns the columns of a source's files.

    Of many files only the first are looked at, where these are all of one kind.
    """
    theirs = own.get(table, {})
    files = find_files(source, tuple(theirs.get("files", ())))
    headers = {file: _columns(file, theirs) for file in files[:MOST_FILES]}
    best = _best(profiles, headers, table)
    rest = files[MOST_FILES:]
    if best is not None and len(best.files) == len(headers):
        return headers | dict.fromkeys(rest, headers[files[0]])
    return headers | {file: _columns(file, theirs) for file in rest}


_FORM = ("delimiter", "quote", "encoding", "skip_rows", "header", "records")


def _columns(file: Path, theirs: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the columns of a file; none where it cannot be read as the mapping says."""
    form = {name: theirs[name] for name in _FORM if name in theirs}
    try:
        return open_table(file, FileMapping.model_validate(form).form).columns
    except DataError:
        # Loading the file says what is wrong with it.
        return ()


def _best(profiles: Sequence[Profile], headers: _Headers, table: TableName) -> Recognised | None:
    """Returns the shape that the most columns speak for, with the files that are like it."""
    found: list[Recognised] = []
    for profile in profiles:
        for shape in profile.shapes:
            files = tuple(file for file, columns in headers.items() if not shape.lacks(columns))
            if shape.table == table and files:
                found.append(Recognised(table, profile, shape, files, given=True))
    return max(found, key=lambda one: len(one.shape.recognise), default=None)


def _beside(
    events: Recognised, table: TableName, source: str, own: Mapping[str, Any]
) -> Recognised | None:
    """Returns files of the same set: beside the events, or the events' own files."""
    profile = events.profile
    shapes = [shape for shape in profile.shapes if shape.table == table]
    from_events = [shape for shape in shapes if shape.values.get("from_events")]
    apart = tuple(shape for shape in shapes if shape not in from_events)
    if apart:
        deep = Path(source).is_dir()
        folder = Path(source) if deep else events.files[0].parent
        others = [f for f in readable_files(folder, deep=deep) if f not in events.files]
        theirs = own.get(table, {})
        headers = {file: _columns(file, theirs) for file in others[:MOST_FILES]}
        found = _best((replace(profile, shapes=apart),), headers, table)
        if found is not None:
            return found
    columns = _columns(events.files[0], own.get("events", {}))
    same = dict.fromkeys(events.files, columns)
    return _best((replace(profile, shapes=tuple(from_events)),), same, table)


def _knows_any(profile: Profile, given: Mapping[TableName, _Headers]) -> bool:
    return any(_best((profile,), headers, table) for table, headers in given.items())


def _unlike(profile: Profile, source: str, headers: _Headers) -> DataError:
    """Returns the error for files that a named profile does not know."""
    columns = next(iter(headers.values()), ())
    shapes = [shape for shape in profile.shapes if shape.table == "events"]
    nearest = min(shapes, key=lambda shape: len(shape.lacks(columns)), default=None)
    lacking = (
        ""
        if nearest is None
        else (
            f"; nearest is {nearest.export}, of which it lacks {', '.join(nearest.lacks(columns))}"
        )
    )
    message = (
        f"{source}: is no file that profile {profile.name} knows{lacking}; "
        f"its columns are {', '.join(columns)}"
    )
    return DataError(message, file=source)
