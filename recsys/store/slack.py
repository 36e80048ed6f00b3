"""Blanks what SQLite leaves of deleted rows in the unused middle of its pages.

`secure_delete` blanks a row where it is deleted. But when a full page is split, the rows that move
to another page leave their bytes behind, between the cell pointers and the cells of the old page,
and nothing blanks those when the row is deleted at its new place. About one deletion in a hundred
leaves such a copy. SQLite never reads these bytes, so they may be changed whenever nobody writes,
and a write that a power cut interrupts harms nothing.

The layout is that of https://www.sqlite.org/fileformat2.html, section 1.6.
"""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import apsw

from recsys.errors import StoreUnavailableError

_FILE_HEADER = 100
"""Bytes before the header of the first page."""
_PAGE_SIZE_AT = 16
_TREE_HEADERS = {2: 12, 5: 12, 10: 8, 13: 8}
"""Bytes of a b-tree page's header by its kind: two kinds of inner pages, two of leaves."""
_COUNTS = struct.Struct(">HH")
"""Number of cells, and where the first of them begins: at byte 3 of the header."""
_MAX_TREE_PAGES = 2 << 24
"""From here on the first byte of an overflow page, which begins with a page's number, could be
taken for the kind of a b-tree page."""
_CHUNK = 1 << 22
"""Bytes read at once; a multiple of every page size."""


class Slack(NamedTuple):
    """Unused bytes of one page."""

    page: int
    """The first is 0."""
    begin: int
    """Within the page."""
    end: int


class PageFile:
    """A database file, opened as SQLite opens it.

    Opened and closed in any other way, the process would lose the locks by which SQLite tells
    others that it uses the file.
    """

    def __init__(self, file: Path, *, vfs: str | None = None, write: bool = False) -> None:
        """Opens the file; `vfs` names SQLite's file layer, None: the default one."""
        mode = apsw.SQLITE_OPEN_READWRITE if write else apsw.SQLITE_OPEN_READONLY
        self._file = apsw.VFSFile(
            vfs or "", str(file.resolve()), [apsw.SQLITE_OPEN_MAIN_DB | mode, 0]
        )
        head = self._file.xRead(_FILE_HEADER, 0)
        size = int.from_bytes(head[_PAGE_SIZE_AT : _PAGE_SIZE_AT + 2], "big")
        self.page_size = 1 << 16 if size == 1 else size
        self.pages = self._file.xFileSize() // self.page_size
        if self.pages >= _MAX_TREE_PAGES:
            self._file.xClose()
            raise StoreUnavailableError("the store's file is too large to be searched for traces")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.xClose()

    def slack_with(self, texts: Sequence[bytes]) -> Iterator[Slack]:
        """Yields the slack in which one of the texts is found, each once."""
        step = _CHUNK // self.page_size
        for first in range(0, self.pages, step):
            count = min(step, self.pages - first)
            chunk = self._file.xRead(count * self.page_size, first * self.page_size)
            for page in sorted(self._pages_with(chunk, texts)):
                content = chunk[page * self.page_size : (page + 1) * self.page_size]
                slack = _slack(content, first + page)
                if slack and _holds(content[slack.begin : slack.end], texts):
                    yield slack

    def blank(self, pages: Sequence[int], texts: Sequence[bytes]) -> None:
        """Blanks the slack of pages where one of the texts is still there; on disk at the end."""
        for page in pages:
            content = self._file.xRead(self.page_size, page * self.page_size)
            slack = _slack(content, page)
            if slack and _holds(content[slack.begin : slack.end], texts):
                place = page * self.page_size + slack.begin
                self._file.xWrite(bytes(slack.end - slack.begin), place)
        self._file.xSync(apsw.SQLITE_SYNC_FULL)

    def _pages_with(self, chunk: bytes, texts: Sequence[bytes]) -> set[int]:
        found = set()
        for text in texts:
            place = chunk.find(text)
            while place >= 0:
                page = place // self.page_size
                found.add(page)
                place = chunk.find(text, (page + 1) * self.page_size)
        return found


def _slack(content: bytes, page: int) -> Slack | None:
    """Returns the unused middle of a b-tree page; None: it is full, or a page of another kind."""
    head = _FILE_HEADER if page == 0 else 0
    size = _TREE_HEADERS.get(content[head])
    if size is None:
        return None
    cells, end = _COUNTS.unpack_from(content, head + 3)
    begin = head + size + 2 * cells
    end = end or 1 << 16
    return Slack(page, begin, end) if begin < end <= len(content) else None


def _holds(content: bytes, texts: Sequence[bytes]) -> bool:
    return any(text in content for text in texts)
