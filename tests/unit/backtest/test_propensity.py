"""Figures of who redeems equal counting by hand, and intervals draw customers whole."""

import numpy as np
import pytest

from recsys.backtest.propensity import METRICS, figures, stand


def test_figures_are_those_by_hand() -> None:
    redeemed = np.array([1, 0, 0, 0, 0, 0, 0, 0, 0, 1], dtype=float)
    ours = np.array([9, 8, 7, 6, 5, 4, 3, 2, 1, 0], dtype=float)
    found = figures(np.stack([ours, -ours]), redeemed)
    assert found.shape == (2, len(METRICS))
    assert found[0].tolist() == [0.5, 1.0]
    assert found[1].tolist() == [0.5, 1.0]


def test_ties_at_the_edge_count_in_part() -> None:
    redeemed = np.array([1, 0, 0, 1] + [0] * 16, dtype=float)
    scores = np.array([5.0, 3, 3, 3] + [0.0] * 16)
    # Two places: the first is right, the second one of three of which one is.
    assert figures(scores[None], redeemed)[0, 1] == pytest.approx((1 + 1 / 3) / 2)
    assert figures(np.zeros((1, 20)), redeemed)[0, 1] == pytest.approx(0.1)


def test_a_better_order_leads_for_sure_and_itself_not() -> None:
    rng = np.random.default_rng(0)
    customers = np.repeat(np.arange(400), 3)
    truth = np.repeat(rng.random(400), 3)
    redeemed = (rng.random(1_200) < truth * 0.6).astype(float)
    contenders = {"ours": truth, "none": rng.random(1_200)}
    found = stand(contenders, redeemed, customers, seed=1, resamples=200)
    for figure, lead in zip(found["none"].figures, found["none"].leads, strict=True):
        assert lead.low > 0
        assert figure.low < figure.value < figure.high
    assert all(each.value == each.low == each.high == 0 for each in found["ours"].leads)


def test_customers_are_drawn_whole() -> None:
    """Copies of every contact tell nothing new: the interval stays as wide."""
    rng = np.random.default_rng(2)
    customers, scores = np.arange(300), rng.random(300)
    redeemed = (rng.random(300) < scores).astype(float)
    once = stand({"ours": scores}, redeemed, customers, seed=3, resamples=300)["ours"]
    copied = [np.tile(each, 5) for each in (scores, redeemed, customers)]
    many = stand({"ours": copied[0]}, copied[1], copied[2], seed=3, resamples=300)["ours"]
    assert many.figures[0].value == pytest.approx(once.figures[0].value)
    widths = [each.figures[0].high - each.figures[0].low for each in (once, many)]
    assert widths[1] == pytest.approx(widths[0], rel=0.05)


def test_without_both_kinds_there_is_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="redeemed and contacts that were not"):
        stand({"ours": np.zeros(3)}, np.zeros(3), np.arange(3), seed=0)
