"""AUC: how often a right item stands before a wrong one, over the whole catalogue."""

import numpy as np
from scipy.stats import rankdata

from recsys.metrics.hits import ValueArray
from recsys.types import BoolArray


def auc(scores: ValueArray, right: BoolArray) -> ValueArray:
    r"""Returns each customer's AUC, shape (customers,), float64 in [0, 1].

    .. math:: AUC = \frac{1}{|T| |\bar T|} \sum_{i \in T} \sum_{j \notin T}
                    [s_i > s_j] + \tfrac{1}{2} [s_i = s_j]

    The chance that a right item scores above a wrong one; ties count half. It needs the scores of
    **all** items: of a list that ends at k it would say nothing, and it weighs the last place of
    the ranking like the first. So back-tests of lists do not report it; use it on full rankings.
    NaN for a customer for whom all items are right or none is.

    >>> scores = np.array([[0.9, 0.5, 0.1], [0.2, 0.2, 0.3]])
    >>> auc(scores, np.array([[True, False, False], [True, False, False]]))
    array([1.  , 0.25])

    Source: Hanley, McNeil: The meaning and use of the area under a ROC curve, Radiology 143, 1982;
    Rendle et al.: BPR, UAI 2009 (per customer).

    Args:
        scores: shape (customers, items) float64, larger is better; no NaN.
        right: shape (customers, items) bool.

    Raises:
        ValueError: the shapes differ, or a score is NaN.
    """
    if scores.shape != right.shape or np.isnan(scores).any():
        message = f"scores {scores.shape} and right {right.shape} must match, without NaN"
        raise ValueError(message)
    ranks = rankdata(scores, axis=1)
    sizes = right.sum(axis=1, dtype=np.float64)
    pairs = sizes * (right.shape[1] - sizes)
    won = (ranks * right).sum(axis=1) - sizes * (sizes + 1) / 2
    values: ValueArray = np.divide(won, pairs, out=np.full(len(won), np.nan), where=pairs > 0)
    return values
