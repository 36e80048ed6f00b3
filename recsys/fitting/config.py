"""The configuration of a fit: the default, and a file's changes to it."""

import tomllib
from importlib.resources import files
from pathlib import Path

from recsys.assembly import FitConfig
from recsys.config import merge, read_toml_file, validated
from recsys.errors import ConfigError

__all__ = ["FitConfig", "load_config"]

EXTENDS = "extends"
BASES = ("default", "nothing")


def load_config(path: Path | None = None) -> FitConfig:
    """Returns the default configuration with a file's tables laid over it.

    A file that says `extends = "nothing"` stands alone.

    Raises:
        ConfigError: the file is missing, is not TOML, or has wrong fields: all are named.
    """
    default = tomllib.loads(files("recsys.fitting").joinpath("default.toml").read_text("utf-8"))
    changes, lines = read_toml_file(path) if path else ({}, None)
    base = changes.pop(EXTENDS, "default")
    if base not in BASES:
        message = f"{path}: {EXTENDS}: must be one of {', '.join(BASES)}, not {base!r}"
        raise ConfigError(message, file=str(path))
    parts = changes if base == "nothing" else merge(default, changes)
    return validated(FitConfig, parts, where=str(path or "default.toml"), lines=lines)
