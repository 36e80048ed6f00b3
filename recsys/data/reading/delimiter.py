"""Guesses what separates the fields of a CSV file."""

from collections.abc import Sequence

DELIMITERS = (",", ";", "\t", "|")
_ROWS = 2
_SURE = 0.8
"""No title is looked for if so many lines have as many fields as the first."""


def guess_delimiter(lines: Sequence[str], quote: str) -> str:
    """Returns the delimiter that cuts the header and the lines below it into equally many fields.

    Of several, the one with most fields; a comma where nothing separates anything.

    Args:
        lines: the header and a few lines after it.
        quote: the quote character; empty: none.
    """
    counts = {sign: [_outside_quotes(line, sign, quote) for line in lines] for sign in DELIMITERS}

    def fitness(sign: str) -> tuple[int, int]:
        header, *rest = counts[sign]
        agreeing = sum(count == header for count in rest) if header else -1
        return agreeing, header

    return max(DELIMITERS, key=fitness)


def guess_below_titles(lines: Sequence[str], quote: str) -> str:
    """Returns the delimiter as `guess_delimiter` does, also where titles stand above the header.

    Args:
        lines: the first lines with text.
        quote: the quote character; empty: none.
    """
    best, best_share = guess_delimiter(lines, quote), 0.0
    for place in range(max(1, len(lines) - _ROWS)):
        sign = guess_delimiter(lines[place:], quote)
        header, *rest = [_outside_quotes(line, sign, quote) for line in lines[place:]]
        share = sum(count == header for count in rest) / max(1, len(rest)) if header else 0.0
        if share > best_share:
            best, best_share = sign, share
        if share > _SURE:
            break
    return best


def _outside_quotes(line: str, sign: str, quote: str) -> int:
    parts = line.split(quote)[::2] if quote else [line]
    return sum(part.count(sign) for part in parts)
