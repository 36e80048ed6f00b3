"""Tells the encoding of a text file by its first bytes, or asks for it."""

import codecs
from dataclasses import dataclass
from pathlib import Path

from recsys.data.file_errors import naming
from recsys.data.reading.byte_source import can_unpack, read_chunks, refuse_foreign
from recsys.data.reading.western import ByteCounts, count_bytes, likely_encodings
from recsys.errors import DataError

UTF8 = "utf-8"
SAMPLE_BYTES = 32 << 20
"""So many first bytes are looked at; of what comes later, lines that do not fit are rejected."""

_MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAME = {"ascii": UTF8, "utf-8-sig": UTF8}
_OTHERS = "cp850, mac_roman, cp1250, cp1251, cp949, shift_jis, gb18030"
_WESTERN = (
    'is not UTF-8: read as cp1252; if letters look wrong, set encoding = "..." in the mapping file'
)
_FEW_LINES = 0.05
"""Up to this share of lines, or one, counts as damage rather than as another encoding."""
_HOW = 'Say which in the mapping file, under the name of the table: [events] encoding = "{}"'


@dataclass(frozen=True, slots=True)
class TextForm:
    """How the bytes of a file become lines."""

    encoding: str = UTF8
    line_end: str = "\n"
    """A carriage return alone in files of old Macs; before a newline it is dropped."""
    notes: tuple[str, ...] = ()


def text_form(file: Path, encoding: str | None = None) -> TextForm:
    """Returns how a text file is written.

    Args:
        file: plain, gzip or zstd.
        encoding: name of a Python codec; None: UTF-8, or what the first bytes show beyond doubt.

    Raises:
        DataError: the file is missing, damaged or no text, its encoding cannot be told, or it
            contradicts `encoding`.
    """
    wanted = None if encoding is None else _codec(file, encoding)
    with naming(file):
        if not can_unpack(file):
            return _unseen(file, wanted)
        sample = _sample(file)
    refuse_foreign(file, sample)
    marked = next((name for mark, name in _MARKS if sample.startswith(mark)), None)
    if marked is not None and wanted is not None and not wanted.startswith(marked):
        message = (
            f"{file}: begins with the mark of {marked.upper()}, but encoding = {encoding!r} is "
            "set: leave the encoding out"
        )
        raise DataError(message, file=str(file))
    if wanted is not None:
        notes = _doubts(sample, wanted)
        return TextForm(wanted, _line_end(sample, wanted), notes)
    if marked is not None and marked != UTF8:
        notes = (f"is {marked.upper()} text",)
        return TextForm(marked, _line_end(sample, marked), notes)
    used, notes = _told(file, sample, marked)
    return TextForm(used, _line_end(sample, used), notes)


def _codec(file: Path, encoding: str) -> str:
    try:
        b"a".decode(encoding, "replace")
        name = codecs.lookup(encoding).name
    except LookupError:
        message = f"{file}: encoding = {encoding!r} is none that is known (say cp1252, utf-16)"
        raise DataError(message, file=str(file)) from None
    return _SAME.get(name, name)


def _unseen(file: Path, wanted: str | None) -> TextForm:
    """Returns UTF-8 for a file that only Polars can unpack."""
    if wanted in {None, UTF8}:
        return TextForm()
    message = f"{file}: a zstd file in {wanted} needs the package pyarrow: install it, or unpack"
    raise DataError(message, file=str(file))


def _sample(file: Path) -> bytes:
    parts: list[bytes] = []
    size = 0
    for chunk in read_chunks(file):
        parts.append(chunk)
        size += len(chunk)
        if size >= SAMPLE_BYTES:
            break
    return b"".join(parts)


def _doubts(sample: bytes, wanted: str) -> tuple[str, ...]:
    if wanted == UTF8 or sample.isascii() or not _is_utf8(sample):
        return ()
    return (
        f"is read as {wanted}, but looks like UTF-8: if letters look wrong, leave encoding out",
    )


def _line_end(sample: bytes, encoding: str) -> str:
    newline, carriage = ("\n".encode(encoding)[-1:], "\r".encode(encoding)[-1:])
    if encoding.startswith(("utf-16", "utf-32")):
        newline, carriage = b"\n", b"\r"
    return "\r" if carriage in sample and newline not in sample else "\n"


def _is_utf8(sample: bytes) -> bool:
    try:
        # The sample may end within a character.
        codecs.getincrementaldecoder(UTF8)().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _told(file: Path, sample: bytes, marked: str | None) -> tuple[str, tuple[str, ...]]:
    """Returns the encoding of a sample without a mark, and what to note."""
    _refuse_wide(file, sample)
    if marked is not None or sample.isascii() or _is_utf8(sample):
        return UTF8, ()
    counts = count_bytes(sample)
    if counts.is_western():
        return "cp1252", (_WESTERN,)
    if counts.valid > counts.invalid or _few(counts):
        return UTF8, ()
    likely = likely_encodings(counts.text)
    names = (
        f"{' or '.join(likely)} is likely" if likely else f"it may be {_OTHERS} or several at once"
    )
    message = (
        f"{file}: is not UTF-8, and its encoding cannot be told for sure: {names}. "
        + _HOW.format(likely[0] if likely else "cp949")
    )
    raise DataError(message, file=str(file))


def _few(counts: ByteCounts) -> bool:
    return counts.bad_lines <= max(1, _FEW_LINES * counts.lines)


def _refuse_wide(file: Path, sample: bytes) -> None:
    """Refuses UTF-16 without a mark: every second byte of its Latin text is zero."""
    start = sample[:4096]
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(start) > 1 and start[first::2].count(0) * 2 > len(start) // 2:
            message = f"{file}: looks like UTF-16 without a mark. {_HOW.format(name)}"
            raise DataError(message, file=str(file))
