"""Mistakes in a configuration are told with file, line, what is wrong and what was meant."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from recsys.config import StrictModel, read_toml_file, validated
from recsys.errors import ConfigError, did_you_mean, file_fault
from recsys.fitting.config import load_config


class Dog(StrictModel):
    kind: Literal["dog"]
    legs: int = 4


class Bird(StrictModel):
    kind: Literal["bird"]
    wings: int = 2


class Home(StrictModel):
    pets: dict[str, Annotated[Dog | Bird, Field(discriminator="kind")]] = Field(
        default_factory=dict
    )
    rooms: tuple[Dog, ...] = ()
    address: str = ""


def told(tmp_path: Path, text: str) -> str:
    file = tmp_path / "home.toml"
    file.write_text(text)
    values, lines = read_toml_file(file)
    with pytest.raises(ConfigError) as caught:
        validated(Home, values, where=str(file), lines=lines)
    return str(caught.value).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('adress = "a"', "home.toml:1: adress: there is no such key; did you mean 'address'?"),
        (
            'address = "a"\n[pets.tom]\nkind = "bird"\nwing = 1',
            "home.toml:4: pets.tom.bird.wing: there is no such key; did you mean 'wings'?",
        ),
        (
            '[pets.rex]\nkind = "dog"\nwings = 1',
            "home.toml:3: pets.rex.dog.wings: there is no such key; there are kind, legs",
        ),
        (
            '[[rooms]]\nkind = "dog"\n[[rooms]]\nkind = "dog"\nlegz = 1',
            "home.toml:5: rooms.1.legz: there is no such key; did you mean 'legs'?",
        ),
        ("address = 5", "home.toml:1: address: Input should be a valid string"),
    ],
)
def test_a_wrong_key_is_told_with_what_was_meant(tmp_path: Path, text: str, expected: str) -> None:
    assert told(tmp_path, text) == expected


def test_a_configuration_names_the_line_of_each_mistake(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        "# mine\n[models.taste]\nembedding_sise = 8\n[placements.for_you]\nlimits = 3\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"{file}:3: models.taste.")
    assert lines[0].endswith("there is no such key; did you mean 'embedding_size'?")
    assert lines[1].startswith(f"{file}:5: placements.for_you.limits: there is no such key")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.toml", b"a = 1\nb = '\xe9'\n", "a.toml:2: is not UTF-8 text: save it with"),
        ("a.yaml", b"a:\n  b: 1\n", ".yaml is not read: write TOML"),
        ("a.toml", b"a = \n", "a.toml: not valid TOML: Invalid value (at line 1"),
    ],
)
def test_a_file_that_is_not_toml_is_told(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_toml_file(tmp_path / name)
    assert expected in str(caught.value)


def test_what_the_system_refuses_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{tmp_path}: is a folder, a file is needed"):
        read_toml_file(tmp_path)
    assert file_fault(OSError(28, "x", "f")) == (
        "f: cannot be written: the disk is full: make room, then do it again"
    )
    assert file_fault(OSError(30, "x"), Path("f")).startswith(
        "f: lies on a disk that is read-only"
    )
    assert file_fault(OSError(5, "Input/output error", "f")) == "f: Input/output error"
    assert file_fault(OSError("odd")) == "odd"


def test_only_what_is_alike_is_offered() -> None:
    assert did_you_mean("For_Yu", ["for_you", "popular"]) == "; did you mean 'for_you'?"
    assert did_you_mean("zebra", ["for_you", "popular"]) == ""
