"""Finds and opens input files: Parquet, Arrow, CSV and JSON, one file, a folder or a pattern."""

from collections.abc import Sequence
from fnmatch import fnmatch
from glob import glob, has_magic
from pathlib import Path

from recsys.data.reading.arrow_reader import open_arrow
from recsys.data.reading.csv_reader import open_csv
from recsys.data.reading.file_form import FileForm
from recsys.data.reading.file_kinds import advice_for
from recsys.data.reading.jsonl_reader import open_jsonl
from recsys.data.reading.parquet_reader import open_parquet
from recsys.data.reading.raw import RawTable
from recsys.errors import DataError

_COMPRESSED = (".gz", ".zst")
_KINDS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}


def find_files(source: str, names: Sequence[str] = ()) -> tuple[Path, ...]:
    """Returns the input files that a path names, sorted: a file, a folder's, or a pattern's.

    Args:
        source: a file, a folder or a pattern.
        names: of several files, only those whose name fits one of these patterns; none: all.

    Raises:
        DataError: there is no such file, or none of a kind that can be read.
    """
    path = Path(source)
    if path.is_file():
        return (path,)
    there: list[Path] = []
    if path.is_dir():
        there = [file for file in path.rglob("*") if file.is_file() and _is_shown(file, path)]
        found = list(readable_files(path))
        if names and found:
            kept = [file for file in found if has_name(file, names)]
            if not kept:
                message = (
                    f"{source}: holds no file named {' or '.join(names)}; "
                    f"it holds {', '.join(file.name for file in found[:20])}"
                )
                raise DataError(message, file=source)
            found = kept
    elif has_magic(source):
        # Path.glob refuses absolute patterns.
        paths = [Path(name) for name in glob(source, recursive=True)]  # noqa: PTH207
        found = [file for file in paths if file.is_file() and (not names or has_name(file, names))]
    else:
        message = f"{source}: there is no such file or folder"
        if "://" in source:
            message = f"{source}: is an address of the web: download the file, and name that"
        elif "," in source:
            message += ": for several, name their folder, or a quoted pattern ('orders-*.csv')"
        raise DataError(message, file=source)
    if not found:
        message = f"{source}: holds no file that can be read ({', '.join(_KINDS)}, .gz, .zst)"
        advised = [(file, advice_for(file, _KINDS)) for file in sorted(there)]
        message += next((f"; {file.name}: {advice}" for file, advice in advised if advice), "")
        raise DataError(message, file=source)
    return tuple(sorted(found))


_PLAIN = FileForm()


def open_table(file: Path, form: FileForm = _PLAIN) -> RawTable:
    """Opens one file by the ending of its name.

    Args:
        file: what to open; `.gz` and `.zst` may follow the ending of a text file.
        form: how it is written.

    Raises:
        DataError: the ending is unknown, or the file is missing, empty or damaged.
    """
    kind = _kind(file)
    if file.is_dir():
        message = f"{file}: is a folder, not a file: give the folder alone, or a pattern of files"
        raise DataError(message, file=str(file))
    if kind == "parquet":
        return open_parquet(file)
    if kind == "arrow":
        return open_arrow(file)
    if kind == "jsonl":
        return open_jsonl(file, encoding=form.encoding, records=form.records)
    if kind == "csv":
        tab = "\t" if ".tsv" in file.suffixes else None
        return open_csv(
            file,
            delimiter=form.delimiter or tab,
            quote=form.quote,
            encoding=form.encoding,
            skip_rows=form.skip_rows,
            header=form.header,
        )
    advice = advice_for(file, _KINDS)
    message = f"{file}: the ending is none of {', '.join(_KINDS)} (.gz and .zst may follow text)"
    message += f": {advice}" if advice else ""
    raise DataError(message, file=str(file))


def readable_files(folder: Path, *, deep: bool = True) -> tuple[Path, ...]:
    """Returns the files of a folder that can be read, sorted.

    Args:
        folder: where to look.
        deep: its folders are searched to the bottom, too.
    """
    every = folder.rglob("*") if deep else folder.iterdir()
    files = (file for file in every if file.is_file() and _is_shown(file, folder))
    return tuple(sorted(file for file in files if _kind(file) is not None))


def has_name(file: Path, patterns: Sequence[str]) -> bool:
    """Says whether a file's name fits one of several patterns, whatever its case.

    A pattern without `.gz` or `.zst` fits compressed files, too.
    """
    name = file.name.lower()
    ending = file.suffix.lower()
    names = (name, name.removesuffix(ending)) if ending in _COMPRESSED else (name,)
    return any(fnmatch(one, pattern.lower()) for one in names for pattern in patterns)


def _is_shown(file: Path, folder: Path) -> bool:
    """Says whether a file is one of a folder's data; what begins with _ or . describes others."""
    names = file.relative_to(folder).parts
    return not any(name.startswith(("_", ".")) for name in names)


def _kind(file: Path) -> str | None:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    packed = bool(suffixes) and suffixes[-1] in _COMPRESSED
    if packed:
        suffixes.pop()
    kind = _KINDS.get(suffixes[-1]) if suffixes else None
    return None if packed and kind not in {"csv", "jsonl"} else kind
