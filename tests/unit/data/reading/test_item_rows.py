from datetime import UTC, date, datetime

import polars as pl
import pytest

from recsys.data.events import ITEM_SCHEMA, TIME
from recsys.data.reading.customer_rows import convert_customers
from recsys.data.reading.entity_rows import EntityRows
from recsys.data.reading.guess import ITEM_NAMES, guess_columns
from recsys.data.reading.item_rows import convert_items
from recsys.data.reading.mapping import CustomerMapping, ItemMapping
from recsys.data.reading.mapping_parts import Explode, Rule
from recsys.data.reading.raw import ROW

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def numbered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_row_index(ROW, offset=1).with_columns(pl.col(ROW).cast(pl.Int64))


def convert(frame: pl.DataFrame, mapping: ItemMapping | None = None) -> EntityRows:
    mapping = mapping or ItemMapping()
    given = {k: (v,) if isinstance(v, str) else v for k, v in mapping.columns.items()}
    used = {column for columns in given.values() for column in columns}
    free = [column for column in frame.columns if column not in used]
    guessed = {k: (v,) for k, v in guess_columns(free, ITEM_NAMES).items()}
    return convert_items(numbered(frame), {**guessed, **given}, mapping, now=NOW)


def item(frame: pl.DataFrame, mapping: ItemMapping | None = None) -> dict[str, object]:
    done = convert(frame, mapping)
    assert done.rejects.is_empty(), done.rejects.rows()
    return done.rows.row(0, named=True)


def reason(**cells: object) -> tuple[str, str, str | None]:
    frame = pl.DataFrame({"item_id": ["a"], **{k: [v] for k, v in cells.items()}})
    done = convert(frame)
    assert done.rows.is_empty()
    return done.rejects.row(0)[1:]


def test_a_bare_item_is_available() -> None:
    done = convert(pl.DataFrame({"sku": ["b", "a"]}))
    assert dict(done.rows.schema) == ITEM_SCHEMA
    assert done.rows["item_id"].to_list() == ["a", "b"]
    assert done.rows["available"].to_list() == [True, True]
    assert done.rows["category"].to_list() == [None, None]


def test_the_first_row_of_an_id_stays() -> None:
    done = convert(pl.DataFrame({"item_id": ["a", "b", "a"], "title": ["first", "x", "second"]}))
    assert done.rows["title"].to_list() == ["first", "x"]
    assert done.rejects.is_empty()


def test_paths_and_tags_in_one_text() -> None:
    row = item(pl.DataFrame({"item_id": ["a"], "category": ["Food > Tea>"], "tags": ["x| y"]}))
    assert row["category"] == ["Food", "Tea"]
    assert row["tags"] == ["x", "y"]
    mapping = ItemMapping(category_separator="/", tags_separator=",")
    row = item(pl.DataFrame({"item_id": ["a"], "category": ["F/T"], "tags": ["x,y"]}), mapping)
    assert (row["category"], row["tags"]) == (["F", "T"], ["x", "y"])


def test_paths_and_titles_of_several_columns_stay_attributes() -> None:
    frame = pl.DataFrame(
        {"item_id": ["a", "b"], "dep": ["Food", None], "kind": ["Tea", None], "size": ["1 lb"] * 2}
    )
    mapping = ItemMapping(columns={"category": ("dep", "kind"), "title": ("kind", "size")})
    done = convert(frame, mapping).rows
    assert done["category"].to_list() == [["Food", "Tea"], None]
    assert done["title"].to_list() == ["Tea 1 lb", "1 lb"]
    assert done["dep"].to_list() == ["Food", None]
    assert done["size"].to_list() == ["1 lb", "1 lb"]


def test_lists_and_markets() -> None:
    markets = [{"market": "de", "available": "false", "price": "1.5"}, {"market": "fr"}]
    frame = pl.DataFrame({"item_id": ["a"], "category": [["F", "T"]], "markets": [markets]})
    row = item(frame)
    assert row["category"] == ["F", "T"]
    assert row["markets"] == [
        {"market": "de", "available": False, "price": 1.5},
        {"market": "fr", "available": True, "price": None},
    ]


def test_markets_of_a_typed_file() -> None:
    dtype = pl.List(pl.Struct({"market": pl.String, "available": pl.Boolean}))
    rows = pl.DataFrame(
        {"item_id": ["a", "b"], "markets": [[{"market": "de", "available": False}], None]},
        schema_overrides={"markets": dtype},
    )
    expected = [{"market": "de", "available": False, "price": None}]
    assert convert(rows).rows["markets"].to_list() == [expected, None]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("yes", True),
        ("FALSE", False),
        ("0", False),
        ("In stock", True),
        ("", True),
        (0, False),
        ("17", True),
        ("0.0", False),
        (True, True),
    ],
)
def test_availability(cell: object, *, expected: bool) -> None:
    assert item(pl.DataFrame({"item_id": ["a"], "in_stock": [cell]}))["available"] is expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"item_id": " "}, ("item_id", "missing id", None)),
        ({"item_id": "a\n"}, None),
        ({"item_id": "a\nb"}, ("item_id", "control characters in an id", "a\nb")),
        ({"price": "cheap"}, ("price", "bad number", "cheap")),
        ({"cost": "-1"}, ("cost", "negative price", "-1")),
        ({"available": "perhaps"}, ("available", "neither yes nor no", "perhaps")),
        ({"created_at": "soon"}, ("created_at", "bad time", "soon")),
        ({"markets": "de"}, ("markets", "not a list of markets", "de")),
        (
            {"markets": [{"price": 1.0}]},
            (
                "markets",
                "a market without a name or with a negative price",
                '[{"price":1.0}]',
            ),
        ),
        (
            {"markets": [{"market": "de", "price": -1.0}]},
            (
                "markets",
                "a market without a name or with a negative price",
                '[{"market":"de","price":-1.0}]',
            ),
        ),
    ],
)
def test_what_is_wrong_is_said(cells: dict[str, object], expected: tuple | None) -> None:
    if expected is None:
        assert convert(pl.DataFrame(cells)).rows["item_id"].to_list() == ["a"]
    else:
        assert reason(**cells) == expected


def test_rules() -> None:
    mapping = ItemMapping(require={"item_id": Rule(pattern="^[0-9]"), "price": Rule(above=0)})
    done = convert(pl.DataFrame({"item_id": ["1", "x", "2"], "price": [1, 1, 0]}), mapping)
    assert done.rows["item_id"].to_list() == ["1"]
    assert len(done.rejects) == 2


def test_attributes_get_types() -> None:
    frame = pl.DataFrame(
        {
            "item_id": ["a", "b"],
            "count": ["1", ""],
            "code": ["007", "12"],
            "weight": ["1.5", "2"],
            "organic": ["True", "false"],
            "launch": ["2024-01-02", "2024-01-03"],
            "almost": ["2024-01-02", "2024-99-99"],
            "empty": [None, None],
            "words": ["x", " y "],
            "day": [date(2024, 1, 2)] * 2,
            "small": pl.Series([1, 2], dtype=pl.UInt8),
            "huge": pl.Series([1, 2**64 - 1], dtype=pl.UInt64),
            "share": [0.5, float("nan")],
            "flag": [True, False],
            "list": [[1, 2], []],
            "struct": [{"k": 1}, {"k": 2}],
            "price": [1, 2],
        },
        schema_overrides={"empty": pl.String},
    )
    rows = convert(frame, ItemMapping(drop=("words",))).rows
    attributes = {name: rows.schema[name] for name in rows.columns if name not in ITEM_SCHEMA}
    assert attributes == {
        "count": pl.Int64(),
        "code": pl.String(),
        "weight": pl.Float64(),
        "organic": pl.Boolean(),
        "launch": TIME,
        "almost": pl.String(),
        "empty": pl.Null(),
        "day": TIME,
        "small": pl.Int64(),
        "huge": pl.String(),
        "share": pl.Float64(),
        "flag": pl.Boolean(),
        "list": pl.List(pl.String()),
        "struct": pl.String(),
    }
    assert rows["launch"][0] == datetime(2024, 1, 2, tzinfo=UTC)
    assert rows["share"].to_list() == [0.5, None]
    assert rows["price"].to_list() == [1.0, 2.0]


def test_decimal_commas_in_attributes() -> None:
    rows = convert(
        pl.DataFrame({"item_id": ["a"], "kg": ["1,5"]}), ItemMapping(decimal_comma=True)
    )
    assert rows.rows["kg"].to_list() == [1.5]


def test_customers() -> None:
    frame = numbered(
        pl.DataFrame(
            {"User ID": ["2.0", "1.0", None, "visitor/3", "2.0"], "age": [30, 40, 1, 2, 3]}
        )
    )
    mapping = CustomerMapping(whole_number_ids=("customer_id",))
    done = convert_customers(frame, {"customer_id": ("User ID",)}, mapping)
    assert done.rows.rows() == [("1", 40), ("2", 30)]
    assert [row[0] for row in done.rejects.rows()] == [3, 4]


def test_the_first_column_with_a_value_counts() -> None:
    frame = pl.DataFrame(
        {
            "item_id": ["a", "b", "c"],
            "in": ["1", None, "soon"],
            "stock": ["0", "0", "5"],
            "made": [None, "2024-01-02", None],
            "seen": ["2024-02-03", "2024-02-04", None],
        }
    )
    mapping = ItemMapping(
        columns={"available": ("in", "stock"), "created_at": ("made", "seen")}, attributes=()
    )
    rows = convert(frame, mapping).rows
    assert rows["available"].to_list() == [True, False, True]
    assert rows["created_at"].dt.to_string("%m-%d").to_list() == ["02-03", "01-02", None]


def test_markets_of_a_second_column() -> None:
    frame = pl.DataFrame({"item_id": ["a"], "m1": [None], "m2": [[{"market": "de"}]]})
    mapping = ItemMapping(columns={"markets": ("m1", "m2")}, attributes=())
    assert item(frame, mapping)["markets"][0]["market"] == "de"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"stock": "0", "orders": "yes"}, True),
        ({"stock": "5", "status": "draft"}, False),
        ({"stock": "0", "orders": "yes", "status": "DRAFT"}, False),
        ({"stock": "5", "status": "active"}, True),
        ({"stock": "perhaps", "status": "draft"}, False),
        ({"stock": None, "status": None}, True),
    ],
)
def test_rules_go_before_stock(cells: dict[str, str | None], *, expected: bool) -> None:
    mapping = ItemMapping(
        columns={"available": "stock"},
        available_when={"orders": Rule(any_of=("yes",)), "none": Rule(present=True)},
        unavailable={"status": Rule(any_of=("draft",)), "price": Rule(above=100)},
        attributes=(),
    )
    frame = pl.DataFrame({"item_id": ["a"], **{k: [v] for k, v in cells.items()}})
    assert item(frame, mapping)["available"] is expected


def test_rules_on_columns_of_ours() -> None:
    mapping = ItemMapping(
        unavailable={"price": Rule(above=100)}, exclude={"brand": Rule(any_of=("x",))}
    )
    frame = pl.DataFrame(
        {"item_id": ["a", "b", "c"], "price": [500, 5, 5], "brand": ["y", "y", "X"]}
    )
    done = convert(frame, mapping)
    assert done.rows["available"].to_list() == [False, True]
    assert done.rejects["reason"].to_list() == ["left out by exclude: one of x"]


def test_several_categories_and_their_tags() -> None:
    frame = pl.DataFrame({"item_id": ["a"], "cats": ["Food > Tea, Gifts ,"], "tags": ["new"]})
    mapping = ItemMapping(
        columns={"category": "cats"}, categories_separator=",", tags_separator=",", attributes=()
    )
    row = item(frame, mapping)
    assert row["category"] == ["Food", "Tea"]
    assert row["tags"] == ["new", "Food > Tea", "Gifts"]
    levels = ItemMapping(columns={"category": ("l1", "l2")}, categories_separator="|")
    frame = pl.DataFrame({"item_id": ["a", "b"], "l1": ["Toys|Games", None], "l2": [" Board", ""]})
    assert convert(frame, levels).rows["category"].to_list() == [["Toys", "Board"], None]


def test_ids_have_their_width() -> None:
    mapping = ItemMapping(id_width={"item_id": 4, "group_id": 3})
    frame = pl.DataFrame({"item_id": ["12", "A1"], "group_id": ["1", None]})
    rows = convert(frame, mapping).rows
    assert rows["item_id"].to_list() == ["0012", "A1"]
    assert rows["group_id"].to_list() == ["001", None]


def test_places_of_items_are_no_attributes() -> None:
    frame = pl.DataFrame(
        {"item_id": ["a"], "item.#": [0], "item.size.x": ["L"], "item.size_x": ["M"]}
    )
    rows = convert(frame, ItemMapping(explode=Explode(columns=("items",)))).rows
    assert [name for name in rows.columns if name not in ITEM_SCHEMA] == [
        "item_size_x",
        "item.size_x",
    ]


def test_an_empty_catalogue() -> None:
    frame = pl.DataFrame(schema={"item_id": pl.String, "price": pl.String, "sale": pl.String})
    mapping = ItemMapping(sale_price="sale", require={"x": Rule(present=True)})
    assert convert(frame, mapping).rows.is_empty()


def test_rules_on_customers() -> None:
    frame = numbered(
        pl.DataFrame(
            {"id": ["1", "2", None], "staff": ["no", "yes", "no"], "n": ["1,5", "0", "2"]}
        )
    )
    mapping = CustomerMapping(
        exclude={"staff": Rule(any_of=("yes",))},
        require={"customer_id": Rule(present=True), "n": Rule(above=1)},
        decimal_comma=True,
        id_width={"customer_id": 3},
    )
    done = convert_customers(frame, {"customer_id": ("id",)}, mapping)
    assert done.rows["customer_id"].to_list() == ["001"]
    assert done.rejects["reason"].to_list() == [
        "left out by exclude: one of yes",
        "left out by require: missing id or value",
    ]


@pytest.mark.parametrize(
    ("text", "separator", "category", "tags"),
    [
        ("Home > Mugs, Home > Gifts > Tea", None, ["Home", "Mugs"], 2),
        ("Food, Drinks > Tea", None, ["Food, Drinks", "Tea"], None),
        ("Home, Garden > Pots, Bowls > Clay", None, ["Home, Garden", "Pots, Bowls", "Clay"], None),
        ("Home > Pots, Bowls", None, ["Home", "Pots, Bowls"], None),
        ("Tea, Coffee", None, ["Tea, Coffee"], None),
        (r"Food\, Drinks > Tea, Gifts", ",", ["Food, Drinks", "Tea"], 2),
    ],
)
def test_commas_in_and_between_categories(
    text: str, separator: str | None, category: list[str], tags: int | None
) -> None:
    frame = pl.DataFrame({"item_id": ["a"], "category": [text]})
    one = item(frame, ItemMapping(guess=False, categories_separator=separator))
    assert one["category"] == category
    assert (None if one["tags"] is None else len(one["tags"])) == tags


def test_attributes_of_any_name() -> None:
    names = ("*", "^x$", "texts", "count")
    frame = pl.DataFrame({"item_id": ["a"], **{name: ["7"] for name in names}, "none": [None]})
    row = item(frame)
    assert [row[name] for name in names] == [7] * len(names)
