"""What a file is by its first bytes, whatever its name says."""

from collections.abc import Mapping
from pathlib import Path

from recsys.errors import DataError

_SIGNATURES: Mapping[bytes, str] = {
    b"PAR1": "a Parquet file: give it a name that ends in .parquet",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save the sheet as CSV",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database: export the table as CSV",
    b"ARROW1": "an Arrow file: save it as Parquet",
}
_LONGEST = max(map(len, _SIGNATURES))


def refuse_other_kind(file: Path, kind: str) -> None:
    """Refuses a file that is named as text but begins as something else.

    Args:
        file: that is to be read; one that cannot be opened is left to its reader.
        kind: what it is read as, such as `CSV`.

    Raises:
        DataError: it is something else; the text says what, and what to do.
    """
    try:
        with file.open("rb") as opened:
            start = opened.read(_LONGEST)
    except OSError:
        return
    for signature, name in _SIGNATURES.items():
        if start.startswith(signature):
            message = f"{file}: is read as {kind} by its name, but begins as {name}"
            raise DataError(message, file=str(file))
