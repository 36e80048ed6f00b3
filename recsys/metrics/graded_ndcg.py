"""NDCG of graded truth: some right items are more right than others."""

import numpy as np

from recsys.metrics.hits import ValueArray
from recsys.types import OffsetArray


def ndcg_linear_gain_at(
    list_grades: ValueArray, truth_offsets: OffsetArray, truth_grades: ValueArray, k: int
) -> ValueArray:
    r"""Returns each customer's ndcg_linear_gain@k, shape (customers,), float64 in [0, 1].

    .. math:: NDCG@k = \frac{\sum_{r=1}^{k} g_r / \log_2(r + 1)}
                            {\sum_{r=1}^{\min(|T|, k)} g^*_r / \log_2(r + 1)}

    with g_r the grade at rank r and g* the grades of the truth, highest first, cut at k. With
    all grades 1 it is `ndcg_at`.

    >>> lists = np.array([[1.0, 3.0, 0.0]])
    >>> truth = np.array([3.0, 1.0])
    >>> ndcg_linear_gain_at(lists, np.array([0, 2]), truth, 3).round(4)
    array([0.7967])

    Source: Järvelin, Kekäläinen: Cumulated gain-based evaluation of IR techniques, ACM TOIS
    20(4), 2002.

    Args:
        list_grades: shape (customers, depth) float64, rank 1 first; 0 where an item is not right.
        truth_offsets: shape (customers + 1,) int64.
        truth_grades: shape (n,) float64, positive: customer c's are offsets[c]:offsets[c + 1],
            at least one each, in any order.
        k: places to look at, from 1.

    Raises:
        ValueError: k is below 1, a customer has no truth, or a grade of the truth is not positive.
    """
    if k < 1 or (truth_grades <= 0).any() or (np.diff(truth_offsets) < 1).any():
        message = "k must be at least 1, every customer needs truth, and its grades lie above 0"
        raise ValueError(message)
    seen = list_grades[:, :k]
    discounts = 1.0 / np.log2(np.arange(2, k + 2, dtype=np.float64))
    gains: ValueArray = seen @ discounts[: seen.shape[1]]
    return gains / _ideal(truth_offsets, truth_grades, discounts)


def ndcg_exponential_gain_at(
    list_grades: ValueArray, truth_offsets: OffsetArray, truth_grades: ValueArray, k: int
) -> ValueArray:
    r"""Returns each customer's ndcg_exponential_gain@k, shape (customers,), float64 in [0, 1].

    As `ndcg_linear_gain_at`, with each grade g replaced by 2^g - 1, which makes one excellent item
    worth many fair ones. With all grades 1 it is `ndcg_at`.

    >>> lists = np.array([[1.0, 3.0, 0.0]])
    >>> truth = np.array([3.0, 1.0])
    >>> ndcg_exponential_gain_at(lists, np.array([0, 2]), truth, 3).round(4)
    array([0.7098])

    Source: Burges et al.: Learning to rank using gradient descent, ICML 2005.

    Args:
        list_grades: as there.
        truth_offsets: as there.
        truth_grades: as there.
        k: as there.

    Raises:
        ValueError: as there.
    """
    lists, truth = np.exp2(list_grades) - 1, np.exp2(truth_grades) - 1
    return ndcg_linear_gain_at(lists, truth_offsets, truth, k)


def _ideal(offsets: OffsetArray, grades: ValueArray, discounts: ValueArray) -> ValueArray:
    """Returns what each customer's best grades would gain, shape (customers,)."""
    customers = len(offsets) - 1
    owners = np.repeat(np.arange(customers), np.diff(offsets))
    falling = grades[np.lexsort((-grades, owners))]
    ranks = np.arange(len(owners)) - offsets[owners]
    counts = ranks < len(discounts)
    gains = falling[counts] * discounts[ranks[counts]]
    return np.bincount(owners[counts], gains, customers).astype(np.float64)
