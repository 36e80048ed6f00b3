"""The columns of a study on disk, so that no model is fitted twice."""

import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.tuning.columns import Column


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of columns: a folder for each model, a file for each placement."""

    folder: Path

    def holds(self, name: str, placements: Collection[str]) -> bool:
        """Says whether a model's columns of all placements are there."""
        return all(self._file(name, placement).is_file() for placement in placements)

    def get(self, name: str, placement: str) -> Column:
        """Returns a column that is there."""
        with np.load(self._file(name, placement), allow_pickle=False) as arrays:
            return Column(arrays["item_nums"], arrays["shares"])

    def put(self, name: str, placement: str, column: Column) -> None:
        """Keeps a column; a file is whole or not there, whenever the power goes."""
        file = self._file(name, placement)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        with part.open("wb") as out:
            np.savez(out, item_nums=column.item_nums, shares=column.shares)
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)

    def clear(self, names: Collection[str]) -> None:
        """Takes away all but these models."""
        for folder in self.folder.iterdir() if self.folder.is_dir() else ():
            if folder.name not in names:
                shutil.rmtree(folder)

    def _file(self, name: str, placement: str) -> Path:
        return self.folder / name / f"{placement}.npz"
