"""Walks through JSON text piece by piece, so that a large document need not be held in memory."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from recsys.errors import DataError

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_SPACE = re.compile(r"[ \t\n\r\ufeff]*")
_NEAR = 64
"""An error so near to the end of what was read may be gone when more is read."""


class JsonCursor:
    """A place in a JSON text."""

    def __init__(self, file: Path, parts: Iterator[tuple[str, bool]]) -> None:
        """Begins at the start.

        Args:
            file: named in errors.
            parts: pieces of text, and whether characters of it may have been replaced.
        """
        self._file = file
        self._parts = (part for part in parts if part[0])
        self._text = ""
        self._place = 0
        self._line = 1
        self._column = 1
        self._ended = False
        self.lossy = False
        """Characters read so far may have been replaced."""

    @property
    def line(self) -> int:
        """Returns the number of the line, from 1."""
        return self._position(self._place)[0]

    def peek(self) -> str:
        """Moves to the next character that is no space and returns it; empty at the end."""
        while True:
            found = _SPACE.match(self._text, self._place)
            self._place = self._place if found is None else found.end()
            if self._place < len(self._text):
                return self._text[self._place]
            if not self._more():
                return ""

    def take(self, signs: str) -> str:
        """Moves behind the next character and returns it.

        Raises:
            DataError: it is none of `signs`.
        """
        sign = self.peek()
        if not sign or sign not in signs:
            expected = " or ".join(map(repr, signs))
            raise self.error(f"{expected} is expected")
        self._place += 1
        return sign

    def value(self, limit: int | None = None) -> tuple[str, object] | None:
        """Moves behind the next value.

        Args:
            limit: of longer values, about, None is returned, and the place stays.

        Returns:
            The value as it is written, and the same with numbers as text.

        Raises:
            DataError: there is no whole value.
        """
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if self._is_final(error) or not self._double():
                    raise self.error(error.msg, error.pos) from None
            except RecursionError:
                raise self.error("values are nested too deeply") from None
            else:
                if end < len(self._text) or not self._more():
                    text = self._text[self._place : end]
                    self._place = end
                    return text, value
            if limit is not None and len(self._text) - self._place > limit:
                return None

    def _is_final(self, error: json.JSONDecodeError) -> bool:
        opened = error.msg.startswith("Unterminated string")
        return not opened and error.pos < len(self._text) - _NEAR

    def _double(self) -> bool:
        """Reads until twice as much text is there; says whether there was any more."""
        wanted = 2 * (len(self._text) - self._place)
        more = self._more()
        while more and len(self._text) < wanted and self._more():
            pass
        return more

    def _more(self) -> bool:
        """Reads a piece and forgets what lies behind; says whether there was one."""
        if self._ended:
            return False
        part = next(self._parts, None)
        if part is None:
            self._ended = True
            return False
        self._line, self._column = self._position(self._place)
        self._text = self._text[self._place :] + part[0]
        self._place = 0
        self.lossy = self.lossy or part[1]
        return True

    def _position(self, place: int) -> tuple[int, int]:
        """Returns line and column of a place in the text at hand, from 1."""
        newlines = self._text.count("\n", 0, place)
        if newlines:
            return self._line + newlines, place - self._text.rfind("\n", 0, place)
        return self._line, self._column + place

    def no_records(self, message: str) -> DataError:
        """Returns an error that names the file, about a text that is whole."""
        return DataError(f"{self._file}: {message}", file=str(self._file))

    def error(self, message: str, place: int | None = None) -> DataError:
        """Returns an error that names file, line and column of a place, by default of this one."""
        line, column = self._position(self._place if place is None else place)
        return DataError(
            f"{self._file}: is no whole JSON: line {line}, column {column}: {message}",
            file=str(self._file),
            line=str(line),
            column=str(column),
        )
