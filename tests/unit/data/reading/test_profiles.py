from pathlib import Path

import polars as pl
import pytest

from recsys.data.reading.event_columns import match_event_columns
from recsys.data.reading.mapping import EventMapping
from recsys.data.reading.profile_columns import loose, names_in, with_columns, written_as
from recsys.data.reading.profiles import (
    Shape,
    checked,
    find_profile,
    laid_over,
    shipped_profiles,
)
from recsys.errors import ConfigError

SHAPES = [
    pytest.param(profile, shape, id=f"{profile.name}-{shape.table}-{place}")
    for profile in shipped_profiles()
    for place, shape in enumerate(profile.shapes)
]


def file_columns(shape: Shape) -> list[str]:
    """Returns every column of the file that a shape names, and those to recognise it by."""
    made = ("item.", *(f"{name}." for name in shape.values.get("joins", {})))
    named = [
        name for name in names_in(shape.values) if not name.startswith(made) and "*" not in name
    ]
    return sorted({*named, *shape.recognise})


@pytest.mark.parametrize(("profile", "shape"), SHAPES)
def test_a_shape_is_a_valid_mapping(profile: object, shape: Shape) -> None:
    assert profile.title
    for columns in (list(shape.recognise), file_columns(shape)):
        base = shape.mapping_for(columns)
        mapping = getattr(checked({shape.table: base}, "test"), shape.table)
        assert not shape.lacks(columns)
        assert set(names_in(base)) <= set(mapping.optional)
        assert mapping.guess is False


@pytest.mark.parametrize(("profile", "shape"), SHAPES)
def test_all_columns_of_a_shape_make_a_table(profile: object, shape: Shape) -> None:
    del profile
    columns = file_columns(shape)
    mapping = getattr(checked({shape.table: shape.mapping_for(columns)}, "test"), shape.table)
    made = [name for name in names_in(shape.values) if name not in columns]
    if shape.table == "events":
        found = match_event_columns(Path("x"), (*columns, *made), mapping)
        assert {"customer_id", "item_id", "event_time"} <= found.sources.keys()
        assert all(note.how in {"profile", "constant", "default"} for note in found.notes)
    else:
        key = "item_id" if shape.table == "items" else "customer_id"
        assert key in mapping.columns


@pytest.mark.parametrize(("profile", "shape"), SHAPES)
def test_case_spaces_and_signs_do_not_count(profile: object, shape: Shape) -> None:
    del profile
    columns = [name.upper().replace(" ", "_") + " " for name in file_columns(shape)]
    if shape.exact:
        assert shape.lacks([f"{name} " for name in shape.recognise]) == shape.recognise
        return
    assert not shape.lacks(columns)
    base = shape.mapping_for(columns)
    renamed = {loose(name) for name in names_in(base) if name in columns}
    assert renamed >= {
        loose(name) for name in file_columns(shape) if name in names_in(shape.values)
    }


def test_profiles_are_told_apart() -> None:
    """No shape's own columns are recognised as another profile's, by more of them."""
    for profile in shipped_profiles():
        for shape in profile.shapes:
            columns = file_columns(shape)
            fitting = [
                (len(other.recognise), one.name)
                for one in shipped_profiles()
                for other in one.shapes
                if other.table == shape.table and not other.lacks(columns)
            ]
            assert max(fitting)[0] == max(n for n, name in fitting if name == profile.name)


def shape(**values: object) -> Shape:
    return Shape("events", "x", ("Order ID",), False, values)  # noqa: FBT003 - not exact


def test_names_become_the_files_where_settings_name_columns() -> None:
    values = {
        "columns": {"customer_id": ["order id", "who"], "item_id": "item.Order ID"},
        "line_value": "order_id",
        "time_parts": ["ORDER-ID", "x"],
        "missing_in": {"order id": ["Order ID"]},
        "require": {"order id": {"any_of": ["Order_ID"]}, "item_id": {"present": True}},
        "exclude": {"when": {"present": False}, "order id": {"pattern": "order id"}},
        "returns": {
            "column": "order id",
            "prefix": "order id",
            "when": {"order id": {"above": 1}},
        },
        "type_when": {"order id": {"order id": {"above": 1}}},
        "mentions": [{"rows": {"order id": {"above": 1}}, "text": "order id"}],
        "fill_down": {"by": "order id", "columns": ["order id"], "first": "order id"},
        "explode": {"columns": ["order id"], "separator": "order id"},
        "constants": {"channel": "order id"},
        "joins": {"o": {"files": ["order id"], "on": {"order id": "order id"}}},
    }
    found = shape(**values).mapping_for(["Order_ID", "Item ID"])
    mapping = EventMapping.model_validate(found)
    assert mapping.columns == {"customer_id": ("Order_ID", "who"), "item_id": "item.Order ID"}
    assert mapping.line_value == "Order_ID"
    assert mapping.time_parts == ("Order_ID", "x")
    assert mapping.missing_in == {"Order_ID": ("Order ID",)}
    assert set(mapping.require) == {"Order_ID", "item_id"}
    assert mapping.require["Order_ID"].any_of == ("Order_ID",)
    assert set(mapping.exclude) == {"when", "Order_ID"}
    assert mapping.exclude["Order_ID"].pattern == "order id"
    assert (mapping.returns.column, mapping.returns.prefix) == ("Order_ID", "order id")
    assert set(mapping.returns.when) == {"Order_ID"}
    assert set(mapping.type_when) == {"order id"}
    assert set(mapping.type_when["order id"]) == {"Order_ID"}
    assert mapping.mentions[0].text == "order id"
    assert set(mapping.mentions[0].rows) == {"Order_ID"}
    assert mapping.fill_down.by == mapping.fill_down.first == "Order_ID"
    assert (mapping.explode.columns, mapping.explode.separator) == (("Order_ID",), "order id")
    assert mapping.constants == {"channel": "order id"}
    assert mapping.joins["o"].files == ("order id",)
    assert mapping.joins["o"].on == {"Order_ID": "order id"}


def test_patterns_of_names_fit_the_files() -> None:
    values = {"explode": {"columns": ["line_item_*"]}}
    change = written_as(["Line Item 1", "Line Item 2"])
    found = with_columns(values, change, ["Line Item 1", "Line Item 2", "Line"])
    assert found["explode"]["columns"] == ["Line Item 1", "Line Item 2"]
    same = with_columns(values, change, ["line_item_1"])
    assert same["explode"]["columns"] == ["line_item_*"]


def test_names_in_other_scripts_are_names() -> None:
    other = Shape("events", "x", ("用户", "商品"), False, {"columns": {"item_id": "商品"}})  # noqa: FBT003
    assert other.lacks(["时间", "价格"]) == ("用户", "商品")
    assert other.lacks(["商品", "用户"]) == ()
    assert other.mapping_for(["用户", " 商品"])["columns"] == {"item_id": " 商品"}


BASE = {
    "columns": {"item_id": "sku", "customer_id": "mail", "unit_price": "price"},
    "constants": {"event_type": "purchase", "channel": "web"},
    "exclude": {"status": {"any_of": ["void"]}},
    "optional": ["mail", "price", "sku", "status"],
    "guess": False,
}


@pytest.mark.parametrize(
    ("own", "key", "expected"),
    [
        ({"columns": {"item_id": "ean"}}, "columns", {**BASE["columns"], "item_id": "ean"}),
        (
            {"constants": {"item_id": "x"}},
            "columns",
            {"customer_id": "mail", "unit_price": "price"},
        ),
        ({"columns": {"event_type": "kind"}}, "constants", {"channel": "web"}),
        ({"line_value": "total"}, "columns", {"item_id": "sku", "customer_id": "mail"}),
        (
            {"exclude": {"test": {"present": True}}},
            "exclude",
            {"status": {"any_of": ["void"]}, "test": {"present": True}},
        ),
        (
            {"exclude": {"status": {"pattern": "x"}}},
            "exclude",
            {"status": {"pattern": "x"}},
        ),
        ({"columns": {"item_id": "sku"}}, "optional", ["mail", "price", "status"]),
        ({"optional": ["more"]}, "optional", ["mail", "more", "price", "sku", "status"]),
        ({"guess": True}, "guess", True),
    ],
)
def test_a_users_mapping_over_a_profile(
    own: dict[str, object], key: str, expected: object
) -> None:
    found = laid_over(BASE, own)
    assert found[key] == expected
    assert checked({"events": found}, "test")


@pytest.mark.parametrize(
    ("base", "own", "gone"),
    [
        ({"line_value": "total"}, {"columns": {"unit_price": "price"}}, "line_value"),
        ({"line_value": "total"}, {"constants": {"unit_price": "1"}}, "line_value"),
        ({"time_parts": ["d", "t"]}, {"columns": {"event_time": "at"}}, "time_parts"),
        ({"properties": ["a"]}, {"columns": {"properties": "p"}}, "properties"),
        (
            {"explode": {"columns": ["a"], "field_separator": "|"}},
            {"explode": {"columns": ["b"]}},
            "field_separator",
        ),
    ],
)
def test_other_ways_are_replaced(
    base: dict[str, object], own: dict[str, object], gone: str
) -> None:
    found = laid_over(base, own)
    assert gone not in found
    assert gone not in found.get("explode", {})
    assert checked({"events": found}, "test")


def test_parts_of_times_replace_a_column_and_a_constant() -> None:
    own = {"time_parts": ["d", "t"], "line_value": "total", "properties": ["a"]}
    base = {
        "columns": {"event_time": "at", "properties": "p", "item_id": "sku"},
        "constants": {"unit_price": "1"},
    }
    found = laid_over(base, own)
    assert (found["columns"], found["constants"]) == ({"item_id": "sku"}, {})


def test_profiles_by_name_and_file(tmp_path: Path) -> None:
    assert find_profile("shopify").title == "Shopify"
    with pytest.raises(ConfigError, match=r"no profile 'shopfy'; there are ga4, .*`none`"):
        find_profile("shopfy")
    with pytest.raises(ConfigError, match="no such file"):
        find_profile(str(tmp_path / "own.toml"))
    own = tmp_path / "own.toml"
    own.write_text('title = "Own"\n[[events]]\nexport = "x"\nrecognise = ["a"]\n')
    assert find_profile(str(own)).shapes[0].recognise == ("a",)
    for wrong in ("recognise = []", 'recognise = ["a"]\nline_valu = "b"'):
        own.write_text(f'title = "Own"\n[[events]]\nexport = "x"\n{wrong}\n')
        with pytest.raises(ConfigError, match=r"own\.toml"):
            find_profile(str(own))


def test_shapes_read_with_the_readers_own_columns() -> None:
    """A shape's columns are those of a frame, however it orders them."""
    shopify = find_profile("shopify").shapes[0]
    frame = pl.DataFrame(schema=dict.fromkeys(reversed(file_columns(shopify)), pl.String))
    assert not shopify.lacks(frame.columns)
