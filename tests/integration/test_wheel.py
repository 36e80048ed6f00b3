"""The wheel, installed in an environment of its own and used in a folder of somebody else's.

Only our own files are installed; dependencies come from the environment of the tests, through a
path file, which does not pass the editable install on.
"""

import csv
import shutil
import socket
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from recsys.client import RecsysClient

ROOT = Path(__file__).parents[2]
APPLICATIONS = "training", "serving", "evaluation"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [file] = folder.glob("*.whl")
    return file


class Installed:
    """An environment that has the wheel, and a folder to work in."""

    def __init__(self, environment: Path, folder: Path) -> None:
        self.bin, self.folder = environment / "bin", folder

    def run(self, *words: object, status: int = 0) -> str:
        """Runs the console script in the folder, and returns what it prints."""
        return self._run(self.bin / "recsys", *words, status=status)

    def python(self, *words: object, status: int = 0) -> str:
        return self._run(self.bin / "python", *words, status=status)

    def _run(self, *words: object, status: int) -> str:
        command = [str(word) for word in words]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    @contextmanager
    def serving(self, *words: object) -> Iterator[None]:
        command = [str(word) for word in (self.bin / "recsys", "serve", *words)]
        with (self.folder / "server.log").open("wb") as log:
            server = subprocess.Popen(command, cwd=self.folder, stderr=log)
        try:
            yield
        finally:
            server.terminate()
            assert server.wait(30) == 0


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", str(wheel)], check=True)
    [packages] = environment.glob("lib/*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(environment, tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def shop(installed: Installed) -> Installed:
    """With orders, prepared data and a published bundle."""
    with (installed.folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("customer_id", "item_id", "timestamp"))
        for order in range(600):
            when = BEGIN + timedelta(hours=3 * order)
            rows.writerow((f"c-{order % 20}", f"i-{order * order % 31}", when.isoformat()))
    # What lies in the current folder must not stand in our way.
    for name in (*APPLICATIONS, "recsys"):
        (installed.folder / name).mkdir()
        (installed.folder / name / "__init__.py").write_text("raise SystemExit('not ours')\n")
    installed.run("prepare", "--events", "orders.csv", "--out", "data")
    installed.run("train", "--data", "data", "--bundles", "bundles", "--no-choose")
    return installed


def test_no_generic_name_is_taken(wheel: Path, installed: Installed) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "recsys",
        "recsys_engine",
    }
    for name in APPLICATIONS:
        said = installed.python("-P", "-c", f"import {name}", status=1)
        assert f"No module named '{name}'" in said


def test_every_file_of_the_repository_is_in_it(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    git = shutil.which("git") or "git"
    listed = subprocess.run(
        [git, "ls-files", "--cached", "--others", "--exclude-standard", "recsys", *APPLICATIONS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    ours = {
        line if line.startswith("recsys/") else f"recsys/_applications/{line}"
        for line in listed.stdout.splitlines()
    }
    assert names == ours


def test_it_says_its_version_and_teaches(installed: Installed) -> None:
    assert installed.run("--version").split() == ["recsys", version("recsys-engine")]
    for said in (installed.run("--help"), installed.python("-P", "-m", "recsys", "--help")):
        assert "First steps:" in said
        assert "prepare" in said


@pytest.mark.extra(name="report")
def test_lists_are_measured_and_reported(shop: Installed) -> None:
    said = shop.run(
        *("evaluate", "--data", "data", "--no-choose", "--placements", "for_you"),
        *("--test-days", "14", "--report", "report.html"),
    )
    assert "for_you: 20 customers" in said
    assert "<style>" in (shop.folder / "report.html").read_text("utf-8")


def test_a_model_that_is_solved_in_a_process_of_its_own_is_fitted(shop: Installed) -> None:
    (shop.folder / "ease.toml").write_text(
        '[models.linear]\nkind = "ease"\n[sources.linear]\nkind = "neighbours"\n'
        'model = "linear"\n[placements.for_you]\nsources = [{ name = "linear", weight = 1.0 }]\n'
    )
    shop.run("train", "--data", "data", "--bundles", "other", "--config", "ease.toml")
    said = shop.run("bundles", "list", "--bundles", "other")
    assert "* " in said


def test_servers_answer_and_files_are_written(shop: Installed) -> None:
    """A supervisor, a writer, two servers, and an export of two processes."""
    port = first_of_two_free_ports()
    options = "--bundles", "bundles", "--store", "store://store"
    with (
        shop.serving(*options, "--port", port, "--processes", "2"),
        RecsysClient([f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}"]) as client,
    ):
        client.wait_until_ready(60)
        for _ in range(2):  # one of each
            answer = client.recommend("for_you", customer_id="c-1", limit=3)
            assert len(answer.items) == 3
    said = shop.run(
        *("export", "--placement", "for_you", "--all", *options, "--out", "mails"),
        *("--part-size", "5", "--processes", "2"),
    )
    assert "20 customers in 4 files" in said


def first_of_two_free_ports() -> int:
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
