"""Learns what a file of JSON objects holds, and which columns that makes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MAX_FIELDS = 500
"""An object with more different keys is a map: it stays JSON text."""

MAX_DEPTH = 10
"""What lies deeper stays JSON text."""

MAX_COLUMNS = 10_000

_SCALARS = frozenset({str, bool, type(None)})


class Shape:
    """What was seen at one place of the objects: scalars, objects, lists, or several of them."""

    __slots__ = (
        "element",
        "fields",
        "is_map",
        "seen_bool",
        "seen_list",
        "seen_object",
        "seen_text",
    )

    def __init__(self) -> None:
        self.fields: dict[str, Shape] = {}
        self.element: Shape | None = None
        """What the lists hold; None: they were empty, or there was none."""
        self.seen_text = self.seen_bool = self.seen_list = self.seen_object = False
        self.is_map = False
        """Too many keys, or too deep, to be columns."""

    def add(self, value: object, depth: int = 0) -> None:
        """Takes one more value, whose numbers are text; of a root also its keys, at depth 0."""
        if isinstance(value, str):
            self.seen_text = True
        elif isinstance(value, dict):
            self.seen_object = True
            if not self.is_map:
                self._add_fields(value, depth)
        elif isinstance(value, list):
            self.seen_list = True
            self._add_elements(value, depth)
        elif value is not None:
            self.seen_bool = True

    def _add_fields(self, value: Mapping[str, object], depth: int) -> None:
        fields = self.fields
        for key, part in value.items():
            field = fields.get(key)
            if field is None:
                if depth and (len(fields) >= MAX_FIELDS or depth > MAX_DEPTH):
                    self.is_map = True
                    fields.clear()
                    return
                field = fields[key] = Shape()
            if type(part) is str:
                field.seen_text = True
            elif part is not None:
                field.add(part, depth + 1)

    def _add_elements(self, values: list[object], depth: int) -> None:
        if depth > MAX_DEPTH:
            self.is_map = True
            return
        if self.element is None and values:
            self.element = Shape()
        if self.element is not None:
            for part in values:
                self.element.add(part, depth + 1)

    @property
    def is_record(self) -> bool:
        """Says whether only objects with fields of their own were seen."""
        single = not (self.seen_text or self.seen_bool or self.seen_list or self.is_map)
        return single and bool(self.fields)

    @property
    def is_list(self) -> bool:
        """Says whether only lists were seen."""
        single = not (self.seen_text or self.seen_bool or self.seen_object or self.is_map)
        return single and self.seen_list

    @property
    def is_scalar(self) -> bool:
        """Says whether neither objects nor lists were seen."""
        return not (self.seen_object or self.seen_list)


class ShapeReader:
    """Adds the objects of a file to a shape, and is quick where they are flat and alike."""

    def __init__(self) -> None:
        self.root = Shape()
        self._flat: set[tuple[object, ...]] = set()

    def add(self, found: dict[str, object]) -> None:
        """Takes one object."""
        kinds = tuple(map(type, found.values()))
        key = (*found, *kinds)
        if key in self._flat:
            return
        self.root.add(found)
        if _SCALARS.issuperset(kinds) and len(self._flat) < MAX_COLUMNS:
            self._flat.add(key)


@dataclass(frozen=True, slots=True)
class JsonColumn:
    """One column of the table, and where its values lie in the objects."""

    name: str
    path: tuple[str, ...]
    shape: Shape
    nested: bool
    """False: a text, whatever was seen."""


def json_columns(root: Shape) -> tuple[tuple[JsonColumn, ...], tuple[str, ...]]:
    """Returns the columns of objects, and what to note.

    Every key is a column; of an object also what it holds, under `key.inner`. A key that is
    written `key.inner` comes before an object's.
    """
    columns: list[JsonColumn] = []
    notes: list[str] = []
    names = set(root.fields)
    for key, shape in root.fields.items():
        columns.append(JsonColumn(key, (key,), shape, nested=shape.is_list))
        if not shape.seen_object:
            continue
        leaves = list(_leaves(shape, (key,)))
        maps = [".".join(leaf.path) for leaf in leaves if leaf.shape.is_map]
        maps += [key] if shape.is_map else []
        if len(leaves) > MAX_FIELDS:
            leaves, maps = [], [key]
        notes += [f"{name} holds too many different keys: it is JSON text alone" for name in maps]
        for leaf in leaves:
            if leaf.name not in names:
                names.add(leaf.name)
                columns.append(leaf)
    return tuple(columns), tuple(notes)


def _leaves(shape: Shape, path: tuple[str, ...]) -> Iterator[JsonColumn]:
    for key, field in shape.fields.items():
        below = (*path, key)
        if not field.is_record:
            yield JsonColumn(".".join(below), below, field, nested=field.is_list)
        yield from _leaves(field, below)
