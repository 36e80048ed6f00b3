"""Finding lines: every key of any TOML text is found where it was written."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from recsys.config import StrictModel, read_toml_file, validated
from recsys.errors import ConfigError
from recsys.toml_lines import TomlLines

TEXT = '''# a shop
title = "A # no comment = none"
owner.name = 'Tom'

[rules.for_you."no \\"liquor\\" = here"] # after
kind = "exclude"
filter = """
not = "a key"
[not.a.table]
ends with two quotes"""""
dates = [
  1979-05-27 07:32:00, # first
  { a = 1, b = { c = [1, 2,
     { d = "}" }] } },
]

[[arms]]
name = "one"
[arms.deep]
x = 1
[[arms]]
name = "two"
[[arms.inner]]
y = \'\'\'
z = 3
\'\'\'
'''

FOUND = {
    ("title",): 2,
    ("owner",): 3,
    ("owner", "name"): 3,
    ("rules",): 5,
    ("rules", "for_you", 'no "liquor" = here'): 5,
    ("rules", "for_you", 'no "liquor" = here', "kind"): 6,
    ("rules", "for_you", 'no "liquor" = here', "filter"): 7,
    ("rules", "for_you", 'no "liquor" = here', "dates"): 11,
    ("rules", "for_you", 'no "liquor" = here', "dates", 0): 12,
    ("rules", "for_you", 'no "liquor" = here', "dates", 1): 13,
    ("rules", "for_you", 'no "liquor" = here', "dates", 1, "b", "c", 2, "d"): 14,
    ("arms",): 17,
    ("arms", 0, "name"): 18,
    ("arms", 0, "deep", "x"): 20,
    ("arms", 1): 21,
    ("arms", 1, "name"): 22,
    ("arms", 1, "inner", 0, "y"): 24,
}


def paths_in(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yields the path of everything that `tomllib` read."""
    inner: Mapping[str | int, object]
    match value:
        case dict():
            inner = value
        case list():
            inner = dict(enumerate(value))
        case _:
            return
    for key, each in inner.items():
        yield (*path, key)
        yield from paths_in(each, (*path, key))


def test_each_part_is_found_where_it_was_written() -> None:
    lines = TomlLines(TEXT)
    assert {path: lines.of(path) for path in FOUND} == FOUND


def test_every_part_that_the_reader_sees_is_found_and_no_other() -> None:
    lines = TomlLines(TEXT)
    assert all(lines.has(path) for path in paths_in(tomllib.loads(TEXT)))
    assert not lines.has(("not",))
    assert not lines.has(("z",))


def test_what_is_missing_stands_where_it_would_be() -> None:
    lines = TomlLines(TEXT)
    assert lines.of(("arms", 1, "weight")) == 21
    assert lines.of(("nothing",)) == 1
    # Words that a validator puts between are passed over.
    assert lines.of(("arms", "one-of-two", 1, "name")) == 22


KEYS = st.text(max_size=8).filter(lambda text: "\x7f" not in text)
VALUES = st.recursive(
    st.integers(-9, 9) | st.booleans() | KEYS | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def quoted(text: str) -> str:
    """Returns a text as TOML writes it."""
    return '"' + "".join(f"\\U{ord(char):08X}" for char in text) + '"'


def written(value: object, gap: str) -> str:
    """Returns a value as TOML, lists over several lines."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return quoted(value)
        case datetime():
            return value.isoformat(" " if gap else "T", "microseconds")
        case list():
            return f"[{gap}" + f",{gap}".join(written(each, gap) for each in value) + f"{gap}]"
        case dict():
            pairs = [f"{quoted(key)} = {written(each, gap)}" for key, each in value.items()]
            return "{" + ", ".join(pairs) + "}"
    raise TypeError(value)


@given(
    st.dictionaries(KEYS, VALUES, min_size=1, max_size=5),
    st.sampled_from(["", "\n", " # ] } [x]\n  "]),
)
def test_any_table_is_found_line_by_line(table: dict[str, object], gap: str) -> None:
    text, starts = "", {}
    for key, value in table.items():
        starts[key] = text.count("\n") + 1
        text += f"{quoted(key)} = {written(value, gap)} # end\n"
    assert tomllib.loads(text) == table
    lines = TomlLines(text)
    assert {key: lines.of((key,)) for key in table} == starts
    assert all(lines.has(path) for path in paths_in(table))


class _Cat(StrictModel):
    kind: Literal["cat"]
    lives: int = 9


class _Dog(StrictModel):
    kind: Literal["dog"]
    start: int = 0
    end: int = 1

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.end <= self.start:
            message = "end: is not after start"
            raise ValueError(message)
        return self


class _Home(StrictModel):
    pets: dict[str, Annotated[_Cat | _Dog, Field(discriminator="kind")]]


def test_wrong_fields_are_told_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "home.toml"
    path.write_text(
        '[pets.tom]\nkind = "cat"\n\nlives = "x"\n'
        '[pets.rex]\nkind = "dog"\nstart = 2\nend = 1\n'
        '[pets.bob]\nkind = "dog"\nwings = 2\n'
    )
    values, lines = read_toml_file(path)
    with pytest.raises(ConfigError) as error:
        validated(_Home, values, where=str(path), lines=lines)
    told = str(error.value).splitlines()
    assert told[0].startswith(f"{path}:4: pets.tom.cat.lives: Input should be a valid integer")
    assert told[1] == f"{path}:8: pets.rex.dog: end: is not after start"
    assert told[2].startswith(f"{path}:11: pets.bob.dog.wings: there is no such key")
