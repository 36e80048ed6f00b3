"""What lies in the folder of an embedded store, and who may write there."""

import fcntl
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DATABASE = "events.db"
ARCHIVES = "archives"
LOCK = "writer.lock"
ADDRESS = "writer.address"
SOCKET = "writer.sock"
RETRY_S = 0.02
MAX_COMMAND = 120
"""Characters of a command line that an error repeats."""
MAX_ADDRESS = 100
"""Bytes of a socket's address; systems take 104 or 108."""


@dataclass(frozen=True, slots=True)
class WriterLock:
    """The right to write; it ends with the process that holds it, however that ends."""

    descriptor: int

    @classmethod
    def take(cls, folder: Path, *, wait_s: float = 0.0) -> "WriterLock | None":
        """Returns the lock, or None if another process holds it for so many seconds."""
        end = time.monotonic() + wait_s
        while (lock := cls._try(folder)) is None and time.monotonic() < end:
            time.sleep(RETRY_S)
        return lock

    @classmethod
    def _try(cls, folder: Path) -> "WriterLock | None":
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        # Who is refused reads it; a process that was killed leaves it, but not the lock.
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Lets others write."""
        os.close(self.descriptor)


def writer_of(folder: Path) -> str:
    """Returns who holds the lock of a store, such as `process 4711 (python -m serving run)`."""
    with suppress(OSError, ValueError):
        number = int((folder / LOCK).read_text(encoding="ascii"))
        command = Path(f"/proc/{number}/cmdline")
        words = (
            command.read_bytes().decode(errors="replace").split("\0") if command.exists() else []
        )
        told = " ".join(words).strip()[:MAX_COMMAND]
        return f"process {number} ({told})" if told else f"process {number}"
    return "another process"


def free_address(folder: Path) -> Path:
    """Returns where the writer may open its socket; the caller holds the lock.

    In the folder, unless its name is too long for a socket's: then in a private one elsewhere.
    """
    with suppress(FileNotFoundError):
        old = Path(read_address(folder))
        old.unlink(missing_ok=True)
        if old.parent != folder.resolve():
            old.parent.rmdir()
    address = folder.resolve() / SOCKET
    if len(os.fsencode(address)) <= MAX_ADDRESS:
        address.unlink(missing_ok=True)
        return address
    return Path(tempfile.mkdtemp(prefix="recsys-")) / SOCKET


def write_address(folder: Path, address: Path) -> None:
    """Leaves the address of the writer's socket where others look for it."""
    draft = folder / f"{ADDRESS}.new"
    draft.write_bytes(os.fsencode(address))
    draft.replace(folder / ADDRESS)


def read_address(folder: Path) -> str:
    """Returns the address of the writer's socket.

    Raises:
        FileNotFoundError: no writer was ever here.
    """
    return os.fsdecode((folder / ADDRESS).read_bytes())
