import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.reading.mapping_parts import FillDown
from recsys.data.reading.shape.fill_down import DownFiller

MISSING = ("", "NULL")


def filled(rows: pl.DataFrame, *cuts: int, **settings: object) -> pl.DataFrame:
    filler = DownFiller(FillDown(**{"by": "no", "columns": ("who",), **settings}), MISSING)
    ends = [*cuts, len(rows)]
    parts = [rows[a:b] for a, b in zip([0, *cuts], ends, strict=True)]
    return pl.concat([filler.fill(part) for part in parts])


def orders(*rows: tuple[object, ...]) -> pl.DataFrame:
    return pl.DataFrame(
        rows, schema={"no": pl.String, "who": pl.String, "src": pl.String}, orient="row"
    )


def test_lines_take_what_the_first_one_says() -> None:
    rows = orders(("1", "ann", "w"), ("1", "", None), ("1", "NULL", None), ("2", None, "w"))
    found = filled(rows)
    assert found["who"].to_list() == ["ann", "ann", "ann", None]
    assert found["src"].to_list() == ["w", None, None, "w"]


def test_an_order_goes_on_in_the_next_batch() -> None:
    rows = orders(("1", "ann", ""), ("1", "", ""), ("1", "", ""), ("2", "", ""), ("2", "bob", ""))
    for cut in range(1, 5):
        assert filled(rows, cut)["who"].to_list() == ["ann", "ann", "ann", None, "bob"]
    assert filled(rows, 0, 1, 1, 2, 3, 4)["who"].to_list()[:3] == ["ann"] * 3


def test_a_first_line_takes_nothing_from_above() -> None:
    rows = orders(("1", "ann", "web"), ("1", "", ""), ("1", "", "web"), ("1", "", ""))
    assert filled(rows, 2, first="src")["who"].to_list() == ["ann", "ann", None, None]
    assert filled(rows, first="src").equals(filled(rows, 1, 2, 3, first="src"))
    absent = filled(rows, first="no such column")
    assert absent["who"].to_list() == ["ann"] * 4


def test_an_order_is_a_run_of_lines() -> None:
    rows = orders(("1", "ann", ""), ("2", "bob", ""), ("1", "", ""), ("1", "", ""))
    assert filled(rows)["who"].to_list() == ["ann", "bob", None, None]
    assert filled(rows, 2)["who"].to_list() == ["ann", "bob", None, None]


def test_lines_without_a_number_take_nothing() -> None:
    rows = orders((None, "ann", ""), (None, "", ""), ("", "", ""), ("NULL", "", ""))
    assert filled(rows)["who"].to_list() == ["ann", None, None, None]
    assert filled(rows, 1)["who"].to_list() == ["ann", None, None, None]


def test_values_of_every_type() -> None:
    rows = pl.DataFrame(
        {"no": [1, 1, 2], "who": [7, None, None], "list": [["x"], None, None], "o": [None] * 3}
    )
    found = filled(rows, 1, columns=("who", "list", "o"))
    assert found["who"].to_list() == [7, 7, None]
    assert found["list"].to_list() == [["x"], ["x"], None]
    assert found["o"].to_list() == [None] * 3


def test_batches_that_differ_in_type() -> None:
    filler = DownFiller(FillDown(by="no", columns=("who",)), MISSING)
    filler.fill(pl.DataFrame({"no": ["1"], "who": [None]}))
    assert filler.fill(orders(("1", None, ""), ("1", "ann", "")))["who"].to_list() == [None, "ann"]


def test_nothing_to_fill() -> None:
    rows = orders(("1", "ann", ""), ("1", "", ""))
    assert filled(rows, columns=("other",)).equals(rows)
    assert filled(rows, by="other").equals(rows)
    assert filled(rows.head(0)).equals(rows.head(0))


def test_the_number_itself_may_be_filled() -> None:
    rows = orders(("1", "ann", ""), ("1", "", ""))
    assert filled(rows, columns=("no", "who"))["who"].to_list() == ["ann", "ann"]


def test_names_like_patterns_are_names() -> None:
    rows = pl.DataFrame({"^n$": ["1", "1"], "n": ["2", "3"], "^w$": ["ann", ""], "w": ["x", ""]})
    found = filled(rows, by="^n$", columns=("^w$",))
    assert found["^w$"].to_list() == ["ann", "ann"]
    assert found["w"].to_list() == ["x", ""]


CELLS = st.sampled_from(["", "NULL", "a", "b"])


@given(
    st.lists(st.tuples(st.sampled_from(["1", "2", ""]), CELLS, CELLS), min_size=1, max_size=30),
    st.lists(st.integers(0, 30), max_size=6),
    st.booleans(),
)
def test_batches_change_nothing(
    lines: list[tuple[str, str, str]],
    cuts: list[int],
    first: bool,  # noqa: FBT001 - drawn
) -> None:
    rows = orders(*lines)
    settings = {"columns": ("who",), "first": "src" if first else None}
    inside = sorted(cut for cut in cuts if cut <= len(rows))
    assert filled(rows, *inside, **settings).equals(filled(rows, **settings))
