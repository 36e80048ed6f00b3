"""Guesses what separates the fields of a CSV file."""

from collections.abc import Sequence

DELIMITERS = (",", ";", "\t", "|")


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


def _outside_quotes(line: str, sign: str, quote: str) -> int:
    parts = line.split(quote)[::2] if quote else [line]
    return sum(part.count(sign) for part in parts)
