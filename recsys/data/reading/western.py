"""Tells Western European text (cp1252) from other encodings by the bytes beyond ASCII."""

# ruff: noqa: RUF001 - letters of many scripts

import re
from dataclasses import dataclass

_TEXT_BYTES = 1 << 20
_VALID = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_RUN = re.compile(rb"[\x80-\xff]+")
_LETTER = rb"A-Za-z\x83\x8a\x8c\x8e\x9a\x9c\x9e\x9f\xc0-\xd6\xd8-\xf6\xf8-\xff"
_WORD = re.compile(rb"[" + _LETTER + rb"]*[\x80-\xff][" + _LETTER + rb"]*")
_ASCII_LETTERS = re.compile(rb"[A-Za-z]")
_HIGH_LETTERS = re.compile(rb"[\x8a\x8c\x8e\x9a\x9c\x9e\x9f\xc0-\xd6\xd8-\xf6\xf8-\xff]")
_SIGNS = re.compile(
    rb"[\x80\x84\x85\x91-\x97\x99\xa0\xa1\xa3\xa7\xa9-\xab\xae\xb0\xb2-\xb5\xb7\xba-\xbf]"
)
_MAC_LETTERS = re.compile(rb"[\x8a\x8e\x9a\x9e\x9f]")
_CHANCE = 0.2
"""Of Western stretches, so many may be UTF-8 by chance: sharp s and a closing quote."""
_RARE = 0.05
_ODD_WORDS = 0.1
_HAN = "[ぁ-んァ-ヶー一-龠]"
_SCRIPTS = (
    ("cp949", "euc_kr", "[가-힣]", "[가-힣]"),
    ("shift_jis", "cp932", _HAN, "[ぁ-んァ-ヶー]"),
    ("euc_jp", "euc_jp", _HAN, "[ぁ-んァ-ヶー]"),
    ("gb18030", "gb2312", "[一-龠]", "[一-龠]"),
    ("big5", "big5", "[一-龠]", "[一-龠]"),
    ("cp1251", "cp1251", "[А-Яа-яЁёІіЇїЄє]", "[оеаинт]"),
    ("koi8-r", "koi8-r", "[А-Яа-яЁё]", "[оеаинт]"),
    ("cp1253", "cp1253", "[Α-Ωα-ωΆ-Ώά-ώ]", "[αοιετσάόί]"),
    ("cp1255", "cp1255", "[א-ת]", "[יוהלאר]"),
    ("cp1256", "cp1256", "[ء-ي]", "[اليمنر]"),
    ("cp874", "cp874", "[ก-๙]", "[านรอกเง]"),
)
"""Name to set, codec to try, characters of its script, and those that its texts are full of."""
_LIKELY = 0.85
_TELLING = 0.25
_NAMES = 3


@dataclass(frozen=True, slots=True)
class ByteCounts:
    """What the lines with bytes beyond ASCII look like."""

    text: bytes
    """The first such lines."""
    lines: int
    """Lines of the sample, with and without such bytes."""
    bad_lines: int
    """Lines that are not UTF-8."""
    valid: int
    """Characters of several bytes that are UTF-8."""
    invalid: int
    """Stretches of bytes that are not."""

    def is_western(self) -> bool:
        """Says whether the bytes are letters within words and signs, as cp1252 has them."""
        if self.valid > _CHANCE * self.invalid:
            return False
        letters = len(_HIGH_LETTERS.findall(self.text))
        signs = len(_SIGNS.findall(self.text))
        beyond = sum(map(len, _RUN.findall(self.text)))
        if letters + signs < (1 - _RARE) * beyond:
            return False
        if 2 * len(_MAC_LETTERS.findall(self.text)) > max(letters, 1):
            return False
        good, odd = self._words()
        return good + signs > 0 and odd <= _ODD_WORDS * (good + odd)

    def _words(self) -> tuple[int, int]:
        """Counts words with Western letters, and words that consist of little else."""
        good = odd = 0
        for word in _WORD.findall(self.text):
            high = len(_HIGH_LETTERS.findall(word))
            plain = len(_ASCII_LETTERS.findall(word))
            if high + plain < 2 or not high:  # noqa: PLR2004 - a letter alone says nothing
                continue
            if high <= 2 * plain:
                good += 1
            else:
                odd += 1
        return good, odd


def count_bytes(sample: bytes) -> ByteCounts:
    """Looks at the lines of a sample that have bytes beyond ASCII."""
    lines = sample.splitlines()
    high = [line for line in lines if not line.isascii()]
    bad = sum(bool(_RUN.search(_VALID.sub(b"", line))) for line in high)
    text = b"\n".join(high)[:_TEXT_BYTES]
    rest, valid = _VALID.subn(b" ", text)
    return ByteCounts(text, len(lines), bad, valid, len(_RUN.findall(rest)))


def likely_encodings(text: bytes) -> tuple[str, ...]:
    """Returns encodings in which nearly all bytes beyond ASCII are letters of one script."""
    likely: list[str] = []
    for name, codec, script, often in _SCRIPTS:
        decoded = text.decode(codec, errors="replace")
        beyond = sum(not sign.isascii() for sign in decoded)
        telling = len(re.findall(often, decoded))
        if len(re.findall(script, decoded)) > _LIKELY * beyond and telling > _TELLING * beyond:
            likely.append(name)
    return tuple(likely[:_NAMES])
