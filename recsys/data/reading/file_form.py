"""How one file is written: what a reader must know before it can cut the file into rows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileForm:
    """Settings of a reader; what a kind of file does not need has no effect on it."""

    delimiter: str | None = None
    """CSV: one to three characters between fields; None: guessed."""
    quote: str = '"'
    """CSV: around fields; empty: quotes mean nothing."""
    encoding: str | None = None
    """Text files: name of a Python codec; None: UTF-8, or what the file shows beyond doubt."""
    skip_rows: int = 0
    """CSV: lines above the header that are no part of the table."""
    header: tuple[str, ...] = ()
    """CSV: names of the columns of a file whose first line is data."""
    records: str | None = None
    """JSON: key of the list of records in a file that is one object; None: the only list."""
