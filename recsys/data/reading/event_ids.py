"""Names events that came without an id, from what they say."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b

import polars as pl

from recsys.data.events import EVENT_SCHEMA

_CONTENT = [name for name in EVENT_SCHEMA if name != "event_id"]
_SHORTEST, _LONGEST = 1e-3, 1e15
"""Between these Python and Polars write numbers alike, without an exponent."""
_BETWEEN, _IS = "\x1f", "\x1e"
"""Unit and record separator: no id holds one, so different rows make different texts."""


def content_ids(events: pl.DataFrame) -> pl.Series:
    """Returns 11 URL-safe characters for each row: 64 bits of BLAKE2b over its canonical content.

    The same in every run and version, wherever the row stands; equal rows get equal ids, which
    `numbered` tells apart. Only columns that say something count, so that a new column changes
    no id.
    """
    told = [name for name in _CONTENT if events[name].null_count() < len(events)]
    cells = [pl.lit(name + _IS) + _as_text(name) for name in told]
    texts = events.select(pl.concat_str(cells, separator=_BETWEEN, ignore_nulls=True)).to_series()
    # Polars' own hash changes between its versions; an id must not.
    empty = blake2b(digest_size=8)
    digests = []
    for text in texts.cast(pl.Binary).to_list():
        # A copy costs a third less than a new one.
        whole = empty.copy()
        whole.update(text)
        digests.append(whole.digest())
    encoded = pl.Series("event_id", digests, pl.Binary).bin.encode("base64")
    return encoded.str.strip_chars_end("=").str.replace_many(["+", "/"], ["-", "_"])


def content_id(content: Sequence[str | float | None]) -> str:
    """Returns what `content_ids` gives one row, without a data frame.

    Args:
        content: the values of all columns but `event_id`, in the order of `EVENT_SCHEMA`; a time
            is microseconds since 1970.
    """
    cells = [
        f"{name}{_IS}{_number_text(value) if type(value) is float else value}"
        for name, value in zip(_CONTENT, content, strict=True)
        if value is not None
    ]
    return urlsafe_b64encode(_digest(_BETWEEN.join(cells))).rstrip(b"=").decode()


def _number_text(number: float) -> str:
    """Returns a number as Polars writes it."""
    if number == 0 or _SHORTEST <= abs(number) < _LONGEST:
        return repr(number)
    return str(pl.Series([number], dtype=pl.Float64).cast(pl.String).item())


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()


def _as_text(name: str) -> pl.Expr:
    cell = pl.col(name)
    return (cell.dt.timestamp("us") if name == "event_time" else cell).cast(pl.String)


def numbered(events: pl.DataFrame, derived: str) -> pl.DataFrame:
    """Tells equal rows apart: the second becomes `<id>.2`, so that true repeats all stay.

    Args:
        events: sorted so that equal rows are next to each other; all equal rows are in it.
        derived: Boolean column: the id comes from `content_ids`. A row that was given the same id
            is no repeat: it is the same event, which was named before.
    """
    place = pl.int_range(1, pl.len() + 1).over("event_id", derived)
    repeats = pl.col(derived) & (pl.col("event_id").is_duplicated())
    if not events.select(repeats.any()).item():
        return events
    return events.with_columns(
        pl.when(repeats & (place > 1))
        .then(pl.col("event_id") + "." + place.cast(pl.String))
        .otherwise("event_id")
        .alias("event_id")
    )
