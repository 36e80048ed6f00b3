"""From answers to rows of a file: one for each customer."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import polars as pl

from recsys.data.catalogue import Catalogue
from recsys.data.plain_numbers import DIGITS, NARROW_DIGITS, plain
from recsys.offers.attributes import attribute_types
from recsys.pipeline.query import RecommendedItem
from serving.answering.answers import Answer
from serving.export.job import Job, Wish
from serving.export.links import link
from serving.export.offers import COLUMNS as OFFER
from serving.messages.details import DetailsReader

_ITEM: Mapping[str, pl.DataType] = {
    "rank": pl.Int32(),
    "item_id": pl.String(),
    "score": pl.Float64(),
    "reason": pl.String(),
    "reason_item_id": pl.String(),
    "link": pl.String(),
}
_DUE: Mapping[str, pl.DataType] = {
    "due_date": pl.Date(),
    "probability_7_days": pl.Float64(),
    "probability_14_days": pl.Float64(),
    "probability_28_days": pl.Float64(),
}
"""Of each item, where the placement says when items are needed again."""
_ANSWER: Mapping[str, pl.DataType] = {
    "customer_id": pl.String(),
    "placement": pl.String(),
    "request_id": pl.String(),
    "attribution_token": pl.String(),
    "tier": pl.String(),
    "bundle_version": pl.String(),
}


def rows_of(
    answers: Sequence[Answer], details: DetailsReader, wish: Wish, *, due: bool
) -> list[dict[str, Any]]:
    """Returns the rows of answers, each with a list of items.

    Args:
        answers: in the order of the rows.
        details: reads the items' columns of the catalogue.
        wish: what is asked of the export.
        due: whether the placement says when items are needed again.
    """
    columns: dict[int, Iterator[dict[str, Any]]] = {}
    for catalogue in {id(each.catalogue): each.catalogue for each in answers}.values():
        # All of a catalogue at once: a look at one list's items costs as much as the list.
        nums = [
            item.item_num
            for each in answers
            if each.catalogue is catalogue
            for item in each.recommendations.items
        ]
        columns[id(catalogue)] = iter(_plain(details.of(catalogue).rows(nums), catalogue))
    return [_row(each, columns[id(each.catalogue)], wish, due=due) for each in answers]


def _plain(rows: Sequence[dict[str, Any]], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Returns rows of the catalogue with numbers as the shop wrote them."""
    kinds = catalogue.frame.schema
    digits = {
        name: NARROW_DIGITS if kinds[name] == pl.Float32 else DIGITS
        for name in (rows[0] if rows else ())
        if kinds[name].is_float()
    }
    for row in rows:
        for name, count in digits.items():
            if row[name] is not None:
                row[name] = plain(row[name], count)
    return list(rows)


def _row(
    answer: Answer, columns: Iterator[dict[str, Any]], wish: Wish, *, due: bool
) -> dict[str, Any]:
    told = answer.recommendations
    return {
        "customer_id": answer.query.customer_id,
        "placement": told.placement,
        "request_id": answer.request_id,
        "attribution_token": answer.attribution_token,
        "tier": told.tier.name.lower(),
        "bundle_version": told.bundle_version,
        "items": [
            {
                "rank": item.rank,
                "item_id": item.item_id,
                "score": plain(item.score),
                "reason": item.reason.code,
                "reason_item_id": next(iter(item.reason.item_ids), None),
                "link": _link(answer, item.item_id, item.rank, wish),
                **(_due(item) if due else {}),
                **_named(read, due=due),
            }
            for item, read in zip(told.items, islice(columns, len(told.items)), strict=True)
        ],
    }


def schema_of(catalogue: Catalogue, job: Job, *, due: bool) -> dict[str, pl.DataType]:
    """Returns the columns of a row."""
    wish = job.wish
    kinds = catalogue.frame.schema
    fields = {
        name: pl.Float64() if kinds[name] == pl.Float32 else kinds[name]
        for name in dict.fromkeys(wish.item_fields)
    }
    item = pl.Struct({**_ITEM, **(_DUE if due else {}), **_named(fields, due=due)})
    offer: dict[str, pl.DataType] = {}
    if wish.offers or wish.plan:
        columns = {**OFFER, **attribute_types(job.attributes)}
        offer = {"assignment": pl.String(), "offer": pl.Struct(columns)}
    return {**_ANSWER, **offer, "items": pl.List(item)}


def _due(item: RecommendedItem) -> dict[str, Any]:
    told = item.replenishment
    if told is None:
        return dict.fromkeys(_DUE)
    chances = (told.probability_7_days, told.probability_14_days, told.probability_28_days)
    due = datetime.fromtimestamp(told.due_time, UTC).date()
    values = (due, *(plain(each, NARROW_DIGITS) for each in chances))
    return dict(zip(_DUE, values, strict=True))


def _link(answer: Answer, item_id: str, rank: int, wish: Wish) -> str | None:
    if not wish.link:
        return None
    values = {
        "item_id": item_id,
        "token": answer.attribution_token,
        "customer_id": answer.query.customer_id,
        "placement": wish.placement,
        "rank": rank,
    }
    return link(wish.link, values)


def _named(columns: Mapping[str, Any], *, due: bool) -> dict[str, Any]:
    """Returns columns of the catalogue under names that no column of ours has."""
    taken = {**_ITEM, **(_DUE if due else {})}
    return {f"item_{name}" if name in taken else name: value for name, value in columns.items()}
