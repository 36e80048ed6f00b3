"""A table becomes a trial, and what it lacks is named."""

import numpy as np
import polars as pl
import pytest

from evaluation.uplift.table import MAX_NAMES, UpliftColumns, trial_of
from recsys.errors import DataError

TABLE = pl.DataFrame(
    {
        "arm": ["a", "b", None, "c", "a"],
        "sent": [True, False, True, False, True],
        "age": [30, None, 50, 60, 70],
        "town": ["rome", "oslo", None, "rome", "bonn"],
        "seen": pl.Series(["2026-01-01"] * 5).str.to_date(),
        "bought": [1, 0, 1, 0, 0],
        "chance": [0.4, 0.5, 0.5, 0.5, 0.6],
    }
)


def columns(**changes: object) -> UpliftColumns:
    given = {
        "treatment": "arm",
        "treated": "a",
        "control": "b",
        "outcome": "bought",
        "features": ("age", "town", "seen"),
    } | changes
    return UpliftColumns(**given)  # type: ignore[arg-type]


def test_two_arms_are_kept_and_texts_become_numbers() -> None:
    trial, features = trial_of(TABLE, columns())
    assert trial.treated.tolist() == [True, False, True]
    assert trial.outcomes.tolist() == [1.0, 0.0, 0.0]
    assert trial.chances.tolist() == pytest.approx([2 / 3] * 3)
    assert trial.categories == (1,)
    assert features[1].labels == ("bonn", "oslo", "rome")
    np.testing.assert_array_equal(trial.rows[:, 0], [30, np.nan, 70])
    assert trial.rows[:, 1].tolist() == [2, 1, 0]


def test_true_and_false_are_1_and_0() -> None:
    sides = columns(treatment="sent", treated="1", control="0", chance="chance")
    trial, _ = trial_of(TABLE, sides)
    assert trial.treated.tolist() == [True, False, True, False, True]
    assert trial.chances.tolist() == [0.4, 0.5, 0.5, 0.5, 0.6]
    assert np.isnan(trial.rows[2, 1])


def test_numbers_that_are_whole_are_found_by_their_digits() -> None:
    table = TABLE.with_columns(arm=pl.Series([1.0, 0.0, 1.0, 0.0, None]))
    trial, _ = trial_of(table, columns(treated="1", control="0"))
    assert len(trial) == 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcome": "spend"}, "no column 'spend'"),
        ({"features": ("age", "height")}, "no column 'height'"),
        ({"features": ("age", "bought")}, "'bought' is no feature"),
        ({"treated": "z"}, "nobody has arm = 'z'; there are a, b, c"),
        (
            {"outcome": "town", "features": ("age",)},
            "town: holds values that are missing or no numbers",
        ),
        ({"outcome": "age", "features": ("seen",)}, "age: holds values that are missing"),
        ({"chance": "bought"}, "not between 0 and 1"),
    ],
)
def test_what_cannot_be_read_is_named(changes: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        trial_of(TABLE, columns(**changes))


def test_a_column_of_ids_is_no_feature() -> None:
    count = 2 * (MAX_NAMES + 1)
    table = pl.DataFrame(
        {
            "arm": ["a", "b"] * (count // 2),
            "id": [str(number) for number in range(count)],
            "bought": [0] * count,
        }
    )
    with pytest.raises(DataError, match="no groups of customers"):
        trial_of(table, columns(features=("id",)))
