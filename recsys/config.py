"""Strict configuration values, and how a TOML file becomes one."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from recsys.errors import ConfigError, did_you_mean, file_fault
from recsys.toml_lines import TomlLines

# A validator of several fields names the one that it is about: "end_time: is not after ...".
_OWN_PATH = re.compile(r"Value error, ([\w-]+(?:\.[\w-]+)*): ")
_OTHER_FORMATS = frozenset({".yaml", ".yml", ".json", ".ini", ".cfg"})
_EXTRA = "extra_forbidden"
_MOST_KEYS = 20
"""Keys that an error lists; a model with more is told by the closest alone."""


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
        raise ConfigError(file_fault(error, path), file=str(path)) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        message = f"{path}:{line}: is not UTF-8 text: save it with the encoding UTF-8"
        raise ConfigError(message, file=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        message = f"{path}: not valid TOML: {error}{_other_format(path)}"
        raise ConfigError(message, file=str(path)) from error


def _other_format(path: Path) -> str:
    """Returns how TOML is written, for a file whose name says that it is something else."""
    if path.suffix.lower() not in _OTHER_FORMATS:
        return ""
    return (
        f". {path.suffix} is not read: write TOML, tables as [placements.for_you], keys as a = 1"
    )


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
        message = "\n".join(problems(error, where, lines, kind))
        raise ConfigError(message, where=where) from error


def problems(
    error: ValidationError,
    where: str,
    lines: TomlLines | None = None,
    kind: type[BaseModel] | None = None,
) -> list[str]:
    """Returns one line per wrong field: where, its dotted path, and what is wrong with it.

    Args:
        error: what pydantic found.
        where: the file.
        lines: of that file; None: they are not known.
        kind: what was validated, to say which keys there are; None: it is not said.
    """
    return [
        f"{_place(problem['loc'], problem['msg'], where, lines)}: "
        f"{'.'.join(str(part) for part in problem['loc'])}: "
        f"{fault_text(problem['type'], problem['loc'], problem['msg'], kind)}"
        for problem in error.errors()
    ]


def fault_text(
    fault: str, path: tuple[str | int, ...], message: str, kind: type[BaseModel] | None
) -> str:
    """Returns what is wrong with a field; of a key that there is not, which was probably meant.

    Args:
        fault: pydantic's name of it.
        path: to the field.
        message: pydantic's words.
        kind: what was validated; None: it is not known.
    """
    return _unknown_key(path, kind) if fault == _EXTRA else message.removeprefix("Value error, ")


def _unknown_key(path: tuple[str | int, ...], kind: type[BaseModel] | None) -> str:
    """Returns that there is no such key, and which was probably meant."""
    text = "there is no such key"
    if kind is None:
        return text
    names = list(
        dict.fromkeys(name for model in _models(kind, path) for name in model.model_fields)
    )
    hint = did_you_mean(str(path[-1]), names)
    return text + (hint or (f"; there are {', '.join(names)}" if len(names) <= _MOST_KEYS else ""))


def _models(kind: type[BaseModel], path: tuple[str | int, ...]) -> list[type[BaseModel]]:
    """Returns the models that stand where a path leads, without its last part.

    Parts that name no field are passed over: keys of a mapping, places in a list, and words that
    pydantic puts between, such as the kind of one of several models.
    """
    models: list[type[BaseModel]] = [kind]
    for part in path[:-1]:
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        if fields:
            models = [found for field in fields for found in _models_in(field.annotation)]
        tagged = [model for model in models if part in _tags(model)]
        models = tagged or models
    return models


def _models_in(annotation: object) -> list[type[BaseModel]]:
    """Returns the models that a type is made of, such as those of a mapping's values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _tags(model: type[BaseModel]) -> tuple[object, ...]:
    """Returns the values of a model's `kind`, by which one of several is told."""
    field = model.model_fields.get("kind")
    return () if field is None else get_args(field.annotation)


def _place(path: tuple[str | int, ...], message: str, where: str, lines: TomlLines | None) -> str:
    if lines is None:
        return where
    own = _OWN_PATH.match(message)
    return lines.place(where, (*path, *own.group(1).split(".")) if own else path)
