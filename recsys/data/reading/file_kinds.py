"""Says what to do with files of kinds that are not read."""

from collections.abc import Collection
from pathlib import Path

_PACKED = frozenset({".gz", ".zst"})
_SPREADSHEET = "open it in the spreadsheet program and save the sheet as CSV (UTF-8)"
_TEXT_PACKED = "unpack it, or pack the text file itself by gzip (.gz) or zstd (.zst)"
_ADVICE = {
    ".xlsx": _SPREADSHEET,
    ".xlsm": _SPREADSHEET,
    ".xlsb": _SPREADSHEET,
    ".xls": _SPREADSHEET,
    ".ods": _SPREADSHEET,
    ".numbers": _SPREADSHEET,
    ".zip": "unzip it and give the file or the folder that was in it",
    ".7z": "unpack it and give the file or the folder that was in it",
    ".rar": "unpack it and give the file or the folder that was in it",
    ".tar": "unpack it (tar xf) and give the folder",
    ".tgz": "unpack it (tar xf) and give the folder",
    ".bz2": _TEXT_PACKED,
    ".xz": _TEXT_PACKED,
    ".lz4": _TEXT_PACKED,
    ".avro": "convert it to Parquet or JSON Lines",
    ".orc": "convert it to Parquet",
    ".sqlite": "export its table as CSV",
    ".sqlite3": "export its table as CSV",
    ".db": "export its table as CSV",
    ".mdb": "export its table as CSV",
    ".sql": "load it into the database, and export the table as CSV",
    ".xml": "export it as CSV or JSON",
    ".html": "export it as CSV",
    ".pdf": "export it as CSV",
    ".pkl": "save the data frame as Parquet",
    ".pickle": "save the data frame as Parquet",
    ".rds": "save the data frame as Parquet or CSV",
    ".sas7bdat": "convert it to Parquet or CSV",
    ".dta": "convert it to Parquet or CSV",
    ".sav": "convert it to Parquet or CSV",
    ".h5": "save the table as Parquet",
    ".hdf5": "save the table as Parquet",
    ".crdownload": "its download has not ended",
    ".part": "its download has not ended",
}


def advice_for(file: Path, readable: Collection[str]) -> str:
    """Returns what to do with a file that is not read; empty: its kind is unknown.

    Args:
        file: only its name counts.
        readable: endings of what is read.
    """
    suffixes = [suffix.lower() for suffix in file.suffixes] or [""]
    if suffixes[-1] in _PACKED and len(suffixes) > 1:
        inner = suffixes[-2]
        if inner in readable:
            return f"unpack it: {inner} is compressed inside already"
        if inner in _ADVICE:
            return f"unpack it; then {_ADVICE[inner]}"
    return _ADVICE.get(suffixes[-1], "")
