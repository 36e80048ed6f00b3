"""Where the parts of a TOML file stand: from the path of a value to its line.

The standard library's reader keeps no places. This one runs beside it over text that is known to
be TOML, and remembers nothing but where each key, table and element begins.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping, Sequence

Path = tuple[str | int, ...]

_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANKS = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
# The closing quotes of a long text may follow one or two that belong to it.
_TEXT = re.compile(
    r'"""(?:[^\\]|\\[\s\S])*?"""(?:"{0,2})'
    r"|'''[\s\S]*?'''(?:'{0,2})"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'"
)
_PLAIN = re.compile(r"[^,\]}#\r\n]+")


class TomlLines:
    """The line of each key, table and element of a file; the first line is 1."""

    def __init__(self, text: str) -> None:
        """Takes a text that `tomllib` can read."""
        self._lines = _Scanner(text).scanned()

    def of(self, path: Sequence[str | int]) -> int:
        """Returns the line of a part; of what it would stand in, where the file lacks it.

        Parts of the path that the file does not know are passed over: a validator puts words of
        its own between those of the file, such as the kind of one of several models.
        """
        found: Path = ()
        for part in path:
            if (*found, part) in self._lines:
                found = (*found, part)
        return self._lines.get(found, 1)

    def has(self, path: Sequence[str | int]) -> bool:
        """Says whether the file has a part of exactly this path."""
        return tuple(path) in self._lines

    def place(self, where: str, path: Sequence[str | int]) -> str:
        """Returns `where:line`, as editors and compilers write it."""
        return f"{where}:{self.of(path)}"


class _Scanner:
    """Walks once over the text; each method begins and ends between two words."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._lines: dict[Path, int] = {}
        self._elements: dict[Path, int] = {}
        """Tables so far of each list of tables."""

    def scanned(self) -> Mapping[Path, int]:
        """Returns the line of every path."""
        table: Path = ()
        self._skip(_GAP)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_GAP)
        return self._lines

    def _header(self) -> Path:
        start = self._at
        many = self._text.startswith("[[", start)
        self._at += 2 if many else 1
        keys = self._keys()
        self._at += 2 if many else 1
        path: Path = ()
        for place, key in enumerate(keys):
            path = (*path, key)
            self._note(path, start)
            if many and place == len(keys) - 1:
                self._elements[path] = self._elements.get(path, 0) + 1
            if path in self._elements:
                path = (*path, self._elements[path] - 1)
                self._note(path, start)
        return path

    def _pair(self, table: Path) -> None:
        start = self._at
        path = table
        for key in self._keys():
            path = (*path, key)
            self._note(path, start)
        self._at += 1  # the sign between key and value
        self._skip(_BLANKS)
        self._value(path)

    def _keys(self) -> list[str]:
        """Reads `a."b".c`, and the blanks around it."""
        keys: list[str] = []
        while True:
            self._skip(_BLANKS)
            word = _TEXT.match(self._text, self._at) or _BARE.match(self._text, self._at)
            assert word is not None  # noqa: S101  # the text is TOML
            self._at = word.end()
            keys.append(_key(word.group()))
            self._skip(_BLANKS)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _value(self, path: Path) -> None:
        opening = self._text[self._at]
        if opening == "[":
            self._list(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            word = _TEXT.match(self._text, self._at) or _PLAIN.match(self._text, self._at)
            assert word is not None  # noqa: S101  # the text is TOML
            self._at = word.end()

    def _list(self, path: Path) -> None:
        self._at += 1
        self._skip(_GAP)
        place = 0
        while self._text[self._at] != "]":
            self._note((*path, place), self._at)
            self._value((*path, place))
            place += 1
            self._skip(_GAP)
            if self._text[self._at] == ",":
                self._at += 1
                self._skip(_GAP)
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        self._skip(_GAP)
        while self._text[self._at] != "}":
            self._pair(path)
            self._skip(_GAP)
            if self._text[self._at] == ",":
                self._at += 1
                self._skip(_GAP)
        self._at += 1

    def _note(self, path: Path, start: int) -> None:
        self._lines.setdefault(path, bisect_right(self._breaks, start - 1) + 1)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        assert match is not None  # noqa: S101  # the patterns match nothing, too
        self._at = match.end()


def _key(word: str) -> str:
    if word[0] not in "\"'":
        return word
    return str(tomllib.loads(f"key = {word}")["key"])
