"""What checks work with: the checkout, its commit, the data, and a demo bundle of this commit."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.qualification.commands import (
    Outcome,
    bare_environment,
    checked,
    own_environment,
    run,
)
from tests.qualification.rows import Results

ROOT = Path(__file__).resolve().parents[2]


class MissingDataError(Exception):
    """The data that a check works on are not there, so it cannot hold."""


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Room:
    """Where a check works. Nothing outside `folder` and temporary folders is written."""

    commit: str
    folder: Path
    root: Path = ROOT
    step: Callable[[str], None] = _silent
    """Hears what is being done."""
    known: Results = field(default_factory=lambda: Results(commit="", rows=()))
    """Rows of checks that were run on this commit before."""

    def python(self, name: str, *words: object) -> Outcome:
        """Runs this checkout's Python with some words, as a person would; measures it.

        Args:
            name: of the log.
            words: such as `-m training run --data FOLDER`.
        """
        self.step(f"python {' '.join(_short(word) for word in words)}")
        environment = own_environment(self.root)
        log = self.folder / "logs" / f"{name}.log"
        return run([sys.executable, *words], cwd=self.root, env=environment, log=log)

    def must(self, name: str, *words: object) -> Outcome:
        """The same, of a command that has to succeed.

        Raises:
            CommandFailedError: it did not.
        """
        return checked(self.python(name, *words), f"python {' '.join(map(str, words))}")

    def shared(self, name: str) -> Path:
        """Returns a folder of the evaluation data.

        Raises:
            MissingDataError: it is not there.
        """
        shared = Path(os.environ.get("RECSYS_SHARED", self.root.parent / "shared"))
        folder = shared / "data" / name
        if not folder.is_dir():
            raise MissingDataError(f"{folder} is not there: RECSYS_SHARED says where data are")
        return folder

    def demo_data(self) -> Path:
        """Returns the demo data, prepared by this commit."""
        data = self.of_commit("demo") / "data"
        if not data.is_dir():
            self.must("demo-prepare", "-m", "training", "prepare", "--demo", "--out", data)
        return data

    def demo_bundles(self) -> Path:
        """Returns a bundle root with the demo data's bundle, fitted by this commit."""
        bundles = self.of_commit("demo") / "bundles"
        if not (bundles / "current").exists():
            data = self.demo_data()
            words = ["-m", "training", "run", "--no-choose", "--data", data]
            self.must("demo-fit", *words, "--bundles", bundles)
        return bundles

    @contextmanager
    def clone(self) -> Iterator[Path]:
        """Yields a clone of this commit in a temporary folder."""
        with TemporaryDirectory(prefix="recsys-") as folder:
            target = Path(folder) / "recsys"
            self.step("git clone")
            _git("clone", "--quiet", "--no-hardlinks", str(self.root), str(target))
            _git("-C", str(target), "checkout", "--quiet", self.commit)
            yield target

    def make(self, clone: Path, name: str, *targets: str, **environment: str) -> Outcome:
        """Runs `make` in a clone with nothing of this process's environment."""
        self.step(f"make {' '.join(targets)}")
        log = self.folder / "logs" / f"{name}.log"
        return run(["make", *targets], cwd=clone, env=bare_environment() | environment, log=log)

    def of_commit(self, name: str) -> Path:
        """Returns a folder for what this commit makes; what another one made there goes."""
        folder = self.folder / name
        mark = folder / "commit"
        if not mark.exists() or mark.read_text() != self.commit:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            mark.write_text(self.commit)
        return folder


def head(root: Path) -> str:
    """Returns the commit that is checked out."""
    return _git("-C", str(root), "rev-parse", "HEAD").strip()


def changed(root: Path) -> int:
    """Returns how many files of a checkout differ from its commit, new ones included."""
    return len(_git("-C", str(root), "status", "--porcelain").splitlines())


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], check=True, capture_output=True, text=True)  # noqa: S607
    return done.stdout


def _short(word: object) -> str:
    text = str(word)
    return text if len(text) <= 60 else f"...{text[-57:]}"
