"""The value that every look at a data set returns."""

from dataclasses import dataclass
from enum import StrEnum
from json import dumps
from re import fullmatch


class Severity(StrEnum):
    """How bad a look is."""

    WARNING = "warning"
    """Something is probably wrong; an error where `prepare` is strict."""
    NOTE = "note"
    """Good to know; never an error."""


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that a person should look at before they believe what is trained on a set."""

    code: str
    """Names the kind for ever, in kebab-case; `docs/data.md` lists them all."""
    table: str
    """`events`, `items` or `customers`."""
    severity: Severity
    text: str
    """What was seen, with figures."""
    advice: str
    """What to do about it; empty: nothing."""
    mapping: str | None = None
    """The lines of a mapping file (TOML) that mend it; None: no setting does."""


def warning(code: str, table: str, text: str, advice: str, mapping: str | None = None) -> Look:
    """Returns a look at something that is probably wrong."""
    return Look(code, table, Severity.WARNING, text, advice, mapping)


def note(code: str, table: str, text: str, advice: str = "", mapping: str | None = None) -> Look:
    """Returns a look at something that is good to know."""
    return Look(code, table, Severity.NOTE, text, advice, mapping)


def toml_key(name: str) -> str:
    """Returns a column's name as a key of TOML, in quotes where it needs them."""
    return name if fullmatch(r"[A-Za-z0-9_-]+", name) else toml_text(name)


def toml_text(value: str) -> str:
    """Returns a text as TOML writes it."""
    return dumps(value, ensure_ascii=False)


def listed(names: list[str] | tuple[str, ...], most: int = 8) -> str:
    """Returns names in one line, cut with a count where there are many."""
    text = ", ".join(names[:most])
    rest = len(names) - most
    return f"{text} and {rest:,} more" if rest > 0 else text


def of(part: int, whole: int) -> str:
    """Returns a count beside the whole that it is part of: `3 of 4`."""
    return f"{part:,} of {whole:,}"
