"""The folder of an export on its way: what is done, and what is left to do.

Everything lies in `<out>.part`, which becomes `out` when it is complete. A part is done when its
note is there; whoever was stopped in between is done over, under the same request ids.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from recsys.data.durable import replace_folder, sync
from recsys.errors import ConfigError, DataError
from serving.export.audience import COLUMN
from serving.export.forms import SUFFIXES
from serving.export.job import Job, Wish
from serving.export.work import Told

MANIFEST = "_manifest.json"
"""Readers of folders take files that begin so for no data."""
JOB = "_job.json"
CUSTOMERS = "_customers.parquet"


class Folder:
    """One export's folder."""

    def __init__(self, out: Path) -> None:
        """Takes where the export is to lie in the end.

        Raises:
            DataError: something else lies there.
        """
        foreign = out.exists() and not (out / MANIFEST).is_file()
        if foreign and (out.is_file() or any(out.iterdir())):
            message = f"{out}: is there already and is no export: choose another folder"
            raise DataError(message, file=str(out))
        self.out = out
        self.part = out.with_name(out.name + ".part")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the folder: two exports into one would undo each other's work.

        Raises:
            ConfigError: another process holds it.
        """
        self.part.parent.mkdir(parents=True, exist_ok=True)
        path = self.part.with_name(self.part.name + ".lock")
        while True:
            with path.open("wb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    text = f"{self.out}: another export into it is at work"
                    raise ConfigError(text) from None
                if not path.exists() or os.fstat(file.fileno()).st_ino != path.stat().st_ino:
                    continue  # whoever held it has removed it since it was opened
                try:
                    yield
                finally:
                    path.unlink()
                return

    def job(self) -> Job | None:
        """Returns what was begun here, None where nothing was, or it cannot be read."""
        try:
            return Job.model_validate_json((self.part / JOB).read_bytes())
        except (OSError, ValueError):
            return None

    def begin(self, job: Job, customer_ids: pl.Series) -> None:
        """Removes what is there and notes what is to be done."""
        shutil.rmtree(self.part, ignore_errors=True)
        self.part.mkdir(parents=True)
        path = self.part / CUSTOMERS
        customer_ids.to_frame(COLUMN).write_parquet(path)
        sync(path)
        self._write(JOB, job.model_dump_json(indent=1))

    def tidy(self) -> None:
        """Removes what a process left behind that was killed."""
        for path in self.part.glob("*.tmp"):
            path.unlink(missing_ok=True)

    def customers(self) -> pl.Series:
        """Returns the customers of the export, in their order."""
        return pl.read_parquet(self.part / CUSTOMERS)[COLUMN]

    def done(self, number: int, wish: Wish) -> dict[str, Any] | None:
        """Returns the note of a part that is whole, None where there is none."""
        try:
            note: dict[str, Any] = json.loads((self.part / _note(number)).read_bytes())
            content = (self.part / data_name(number, wish)).read_bytes()
        except (OSError, ValueError):
            return None
        apart = note.get("held_out_file")
        whole = hashlib.sha256(content).hexdigest() == note["sha256"]
        return note if whole and (not apart or self._is(apart, note)) else None

    def _is(self, name: str, note: Mapping[str, Any]) -> bool:
        """Says whether the file of those who are held out is the one that a note is of."""
        try:
            content = (self.part / name).read_bytes()
        except OSError:
            return False
        return bool(hashlib.sha256(content).hexdigest() == note["held_out_sha256"])

    def take(self, told: Told, wish: Wish) -> dict[str, Any]:
        """Puts a part in its place; the note comes last, and makes it done."""
        name = data_name(told.part, wish)
        if told.shown:
            (self.part / told.shown).replace(self.part / shown_name(told.part))
        (self.part / told.file).replace(self.part / name)
        note = {"file": name, **told.counts, "size": told.size, "sha256": told.sha256}
        if told.held_out:
            apart = held_out_name(told.part, wish)
            (self.part / told.held_out).replace(self.part / apart)
            note |= {"held_out_file": apart, "held_out_sha256": told.held_out_sha256}
        self._write(_note(told.part), json.dumps(note))
        return note

    def shown(self, number: int) -> Path:
        """Returns the file of what the store is to be told of a part; it may not be there."""
        return self.part / shown_name(number)

    def finish(self, manifest: dict[str, Any]) -> None:
        """Puts the whole export in its place, in one step."""
        for path in (*self.part.glob("_part-*"), *self.part.glob("*.tmp")):
            path.unlink()
        self._write(MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))
        (self.part / CUSTOMERS).unlink()
        (self.part / JOB).unlink()
        sync(self.part)
        replace_folder(self.part, self.out)

    def _write(self, name: str, text: str) -> None:
        part = self.part / f"{name}.{os.getpid()}.tmp"
        part.write_text(text + "\n", encoding="utf-8")
        sync(part)
        part.replace(self.part / name)
        sync(self.part)


def data_name(number: int, wish: Wish) -> str:
    """Returns the name of a part's file."""
    return f"part-{number:05}{SUFFIXES[wish.form]}"


def held_out_name(number: int, wish: Wish) -> str:
    """Returns the name of the file of those who are held out; no file to send begins so."""
    return f"_held-out-{number:05}{SUFFIXES[wish.form]}"


def shown_name(number: int) -> str:
    """Returns the name of the file with what the store is to be told of a part."""
    return f"_part-{number:05}.shown"


def _note(number: int) -> str:
    return f"_part-{number:05}.json"
