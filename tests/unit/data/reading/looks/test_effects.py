"""A setting of the mapping that does nothing is named; one that does something is not."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading.looks.effects import Effects
from tests.odd_files import catalogue, orders, prepared


def idle(
    folder: Path,
    mapping: Mapping[str, object],
    events: pl.DataFrame | None = None,
    items: pl.DataFrame | None = None,
) -> list[str]:
    """Returns what the looks say of settings, for one mapping of all tables."""
    report = prepared(folder, events, catalogue() if items is None else items, mapping=mapping)
    looks = [look for look in report.looks if look.code == "setting-without-effect"]
    assert all(look.severity == "warning" for look in looks)
    return [look.text for look in looks]


NOTHING = "had no effect on any row"


@pytest.mark.parametrize(
    ("setting", "mapping", "change"),
    [
        (
            "event_types (Checkout done)",
            {"event_types": {"Checkout done": "purchase"}},
            {"event": pl.lit("checkout_done")},
        ),
        (
            "event_types (買う)",
            {"event_types": {"買う": "purchase"}},
            {"event": pl.lit("買う")},
        ),
        (
            "returns.prefix",
            {"returns": {"column": "order_id", "prefix": "C"}},
            {
                "order_id": pl.when(pl.col("order_id") == "o700")
                .then(pl.lit("C700"))
                .otherwise("order_id")
            },
        ),
        (
            "returns.negative_quantity",
            {"returns": {"negative_quantity": True}},
            {"quantity": pl.when(pl.int_range(pl.len()) == 9).then(-1).otherwise("quantity")},
        ),
        (
            "zero_quantity_is_one",
            {"zero_quantity_is_one": True},
            {"quantity": pl.when(pl.int_range(pl.len()) == 9).then(0).otherwise("quantity")},
        ),
        (
            "whole_number_ids (customer_id)",
            {"whole_number_ids": ["customer_id"]},
            {"customer_id": pl.col("customer_id").str.strip_prefix("c") + ".0"},
        ),
        (
            "id_width (item_id)",
            {"id_width": {"item_id": 4}},
            {"item_id": pl.col("item_id").str.strip_prefix("p")},
        ),
        ("properties (till)", {"properties": ["till"]}, {"till": pl.lit("3")}),
        (
            "require.item_id",
            {"require": {"item_id": {"pattern": "^p"}}},
            {
                "item_id": pl.when(pl.int_range(pl.len()) == 9)
                .then(pl.lit("x"))
                .otherwise("item_id")
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_setting_that_does_nothing_is_named(
    setting: str, mapping: Mapping[str, object], change: dict[str, pl.Expr], tmp_path: Path
) -> None:
    plain = orders().with_columns(till=pl.lit(None, pl.String))
    said = f"the mapping's [events] {setting} {NOTHING}"
    assert idle(tmp_path, {"events": mapping}, plain) == [said]
    assert idle(tmp_path, {"events": mapping}, plain.with_columns(**change)) == []


def test_settings_of_the_catalogue_are_looked_at(tmp_path: Path) -> None:
    mapping = {"items": {"whole_number_ids": ["item_id"], "require": {"title": {"pattern": "T"}}}}
    assert idle(tmp_path, mapping) == [
        f"the mapping's [items] whole_number_ids (item_id) {NOTHING}",
        f"the mapping's [items] require.title {NOTHING}",
    ]


@pytest.mark.parametrize(
    ("setting", "column"),
    [
        ("category_separator", "category"),
        ("categories_separator", "category"),
        ("tags_separator", "tags"),
    ],
)
def test_a_separator_that_no_row_has_is_named(setting: str, column: str, tmp_path: Path) -> None:
    said = f"the mapping's [items] {setting} {NOTHING}"
    items = catalogue().with_columns(pl.lit("Food > Tea").alias(column))
    assert idle(tmp_path, {"items": {setting: "/"}}, items=items) == [said]
    assert idle(tmp_path, {"items": {setting: " > "}}, items=items) == []


def test_an_effect_in_a_later_batch_counts() -> None:
    effects = Effects()
    effects.add("events", "joins.orders")
    effects.add("events", "exclude.status")
    effects.add("items", "joins.prices")
    effects.add("events", "joins.orders", 0)
    assert effects.idle("events") == ("joins.orders", "exclude.status")
    effects.add("events", "joins.orders", 5)
    assert effects.idle("events") == ("exclude.status",)
    assert effects.idle("customers") == ()


def test_settings_that_conversions_count_are_named_where_they_did_nothing(tmp_path: Path) -> None:
    (tmp_path / "keys.csv").write_text("key,colour\nelse,red\n")
    events = orders().with_columns(pl.lit("paid").alias("status"))
    mapping = {
        "events": {
            "returns": {"when": {"status": {"any_of": ["refunded"]}}},
            "type_when": {"view": {"status": {"any_of": ["seen"]}}},
            "joins": {"keys": {"files": ["keys.csv"], "on": {"order_id": "key"}}},
        },
        "items": {"unavailable": {"title": {"any_of": ["Nothing"]}}},
    }
    said = " ".join(idle(tmp_path, mapping, events))
    for setting in ("returns.when", "type_when.view", "joins.keys", "unavailable"):
        assert f"{setting} {NOTHING}" in said
    (tmp_path / "keys.csv").write_text("key,colour\no1,red\n")
    mapping = {
        "events": {
            "returns": {"when": {"order_id": {"any_of": ["o3"]}}},
            "type_when": {"view": {"order_id": {"any_of": ["o5"]}}},
            "joins": mapping["events"]["joins"],
        },
        "items": {"unavailable": {"title": {"any_of": ["Thing p001"]}}},
    }
    assert idle(tmp_path, mapping, events) == []
