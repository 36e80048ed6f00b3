"""Looks for ids of customers and items that are probably one, written in two ways."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.data.reading.looks.evidence import Evidence
from recsys.data.reading.looks.look import Look, note, of, warning
from recsys.types import VISITOR_PREFIX

_DIGITS = r"^\d+$"
_MARKS = "\"'`\u00a0\u200b\ufeff"
_WORTH_A_WARNING = 0.01
_SHOWN = 2


@dataclass(frozen=True, slots=True)
class _Form:
    """A way of writing ids of which one is the other."""

    words: str
    plain: pl.Expr
    """The id without what differs."""


_ID = pl.col("id")
_FORMS = (
    _Form("upper and lower case", _ID.str.to_lowercase()),
    _Form(
        "leading zeros",
        pl.when(_ID.str.contains(_DIGITS)).then(_ID.str.strip_chars_start("0")).otherwise(_ID),
    ),
    _Form("a .0 at the end", _ID.str.replace(r"^(\d+)\.0+$", "$1")),
    _Form("quotes around them", _ID.str.strip_chars(_MARKS)),
)


def alike(evidence: Evidence) -> Iterator[Look]:
    """Looks at the ids of the events, not at those that only a table has."""
    for ours, what in (("customer_id", "customers"), ("item_id", "items")):
        ids = _ids(evidence.events_file, ours)
        for form in _FORMS:
            pairs = _pairs(ids, form)
            if pairs.is_empty():
                continue
            count = int(pairs["n"].sum())
            examples = [
                " and ".join(repr(one) for one in ids) for ids in pairs["ids"].head(_SHOWN)
            ]
            yield (warning if count >= _WORTH_A_WARNING * len(ids) else note)(
                "ids-differ-little",
                "events",
                f"{of(count, len(ids))} ids of {what} differ from another only in {form.words}, "
                f"as {'; '.join(examples)}: each counts as one of its own",
                "if they are one, add the lines below"
                if (mapping := _mapping(form, ours, pairs))
                else "if they are one, write them alike in all files",
                mapping,
            )


def _ids(events_file: Path, ours: str) -> pl.Series:
    ids = pl.scan_parquet(events_file, glob=False).select(
        pl.col(ours).drop_nulls().unique().alias("id")
    )
    named = ids.filter(~pl.col("id").str.starts_with(VISITOR_PREFIX))
    return named.collect(engine="streaming")["id"]


def _pairs(ids: pl.Series, form: _Form) -> pl.DataFrame:
    """Returns the sorted ids that are one without what differs, and how many they are."""
    return (
        ids.to_frame()
        .lazy()
        .group_by(form.plain.alias("plain"))
        .agg(n=pl.len(), ids=pl.col("id").sort())
        .filter(pl.col("n") > 1)
        .sort("plain")
        .collect()
    )


def _mapping(form: _Form, ours: str, pairs: pl.DataFrame) -> str | None:
    """Returns the lines that make the ids one; None: no setting does."""
    if form is _FORMS[0]:
        line = f'lower_case_ids = ["{ours}"]'
        return f"[events]\n{line}\n\n[{_TABLE[ours]}]\n{line}"
    if form is _FORMS[1]:
        every = pairs["ids"].explode()
        width = every.filter(every.str.starts_with("0")).str.len_chars().unique().to_list()
        if len(width) == 1 and bool((every.str.len_chars() <= width[0]).all()):
            return f"[events]\nid_width = {{ {ours} = {width[0]} }}"
    if form is _FORMS[2]:
        return f'[events]\nwhole_number_ids = ["{ours}"]'
    return None


_TABLE = {"customer_id": "customers", "item_id": "items"}
