"""Errors of reading a file, told with the file's name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from recsys.errors import DataError


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Turns what a reader raises into an error that names the file.

    Raises:
        DataError: the file is missing, truncated, or not what its name says.
    """
    try:
        yield
    except FileNotFoundError:
        message = f"{file}: there is no such file"
        raise DataError(message, file=str(file)) from None
    except (pl.exceptions.PolarsError, OSError) as error:
        first_line = str(error).partition("\n")[0]
        message = (
            f"{file}: cannot be read: {first_line}. "
            "The file is damaged, cut short, or not of the kind that its name says"
        )
        raise DataError(message, file=str(file)) from error
