"""Items that are to be stored: what is refused, and what is kept of the rest."""

import math
from typing import Any

import polars as pl
import pytest
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from recsys.data.events import ITEM_SCHEMA, TIME
from recsys.errors import InvalidItemError, InvalidQueryError
from recsys.v1.catalog_service_pb2 import Item, MarketOffer
from serving.messages.item_columns import to_columns

SCHEMA = {
    **ITEM_SCHEMA,
    "colour": pl.String(),
    "caffeine": pl.Boolean(),
    "size": pl.Float64(),
    "pieces": pl.Int64(),
    "words": pl.List(pl.String()),
    "until": TIME,
}


def item(**columns: Any) -> Item:
    attributes = Struct()
    attributes.update(columns.pop("attributes", {}))
    return Item(**{"item_id": "tea", **columns}, attributes=attributes)


def violations(*items: Item) -> list[tuple[str, str]]:
    with pytest.raises(InvalidItemError) as caught:
        to_columns(items, [], SCHEMA)
    return [tuple(each) for each in caught.value.violations]


def test_what_is_given_is_kept() -> None:
    full = item(
        group_id="g",
        title="Tea",
        category=["Drinks", "Tea"],
        brand="b",
        price=0.0,
        list_price=2.5,
        cost=1.0,
        available=False,
        markets=[MarketOffer(market="de", price=3.0), MarketOffer(market="fr", available=False)],
        create_time=Timestamp(seconds=1, nanos=5000),
        tags=["t"],
        attributes={
            "colour": "red",
            "caffeine": True,
            "size": 1.5,
            "pieces": 3,
            "words": ["a"],
            "until": "1970-01-01T01:00:00+01:00",
            "fresh": "yes",
        },
    )
    [stored], whole = to_columns([full], [], SCHEMA)
    assert whole
    assert stored.item_id == "tea"
    assert stored.columns == {
        "group_id": "g",
        "title": "Tea",
        "category": ["Drinks", "Tea"],
        "brand": "b",
        "price": 0.0,
        "list_price": 2.5,
        "cost": 1.0,
        "available": False,
        "markets": [
            {"market": "de", "available": None, "price": 3.0},
            {"market": "fr", "available": False, "price": None},
        ],
        "created_at": 1_000_005,
        "tags": ["t"],
        "colour": "red",
        "caffeine": True,
        "size": 1.5,
        "pieces": 3.0,
        "words": ["a"],
        "until": 0,
        "fresh": "yes",
    }


def test_a_mask_keeps_its_columns_alone() -> None:
    given = item(price=3.0, title="Tea", attributes={"colour": "red", "size": 2.0})
    mask = ["price", "brand", "create_time", "attributes.colour", "attributes.other", "price"]
    [stored], whole = to_columns([given], mask, SCHEMA)
    assert not whole
    assert stored.columns == {
        "price": 3.0,
        "brand": None,
        "created_at": None,
        "colour": "red",
        "other": None,
    }


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"item_id": ""}, "item_id"),
        ({"item_id": "x" * 1_000_000}, "item_id"),
        ({"item_id": "a\nb"}, "item_id"),
        ({"group_id": ""}, "group_id"),
        ({"title": "x" * 4_097}, "title"),
        ({"brand": "\x7f"}, "brand"),
        ({"category": ["x"] * 17}, "category"),
        ({"category": ["a", ""]}, "category[1]"),
        ({"tags": ["x"] * 101}, "tags"),
        ({"tags": ["x" * 513]}, "tags[0]"),
        ({"price": -0.01}, "price"),
        ({"price": math.nan}, "price"),
        ({"list_price": math.inf}, "list_price"),
        ({"cost": -1.0}, "cost"),
        ({"markets": [MarketOffer(market="")]}, "markets[0].market"),
        ({"markets": [MarketOffer(market="de")] * 2}, "markets[1].market"),
        ({"markets": [MarketOffer(market="de", price=math.nan)]}, "markets[0].price"),
        ({"markets": [MarketOffer(market=str(n)) for n in range(301)]}, "markets"),
        ({"create_time": Timestamp(seconds=-1)}, "create_time"),
        ({"create_time": Timestamp(seconds=1, nanos=-1)}, "create_time"),
        ({"attributes": {"": 1}}, "attributes"),
        ({"attributes": {"price": 1}}, "attributes"),
        ({"attributes": {"create_time": "now"}}, "attributes"),
        ({"attributes": {str(n): 1 for n in range(201)}}, "attributes"),
        ({"attributes": {"colour": 1}}, "attributes.colour"),
        ({"attributes": {"colour": {"r": 1}}}, "attributes.colour"),
        ({"attributes": {"colour": "x" * 4_097}}, "attributes.colour"),
        ({"attributes": {"caffeine": "yes"}}, "attributes.caffeine"),
        ({"attributes": {"size": math.nan}}, "attributes.size"),
        ({"attributes": {"size": True}}, "attributes.size"),
        ({"attributes": {"pieces": 1.5}}, "attributes.pieces"),
        ({"attributes": {"words": "a"}}, "attributes.words"),
        ({"attributes": {"words": ["a", 1]}}, "attributes.words"),
        ({"attributes": {"until": "tomorrow"}}, "attributes.until"),
        ({"attributes": {"until": "2026-01-01T00:00:00"}}, "attributes.until"),
    ],
)
def test_a_wrong_field_is_named(columns: dict[str, Any], field: str) -> None:
    [(where, description)] = violations(item(item_id="good"), item(**columns))
    assert where == f"items[1].{field}"
    assert len(description) < 200, "a value is never repeated"


def test_all_wrong_fields_are_named() -> None:
    found = violations(item(price=-1.0, title=""), item(item_id="b", cost=-1.0))
    assert [field for field, _ in found] == ["items[0].title", "items[0].price", "items[1].cost"]


def test_an_id_stands_once() -> None:
    assert violations(item(), item()) == [("items[1].item_id", "must stand once in a request")]


def test_a_new_column_has_one_type() -> None:
    good = item(attributes={"fresh": "yes", "empty": None, "none": []})
    to_columns([good, item(item_id="b", attributes={"fresh": "no", "none": 3})], [], SCHEMA)
    found = violations(good, item(item_id="b", attributes={"fresh": 3}))
    assert [field for field, _ in found] == ["items[1].attributes.fresh"]


def test_no_more_columns_than_a_catalogue_may_have() -> None:
    many = {**SCHEMA, **{f"c{number}": pl.String() for number in range(500)}}
    with pytest.raises(InvalidItemError, match="is a new column"):
        to_columns([item(attributes={"one_more": 1})], [], many)
    to_columns([item(attributes={"c1": "fine"})], [], many)


def test_an_item_has_a_size() -> None:
    heavy = {f"a{number}": "x" * 4_000 for number in range(20)}
    assert violations(item(attributes=heavy)) == [("items[0]", "must be at most 65536 bytes")]


@pytest.mark.parametrize(
    ("items", "mask"),
    [
        ([], []),
        ([item(item_id=str(n)) for n in range(1_001)], []),
        ([item()], ["item_id"]),
        ([item()], ["colour"]),
        ([item()], ["attributes"]),
        ([item()], ["attributes."]),
        ([item()], ["attributes.price"]),
        ([item()], ["price", "x" * 1_000_000]),
        ([item()], ["price"] * 501),
    ],
)
def test_requests_that_make_no_sense(items: list[Item], mask: list[str]) -> None:
    with pytest.raises(InvalidQueryError) as caught:
        to_columns(items, mask, SCHEMA)
    assert caught.value.field in ("items", "update_mask")
    assert len(str(caught.value)) < 1_000
