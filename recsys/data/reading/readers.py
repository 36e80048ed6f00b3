"""Finds and opens input files: Parquet, CSV and JSON Lines, one file, a folder or a pattern."""

from glob import glob, has_magic
from pathlib import Path

from recsys.data.file_kinds import refuse_other_kind
from recsys.data.reading.csv_reader import open_csv
from recsys.data.reading.jsonl_reader import open_jsonl
from recsys.data.reading.parquet_reader import open_parquet
from recsys.data.reading.raw import RawTable
from recsys.errors import DataError

_COMPRESSED = (".gz", ".zst")
_KINDS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}


def find_files(source: str) -> tuple[Path, ...]:
    """Returns the input files that a path names, sorted: a file, a folder's, or a pattern's.

    Raises:
        DataError: there is no such file, or none of a kind that can be read.
    """
    path = Path(source)
    if path.is_file():
        return (path,)
    if path.is_dir():
        found = [file for file in path.rglob("*") if file.is_file() and _is_data(file, path)]
    elif has_magic(source):
        # Path.glob refuses absolute patterns.
        names = glob(source, recursive=True)  # noqa: PTH207
        found = [Path(name) for name in names if Path(name).is_file()]
    else:
        message = f"{source}: there is no such file or folder"
        raise DataError(message, file=source)
    if not found:
        message = f"{source}: holds no file that can be read ({', '.join(_KINDS)}, .gz, .zst)"
        raise DataError(message, file=source)
    return tuple(sorted(found))


def open_table(file: Path, *, delimiter: str | None = None, quote: str = '"') -> RawTable:
    """Opens one file by the ending of its name.

    Args:
        file: what to open; `.gz` and `.zst` may follow the ending of a text file.
        delimiter: for CSV; None: guessed.
        quote: for CSV; empty: quotes mean nothing.

    Raises:
        DataError: the ending is unknown, or the file is missing, empty or damaged.
    """
    kind = _kind(file)
    if kind == "parquet":
        return open_parquet(file)
    if kind == "jsonl":
        refuse_other_kind(file, "JSON Lines")
        return open_jsonl(file)
    if kind == "csv":
        refuse_other_kind(file, "CSV")
        tab = "\t" if ".tsv" in file.suffixes else None
        return open_csv(file, delimiter=delimiter or tab, quote=quote)
    message = f"{file}: the ending is none of {', '.join(_KINDS)} (.gz and .zst may follow)"
    raise DataError(message, file=str(file))


def _is_data(file: Path, folder: Path) -> bool:
    """Says whether a file of a folder is one to read; what begins with _ or . describes others."""
    names = file.relative_to(folder).parts
    return _kind(file) is not None and not any(name.startswith(("_", ".")) for name in names)


def _kind(file: Path) -> str | None:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return _KINDS.get(suffixes[-1]) if suffixes else None
