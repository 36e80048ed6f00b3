"""From answers to rows of a file: one for each customer."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from recsys.data.catalogue import Catalogue
from recsys.data.durable import sync
from serving.answering.answers import Answer
from serving.export.job import Wish
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
_ANSWER: Mapping[str, pl.DataType] = {
    "customer_id": pl.String(),
    "placement": pl.String(),
    "request_id": pl.String(),
    "attribution_token": pl.String(),
    "tier": pl.String(),
    "bundle_version": pl.String(),
}
SUFFIXES = {"parquet": ".parquet", "csv": ".csv", "jsonl": ".jsonl"}


def rows_of(answers: Sequence[Answer], details: DetailsReader, wish: Wish) -> list[dict[str, Any]]:
    """Returns the rows of answers, each with a list of items."""
    columns: dict[int, Iterator[dict[str, Any]]] = {}
    for catalogue in {id(each.catalogue): each.catalogue for each in answers}.values():
        # All of a catalogue at once: a look at one list's items costs as much as the list.
        nums = [
            item.item_num
            for each in answers
            if each.catalogue is catalogue
            for item in each.recommendations.items
        ]
        columns[id(catalogue)] = iter(details.of(catalogue).rows(nums))
    return [_row(each, columns[id(each.catalogue)], wish) for each in answers]


def _row(answer: Answer, columns: Iterator[dict[str, Any]], wish: Wish) -> dict[str, Any]:
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
                "score": item.score,
                "reason": item.reason.code,
                "reason_item_id": next(iter(item.reason.item_ids), None),
                "link": _link(answer, item.item_id, item.rank, wish),
                **_named(read),
            }
            for item, read in zip(told.items, islice(columns, len(told.items)), strict=True)
        ],
    }


def schema_of(catalogue: Catalogue, wish: Wish) -> dict[str, pl.DataType]:
    """Returns the columns of a row."""
    kinds = catalogue.frame.schema
    fields = {name: kinds[name] for name in dict.fromkeys(wish.item_fields)}
    item = pl.Struct({**_ITEM, **_named(fields)})
    offer = {"offer": pl.Struct(OFFER)} if wish.offers or wish.plan else {}
    return {**_ANSWER, **offer, "items": pl.List(item)}


def write_rows(
    rows: Sequence[Mapping[str, Any]],
    schema: Mapping[str, pl.DataType],
    wish: Wish,
    path: Path,
) -> None:
    """Writes rows, at least none, in the form that is wished; they are on disk when it returns."""
    frame = pl.DataFrame(list(rows), schema=dict(schema), orient="row")
    if wish.form == "parquet":
        frame.write_parquet(path)
    elif wish.form == "jsonl":
        frame.write_ndjson(path)
    else:
        _flat(frame, schema, wish.limit).write_csv(path)
    sync(path)


def _flat(frame: pl.DataFrame, schema: Mapping[str, pl.DataType], limit: int) -> pl.DataFrame:
    """Returns a table without lists: columns `item_1_id`, `item_1_title`, ... for every place."""
    item = schema["items"]
    if not (isinstance(item, pl.List) and isinstance(item.inner, pl.Struct)):
        raise TypeError("items are a list of structs")
    plain = [pl.col(name) for name in schema if name not in {"items", "offer"}]
    if "offer" in schema:
        plain += [
            pl.col("offer").struct.field(name).alias(f"offer_{name.removeprefix('offer_')}")
            for name in OFFER
        ]
    cells = [
        _cell(
            pl.col("items").list.get(place, null_on_oob=True).struct.field(each.name), each
        ).alias(f"item_{place + 1}_{each.name.removeprefix('item_')}")
        for place in range(limit)
        for each in item.inner.fields
        if each.name != "rank"
    ]
    return frame.select(*plain, *cells)


def _cell(value: pl.Expr, field: pl.Field) -> pl.Expr:
    """Returns what a cell of a table can hold; parts of a list stand one behind the other."""
    if isinstance(field.dtype, pl.List):
        return value.cast(pl.List(pl.String)).list.join(" > ")
    if field.dtype == pl.Datetime:
        return value.dt.to_string("iso:strict")
    return value


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


def _named(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Returns columns of the catalogue under names that no column of ours has."""
    taken = _ITEM.keys()
    return {f"item_{name}" if name in taken else name: value for name, value in columns.items()}
