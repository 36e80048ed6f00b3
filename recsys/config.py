"""Strict configuration values, and how a TOML file becomes one."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from recsys.errors import ConfigError
from recsys.toml_lines import TomlLines

# A validator of several fields names the one that it is about: "end_time: is not after ...".
_OWN_PATH = re.compile(r"Value error, ([\w-]+(?:\.[\w-]+)*): ")


class StrictModel(BaseModel):
    """An immutable value that refuses unknown keys, so that a typo in a file is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


ConfigT = TypeVar("ConfigT", bound=StrictModel)


class TomlFile(NamedTuple):
    """A TOML file that was read, with the place of everything in it."""

    values: dict[str, Any]
    lines: TomlLines


def read_toml(path: Path) -> dict[str, Any]:
    """Reads a TOML file.

    Raises:
        ConfigError: the file cannot be read or is not TOML; the text names line and column.
    """
    return read_toml_file(path).values


def read_toml_file(path: Path) -> TomlFile:
    """Reads a TOML file whose mistakes are told with their lines.

    Raises:
        ConfigError: the file cannot be read or is not TOML; the text names line and column.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return TomlFile(tomllib.loads(text), TomlLines(text))
    except FileNotFoundError:
        message = f"{path}: there is no such file"
        raise ConfigError(message, file=str(path)) from None
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError(message, file=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path}: not valid TOML: {error}"
        raise ConfigError(message, file=str(path)) from error


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `base` with `changes` laid over it, table by table; lists are replaced whole."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(old, value)
        else:
            merged[key] = value
    return merged


def validated(
    kind: type[ConfigT],
    values: Mapping[str, Any],
    *,
    where: str,
    lines: TomlLines | None = None,
) -> ConfigT:
    """Validates `values`, naming every wrong field at once.

    Args:
        kind: what the values must be.
        values: as they were read.
        where: the file, for the error.
        lines: of that file, to name the line of each wrong field; None: they are not known.

    Raises:
        ConfigError: one line per wrong field: `where`, or `where:line`, its dotted path and what
            is wrong with it.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        message = "\n".join(problems(error, where, lines))
        raise ConfigError(message, where=where) from error


def problems(error: ValidationError, where: str, lines: TomlLines | None = None) -> list[str]:
    """Returns one line per wrong field: where, its dotted path, and what is wrong with it."""
    return [
        f"{_place(problem['loc'], problem['msg'], where, lines)}: "
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
        for problem in error.errors()
    ]


def _place(path: tuple[str | int, ...], message: str, where: str, lines: TomlLines | None) -> str:
    if lines is None:
        return where
    own = _OWN_PATH.match(message)
    return lines.place(where, (*path, *own.group(1).split(".")) if own else path)
