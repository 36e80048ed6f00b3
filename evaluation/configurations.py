"""Which configurations a comparison is about: files, the default, baselines."""

from collections.abc import Sequence
from pathlib import Path

import typer

from recsys.assembly import FitConfig
from recsys.backtest.baselines import baselines
from recsys.backtest.rows import DEFAULT_CONFIGURATION
from recsys.fitting.config import load_config

LEAST = 2


def configurations(asked: Sequence[str]) -> dict[str, FitConfig]:
    """Returns configurations by name, in their order.

    Args:
        asked: `default`, the names of baselines, and paths of TOML files, which are named after
            their stem.

    Raises:
        ConfigError: a file is missing or wrong.
        BadParameter: there are fewer than two, or two have one name.
    """
    known = {DEFAULT_CONFIGURATION: None, **baselines()}
    found: dict[str, FitConfig] = {}
    for text in asked:
        if text in known:
            name, config = text, known[text] or load_config()
        else:
            path = Path(text)
            name, config = path.stem, load_config(path)
        if name in found:
            message = f"--config: two configurations are named {name!r}; rename a file"
            raise typer.BadParameter(message)
        found[name] = config
    if len(found) < LEAST:
        message = "--config: give two or more, such as --config default --config mine.toml"
        raise typer.BadParameter(message)
    return found
