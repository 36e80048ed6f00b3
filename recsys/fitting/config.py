"""The configuration of a fit: the default, and a file's changes to it."""

import tomllib
from importlib.resources import files
from pathlib import Path

from recsys.assembly import FitConfig
from recsys.config import merge, read_toml, validated

__all__ = ["FitConfig", "load_config"]


def load_config(path: Path | None = None) -> FitConfig:
    """Returns the default configuration with a file's tables laid over it.

    Raises:
        ConfigError: the file is missing, is not TOML, or has wrong fields: all are named.
    """
    default = tomllib.loads(files("recsys.fitting").joinpath("default.toml").read_text("utf-8"))
    changes = read_toml(path) if path else {}
    return validated(FitConfig, merge(default, changes), where=str(path or "default.toml"))
