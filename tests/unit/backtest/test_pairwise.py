import numpy as np
import pytest

from recsys.backtest.pairwise import pairwise
from recsys.backtest.significance import holm

RNG = np.random.default_rng(1)
HARDNESS = RNG.random(400)
VALUES = {
    "base": HARDNESS,
    "same": HARDNESS + RNG.normal(0.0, 0.05, size=400),
    "better": HARDNESS + RNG.normal(0.03, 0.05, size=400),
}


def test_every_two_are_compared_and_the_certain_come_first() -> None:
    pairs = pairwise(VALUES, seed=0, permutations=999)
    assert {(pair.first, pair.second) for pair in pairs} == {
        ("base", "same"),
        ("base", "better"),
        ("same", "better"),
    }
    assert (pairs[-1].first, pairs[-1].second) == ("base", "same")
    assert [pair.p_holm <= 0.05 for pair in pairs] == [True, True, False]
    for pair in pairs:
        both = VALUES[pair.first] - VALUES[pair.second]
        assert pair.difference.value == pytest.approx(both.mean())
        assert pair.difference.low <= pair.difference.value <= pair.difference.high
    assert [pair.p_holm for pair in pairs] == holm(np.array([p.p for p in pairs])).tolist()


def test_customers_with_one_value_do_not_count() -> None:
    one = np.array([1.0, np.nan, 3.0, 2.0])
    other = np.array([0.5, 1.0, np.nan, 1.0])
    (pair,) = pairwise({"one": one, "other": other}, seed=0)
    assert pair.difference.value == pytest.approx(0.75)
    assert pair.p == pytest.approx(0.5)


def test_one_configuration_has_no_pair() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        pairwise({"alone": np.ones(3)}, seed=0)
