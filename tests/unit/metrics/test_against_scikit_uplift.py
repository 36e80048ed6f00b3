"""Our metrics of uplift beside scikit-uplift, an independent implementation, on random rows."""

import numpy as np
import pytest
from sklift import metrics as theirs

from recsys.metrics.hits import ValueArray
from recsys.metrics.qini import qini_ratio
from recsys.metrics.uplift_at import uplift_at
from recsys.metrics.uplift_curve import qini_curve, uplift_curve
from recsys.types import BoolArray

pytestmark = pytest.mark.filterwarnings("ignore:.*stable_cumsum.*:FutureWarning")

Rows = tuple[ValueArray, BoolArray, ValueArray]
SEEDS = range(8)


def rows(seed: int) -> Rows:
    """Scores with ties for odd seeds, and sides of unequal size."""
    rng = np.random.default_rng(seed)
    count = 400
    scores = rng.normal(size=count)
    if seed % 2:
        scores = np.round(scores, 1)
    treated = rng.random(count) < 0.3 + 0.05 * seed
    outcomes = (rng.random(count) < 0.2 + 0.2 * treated * (scores > 0)).astype(float)
    return scores, treated, outcomes


@pytest.mark.parametrize("seed", SEEDS)
def test_the_qini_curve_is_theirs_for_each_treated_customer(seed: int) -> None:
    scores, treated, outcomes = rows(seed)
    ours = qini_curve(scores, treated, outcomes)
    places, gains = theirs.qini_curve(outcomes, scores, treated.astype(int))
    np.testing.assert_allclose(ours.shares * len(scores), places)
    np.testing.assert_allclose(ours.gains * treated.sum(), gains, atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_uplift_curve_is_theirs_for_each_customer(seed: int) -> None:
    scores, treated, outcomes = rows(seed)
    ours = uplift_curve(scores, treated, outcomes)
    _, gains = theirs.uplift_curve(outcomes, scores, treated.astype(int))
    np.testing.assert_allclose(ours.gains * len(scores), gains, atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_qini_ratio_is_theirs(seed: int) -> None:
    scores, treated, outcomes = rows(seed)
    expected = theirs.qini_auc_score(outcomes, scores, treated.astype(int))
    assert qini_ratio(scores, treated, outcomes) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(0, 8, 2))  # ties are cut where sorting leaves them
@pytest.mark.parametrize("share", [0.1, 0.3, 0.9])
def test_the_uplift_at_a_share_is_theirs(seed: int, share: float) -> None:
    scores, treated, outcomes = rows(seed)
    expected = theirs.uplift_at_k(
        outcomes, scores, treated.astype(int), strategy="overall", k=int(share * len(scores))
    )
    assert uplift_at(scores, treated, outcomes, share) == pytest.approx(expected, abs=1e-12)
