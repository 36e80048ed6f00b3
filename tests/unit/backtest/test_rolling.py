from dataclasses import replace

import numpy as np
import pytest

from recsys.backtest.baselines import baselines
from recsys.backtest.compare import Contender, Study, compare
from recsys.backtest.contenders import fitted
from recsys.backtest.rolling import mean_by, rolling
from recsys.backtest.rows import Row
from recsys.errors import DataError
from recsys.protocols.holdout import HoldOut
from recsys.protocols.temporal import rolling_origin
from tests.small_shop import shop_dataset

STUDY = Study(dataset="shop", variant="", placements=("for_you",), ks=(5, 10), min_customers=1)


def contenders(holdout: HoldOut) -> list[Contender]:
    known = baselines()
    names = ["personal-frequency", "popularity"]
    return [fitted(name, known[name], holdout.split, mask=holdout.mask) for name in names]


@pytest.fixture(scope="module")
def folds() -> tuple[HoldOut, ...]:
    return rolling_origin(shop_dataset(), test_days=14, folds=2)


@pytest.fixture(scope="module")
def rows(folds: tuple[HoldOut, ...]) -> list[Row]:
    return rolling(folds, contenders, STUDY)


def test_each_cut_off_has_the_rows_it_has_alone(
    folds: tuple[HoldOut, ...], rows: list[Row]
) -> None:
    for fold in folds:
        study = Study("shop", fold.variant, ("for_you",), (5, 10), "rolling-origin", 0, 1)
        alone = compare(fold.split, contenders(fold), study)
        mine = [row for row in rows if row.variant == fold.variant]
        blank = {"seconds": None, "peak_mb": None}
        assert [row.model_copy(update=blank) for row in mine] == [
            row.model_copy(update=blank) for row in alone
        ]


def test_the_mean_counts_every_customer_once(folds: tuple[HoldOut, ...], rows: list[Row]) -> None:
    mean = [row for row in rows if row.variant == "mean of 2 cut-offs"]
    everybody = set(folds[0].split.customers.series()) | set(folds[1].split.customers.series())
    assert {row.customers for row in mean if row.metric == "recall"} == {len(everybody)}
    assert {row.configuration for row in mean} == {
        "personal-frequency",
        "popularity",
        "personal-frequency-minus-popularity",
    }
    by_name = {row.configuration: row.value for row in mean if (row.metric, row.k) == ("ndcg", 10)}
    lead = by_name["personal-frequency"] - by_name["popularity"]
    assert by_name["personal-frequency-minus-popularity"] == pytest.approx(lead)
    assert all(row.seconds is None for row in mean)


def test_a_mean_leaves_out_what_is_not_known() -> None:
    nan = np.nan
    values = np.array([[1.0, nan], [3.0, nan], [5.0, 2.0]])
    found = mean_by(np.array([0, 0, 1]), values)
    np.testing.assert_array_equal(found, [[2.0, nan], [5.0, 2.0]])


def test_a_cut_off_that_nobody_can_be_judged_at_has_no_rows(folds: tuple[HoldOut, ...]) -> None:
    nobody = replace(folds[0].split, after=folds[0].split.after.clear())
    empty, study = replace(folds[0], split=nobody), replace(STUDY, skip_empty=True)
    found = rolling([empty, folds[1]], contenders, study)
    assert {row.variant for row in found} == {folds[1].variant, "mean of 1 cut-offs"}
    with pytest.raises(DataError, match="for_you: no customer has a right answer"):
        rolling([empty, folds[1]], contenders, STUDY)
    with pytest.raises(DataError, match=r"at any of 2 cut-offs: .* right answer for for_you"):
        rolling([empty, empty], contenders, study)
