"""Collects what is wrong with all tables of a load, so that one run reports all of it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.data.dataset import REJECTS_FILE, REPORT_FILE
from recsys.errors import DataError


class Problems:
    """The errors of one load, in the order they were met."""

    def __init__(self, part: Path, out: Path) -> None:
        """Starts without a problem.

        Args:
            part: the folder that the load writes.
            out: the folder that it shall become.
        """
        self._part = part
        self._errors: list[DataError] = []
        self.kept = out.with_name(out.name + ".rejected")
        """Where what a person needs to see why is left."""

    def __bool__(self) -> bool:
        """Returns whether something is wrong."""
        return bool(self._errors)

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Catches an error of the data, so that the next table is looked at, too."""
        try:
            yield
        except DataError as error:
            self._errors.append(error)

    def add(self, error: DataError, *, keep: bool = True) -> None:
        """Adds a problem.

        Args:
            error: what is wrong.
            keep: leave rejects and report in `kept` to look at.
        """
        self._errors.append(error)
        if keep:
            shutil.rmtree(self.kept, ignore_errors=True)
            self.kept.mkdir(parents=True)
            for file in (REJECTS_FILE, REPORT_FILE):
                if (self._part / file).is_file():
                    shutil.copy(self._part / file, self.kept / file)

    def fail(self) -> None:
        """Fails where something is wrong.

        Raises:
            DataError: one that says all of it.
        """
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            lines = "".join(f"\n- {error}" for error in self._errors)
            message = f"{len(self._errors)} things are wrong with the input:{lines}"
            raise DataError(message, file=self._errors[0].metadata.get("file", ""))
