from decimal import Decimal

import polars as pl
import pytest

from recsys.data.reading import cells
from recsys.data.reading.checks import id_checks, sift
from recsys.data.reading.ids import LOST_DIGITS, NOT_WHOLE
from recsys.data.reading.mapping import FileMapping
from recsys.data.reading.raw import ROW
from recsys.data.reading.whole_ids import WholeIds

MAPPING = FileMapping()


def read(values: pl.Series, ids: WholeIds) -> tuple[list[str | None], list[tuple[str, str]]]:
    """Returns the good ids, and the reason and value of the others."""
    rows = ids.read(values.rename("id").to_frame().with_row_index(ROW))
    found = cells.identifier("id", rows.schema["id"], MAPPING, whole_number=False)
    good, bad = sift(rows.select(ROW, found.alias("id")), id_checks("id"))
    return good["id"].to_list(), list(bad.select("reason", "value").iter_rows())


@pytest.mark.parametrize(
    "values",
    [
        pl.Series(["17850.0", "5", None, "7.00", "-1.0"]),
        pl.Series([17850.0, 5.0, float("nan"), 7.0, -1.0]),
        pl.Series([17850.0, 5.0, None, 7.0, -1.0], dtype=pl.Float32),
        pl.Series([17850, 5, None, 7, -1]).cast(pl.Decimal(38, 2)),
        pl.Series([17850, 5, None, 7, -1]),
        pl.Series([17850, 5, None, 7, -1], dtype=pl.Int128),
        pl.Series(["17850.0", "5.0", "", "7.0", "-1.0"], dtype=pl.Categorical),
    ],
)  # fmt: skip
def test_whole_numbers_are_one_id_in_every_type(values: pl.Series) -> None:
    ids = WholeIds(["id"], MAPPING)
    assert read(values, ids) == (["17850", "5", None, "7", "-1"], [])
    assert bool(ids.notes) == (not values.dtype.is_integer())
    assert all("17850" in note for note in ids.notes)


@pytest.mark.parametrize(
    "values", [["17850.0", "A1"], ["1.5", "2.0"], ["0.1", "0.2"], ["v1.0"], ["1e5", "2.0"]]
)
def test_other_ids_stay_as_they_are(values: list[str]) -> None:
    ids = WholeIds(["id"], MAPPING)
    assert read(pl.Series(values), ids) == (values, [])
    assert not ids.notes


def test_what_contradicts_later_is_refused() -> None:
    ids = WholeIds(["id"], MAPPING)
    assert read(pl.Series(["1", "2"]), ids) == (["1", "2"], [])
    assert read(pl.Series(["1.0", "2"]), ids) == (["1", "2"], [])
    assert read(pl.Series(["A1", "3.0", "1.5"]), ids) == (
        ["3"],
        [(NOT_WHOLE, "A1"), (NOT_WHOLE, "1.5")],
    )


def test_once_texts_always_texts() -> None:
    ids = WholeIds(["id"], MAPPING)
    assert read(pl.Series(["1", "A1"]), ids) == (["1", "A1"], [])
    assert read(pl.Series(["3.0"]), ids) == (["3.0"], [])


@pytest.mark.parametrize(
    ("values", "good"),
    [
        (pl.Series([2.0**53, 2.0**53 - 1, -(2.0**60)]), ["9007199254740991"]),
        (pl.Series([2.0**24, 2.0**24 - 1, 1e10], dtype=pl.Float32), ["16777215"]),
        (pl.Series(["4.01235E+12", "4,01235E+12", "4E+12", "7", "1.5e16"]), ["7"]),
        (pl.Series(["9007199254740992.0", "9007199254740991.0"]), ["9007199254740991"]),
        (pl.Series([Decimal(2**60)], dtype=pl.Decimal(38, 2)), [str(2**60)]),
        (pl.Series(["9007199254740993", "5E12", "E+12"]), ["9007199254740993", "5E12", "E+12"]),
    ],
)
def test_ids_that_have_lost_digits_are_refused(values: pl.Series, good: list[str]) -> None:
    kept, bad = read(values, WholeIds(["id"], MAPPING))
    assert kept == good
    assert {reason for reason, _ in bad} <= {LOST_DIGITS}
    assert len(kept) + len(bad) == len(values)
    assert all("\x1a" not in value for _, value in bad)
