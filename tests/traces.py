"""Looks for texts wherever a store may keep them: bytes of files, rows of tables."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import psycopg


def in_files(folders: Sequence[Path], texts: Sequence[str]) -> list[str]:
    """Returns the files below the folders that hold a text, packed or not."""
    return [
        path.name
        for folder in folders
        for path in _files(folder)
        if any(text.encode() in content for content in _contents(path) for text in texts)
    ]


def in_postgres(url: str, texts: Sequence[str]) -> list[str]:
    """Returns the columns of a database, as table.column, that hold a text in any row."""
    found = []
    with psycopg.connect(url, autocommit=True) as connection:
        columns = connection.execute(
            "SELECT table_schema, table_name, column_name FROM information_schema.columns "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table, column in columns:
            query = psycopg.sql.SQL(
                "SELECT 1 FROM {}.{} WHERE {}::text LIKE ANY(%s) LIMIT 1"
            ).format(*map(psycopg.sql.Identifier, (schema, table, column)))
            # Binary columns are shown as hexadecimal digits.
            patterns = [f"%{part}%" for text in texts for part in (text, text.encode().hex())]
            if connection.execute(query, (patterns,)).fetchone():
                found.append(f"{table}.{column}")
    return found


def _files(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _contents(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    if path.suffix == ".parquet":  # compressed
        yield str(pl.read_parquet(content).to_dicts()).encode()
