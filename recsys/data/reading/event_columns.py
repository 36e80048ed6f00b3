"""Settles where the columns of an events file come from."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from recsys.data.event_names import bare
from recsys.data.reading.columns import (
    MappedColumn,
    how_named,
    match_columns,
    missing_columns,
    require_columns,
    several,
)
from recsys.data.reading.guess import EVENT_NAMES
from recsys.data.reading.mapping import EventMapping
from recsys.types import EventType


@dataclass(frozen=True, slots=True)
class EventColumns:
    """Where each event column of one file comes from."""

    sources: Mapping[str, tuple[str, ...]]
    """Our column -> the file's, of which the first with a value counts; under `unit_price` the
    line's value, where the mapping has one; under `event_time` the parts of a time."""
    constants: Mapping[str, str]
    notes: tuple[MappedColumn, ...]


def match_event_columns(
    file: Path,
    columns: tuple[str, ...],
    mapping: EventMapping,
    *,
    guessed: Collection[str] = (),
) -> EventColumns:
    """Settles the columns of an events file; without an event type, every row is a purchase.

    Args:
        file: named in errors.
        columns: the file's columns.
        mapping: what the retailer says.
        guessed: parts of the time in the mapping that nobody named.

    Raises:
        DataError: a needed column is missing; the text says how to name it.
    """
    line_value = _single(file, columns, mapping, mapping.line_value)
    properties = tuple(name for name in mapping.properties if name in columns)
    time_parts = tuple(name for name in mapping.time_parts if name in columns)
    if mapping.time_parts[:1] != time_parts[:1]:
        # A time of day without its date is no time.
        time_parts = ()
    _require_named(file, columns, mapping)
    taken = [*mapping.constants, *(["unit_price"] if line_value else [])]
    taken += [
        *(["properties"] if properties else []),
        *(["event_time"] if time_parts else []),
    ]
    given = several(mapping.columns)
    matched, notes = match_columns(
        file,
        columns,
        given,
        EVENT_NAMES,
        taken=taken,
        optional=mapping.optional,
        guess=mapping.guess,
    )
    if _is_till(matched, given):
        matched.pop("visitor_id")
        notes = tuple(note for note in notes if note.ours != "visitor_id")
    sources, constants = dict(matched), dict(mapping.constants)
    more = [MappedColumn(ours, repr(value), "constant", ()) for ours, value in constants.items()]
    if line_value is not None:
        sources["unit_price"] = (line_value,)
        how = how_named([line_value], mapping.optional)
        source = f"{line_value} / quantity"
        more.append(MappedColumn("unit_price", source, how, (line_value,)))
    if properties:
        how = how_named(properties, mapping.optional)
        more.append(MappedColumn("properties", " + ".join(properties), how, properties))
    if time_parts:
        sources["event_time"] = time_parts
        how = "guessed" if guessed else how_named(time_parts, mapping.optional)
        more.append(MappedColumn("event_time", " + ".join(time_parts), how, time_parts))
    more += _defaults(file, columns, sources, constants)
    return EventColumns(sources, constants, (*notes, *more))


def _is_till(sources: Mapping[str, tuple[str, ...]], given: Mapping[str, tuple[str, ...]]) -> bool:
    """Says whether a device was guessed to be a visitor although the file names customers.

    Beside customers a device is often a till, which would be one visitor with all its sales.
    """
    visitor = sources.get("visitor_id", ())
    guessed = "visitor_id" not in given and "customer_id" in sources
    return guessed and bool(visitor) and bare(visitor[0]) == "deviceid"


def named_columns(mapping: EventMapping) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Returns each setting that names columns of the file, beyond `columns`, with these."""
    ours = EVENT_NAMES.keys()
    rules = {
        "require": mapping.require,
        "exclude": mapping.exclude,
        **{f"type_when.{kind}": rules for kind, rules in mapping.type_when.items()},
        **{f"mentions[{n}].rows": mention.rows for n, mention in enumerate(mapping.mentions)},
    }
    column = mapping.returns.column
    return (
        ("missing_in", tuple(mapping.missing_in)),
        ("line_value", () if mapping.line_value is None else (mapping.line_value,)),
        ("properties", mapping.properties),
        ("time_parts", mapping.time_parts),
        ("returns.column", () if column is None else (column,)),
        ("returns.when", tuple(mapping.returns.when)),
        *((name, tuple(c for c in rule if c not in ours)) for name, rule in rules.items()),
    )


def named_by(mapping: EventMapping) -> tuple[str, ...]:
    """Returns all columns of the file that a mapping names."""
    columns = [name for theirs in several(mapping.columns).values() for name in theirs]
    return (*columns, *(name for _, names in named_columns(mapping) for name in names))


def _require_named(file: Path, columns: tuple[str, ...], mapping: EventMapping) -> None:
    for setting, wanted in named_columns(mapping):
        require_columns(file, columns, wanted, setting, mapping.optional)


def _single(
    file: Path, columns: tuple[str, ...], mapping: EventMapping, name: str | None
) -> str | None:
    """Returns a column that a setting names; None where the file may and does lack it."""
    if name is None:
        return None
    require_columns(file, columns, [name], "line_value", mapping.optional)
    return name if name in columns else None


def _defaults(
    file: Path,
    columns: tuple[str, ...],
    sources: Mapping[str, tuple[str, ...]],
    constants: dict[str, str],
) -> list[MappedColumn]:
    """Adds the type of events that name none to `constants`, and refuses what cannot do without.

    Raises:
        DataError: a needed column is missing.
    """
    present = {*sources, *constants}
    needed = ["event_time"]
    notes = []
    if "visitor_id" not in present:
        needed.append("customer_id")
    if "event_type" not in present:
        constants["event_type"] = EventType.PURCHASE.value
        notes.append(MappedColumn("event_type", repr(EventType.PURCHASE.value), "default", ()))
        needed.append("item_id")
    missing = [ours for ours in EVENT_NAMES if ours in needed and ours not in present]
    if missing:
        raise missing_columns(file, columns, missing, "events")
    return notes
