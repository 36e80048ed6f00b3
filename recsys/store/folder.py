"""What lies in the folder of an embedded store, and who may write there."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

DATABASE = "events.db"
ARCHIVES = "archives"
LOCK = "writer.lock"
ADDRESS = "writer.address"


@dataclass(frozen=True, slots=True)
class WriterLock:
    """The right to write; it ends with the process that holds it, however that ends."""

    descriptor: int

    @classmethod
    def take(cls, folder: Path) -> "WriterLock | None":
        """Returns the lock, or None if another process holds it."""
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(descriptor)

    def release(self) -> None:
        """Lets others write."""
        os.close(self.descriptor)
