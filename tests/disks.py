"""Disks that fail: SQLite file layers that forget, break or fill up at a chosen moment."""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""


class Disk:
    """What a test decides about a disk, and what it learns."""

    def __init__(self) -> None:
        self.operations = 0
        """Writes, truncations and syncs so far."""
        self.fault: Callable[[int, str], None] = lambda *_: None
        """Called before each of them with its number and `write`, `truncate` or `sync`; what it
        raises is what SQLite sees."""
        self._guard = threading.Lock()
        self._durable: dict[str, bytearray] = {}
        self._unsynced: dict[str, list[tuple[int, bytes]]] = {}

    def begin(self, kind: str) -> None:
        with self._guard:
            self.operations += 1
            number = self.operations
        self.fault(number, kind)

    def opened(self, name: str) -> None:
        with self._guard:
            if name not in self._durable:
                self._durable[name] = bytearray(Path(name).read_bytes())
                self._unsynced[name] = []

    def wrote(self, name: str, offset: int, content: bytes) -> None:
        with self._guard:
            self._unsynced[name].append((offset, content))

    def truncated(self, name: str, size: int) -> None:
        with self._guard:
            self._unsynced[name].append((-size - 1, b""))

    def synced(self, name: str) -> None:
        with self._guard:
            for offset, content in self._unsynced[name]:
                _apply(self._durable[name], offset, content)
            self._unsynced[name] = []

    def deleted(self, name: str) -> None:
        with self._guard:
            self._durable.pop(name, None)
            self._unsynced.pop(name, None)

    def cut_power(
        self, folder: Path, chance: random.Random, fates: Sequence[str] = ("none", "first", "any")
    ) -> None:
        """Writes to `folder` what is left of all files: what was synced, and of the rest nothing,
        or the first writes of it, or any of its sectors."""
        with self._guard:
            fate = chance.choice(fates)
            for name, durable in self._durable.items():
                left = bytearray(durable)
                unsynced = self._unsynced[name]
                if fate == "first":
                    unsynced = unsynced[: chance.randint(0, len(unsynced))]
                for offset, content in unsynced if fate != "none" else ():
                    for start in range(0, max(1, len(content)), SECTOR):
                        if fate == "first" or chance.random() < 0.5:
                            _apply(left, offset + start, content[start : start + SECTOR])
                (folder / Path(name).name).write_bytes(left)


def _apply(image: bytearray, offset: int, content: bytes) -> None:
    if offset < 0:
        del image[-offset - 1 :]
        return
    image.extend(b"\0" * (offset - len(image)))
    image[offset : offset + len(content)] = content


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._name = name if isinstance(name, str) else name.filename()
        disk.opened(self._name)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.begin("write")
        super().xWrite(data, offset)
        self._disk.wrote(self._name, offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._disk.begin("truncate")
        super().xTruncate(newsize)
        self._disk.truncated(self._name, newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.begin("sync")
        super().xSync(flags)
        self._disk.synced(self._name)


class _Vfs(apsw.VFS):
    def __init__(self, name: str, disk: Disk) -> None:
        self._disk = disk
        super().__init__(name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        if name is None:  # a temporary file
            return super().xOpen(name, flags)
        return _File(self._disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001, N802
        super().xDelete(filename, syncdir)
        self._disk.deleted(filename)


@contextmanager
def disk(name: str) -> Iterator[Disk]:
    """A disk that SQLite opens files on as VFS `name`."""
    made = Disk()
    layer = _Vfs(name, made)
    yield made
    layer.unregister()
