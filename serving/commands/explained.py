"""How a command of ours ends where the operator can act: a sentence and a status."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from recsys.errors import (
    ConfigError,
    InvalidFilterError,
    InvalidQueryError,
    RecsysError,
    UnknownPlacementError,
    file_fault,
)

_WRONG_USAGE = (ConfigError, InvalidFilterError, InvalidQueryError, UnknownPlacementError)


@contextmanager
def explained() -> Iterator[None]:
    """Ends with a sentence instead of a traceback: status 2 for what was asked, 1 for the rest."""
    try:
        yield
    except _WRONG_USAGE as error:
        _fail(str(error), 2)
    except RecsysError as error:
        _fail(str(error), 1)
    except OSError as error:
        _fail(file_fault(error), 1)


def _fail(text: str, status: int) -> NoReturn:
    print(f"error: {text}", file=sys.stderr)  # noqa: T201  for a person, before any log line
    raise typer.Exit(status)
