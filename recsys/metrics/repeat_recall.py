"""Recall of repeats and of discoveries, apart: the two are different tasks."""

import numpy as np

from recsys.metrics.hits import ValueArray, top
from recsys.types import BoolArray, NumArray


def repeat_recall_at(
    hits: BoolArray, known: BoolArray, repeat_sizes: NumArray, k: int
) -> ValueArray:
    r"""Returns each customer's repeat_recall@k, shape (customers,), float64 in [0, 1].

    .. math:: \frac{|L \cap T \cap H|}{|T \cap H|}, \quad L = \text{the first } k

    with T what was then taken and H the customer's past. NaN for a customer who repeated nothing.

    >>> hits = np.array([[True, True, False], [True, False, False]])
    >>> known = np.array([[True, False, True], [False, False, False]])
    >>> repeat_recall_at(hits, known, np.array([2, 0]), 3)
    array([0.5, nan])

    Source: Li, Jullien, Ariannezhad, de Rijke: A next basket recommendation reality check, ACM
    TOIS 41(4), 2023 (recall of repetition).

    Args:
        hits: shape (customers, depth) bool, rank 1 first.
        known: shape (customers, depth) bool: the customer had bought the item before.
        repeat_sizes: shape (customers,) int: right items bought before, in the list or not.
        k: places to look at, from 1.

    Raises:
        ValueError: k is below 1.
    """
    return _recall_of_part(top(hits, k) & top(known, k), repeat_sizes)


def explore_recall_at(
    hits: BoolArray, known: BoolArray, explore_sizes: NumArray, k: int
) -> ValueArray:
    r"""Returns each customer's explore_recall@k, shape (customers,), float64 in [0, 1].

    .. math:: \frac{|(L \cap T) \setminus H|}{|T \setminus H|}

    as `repeat_recall_at`, of the right items that were new to the customer. NaN for a customer
    who took nothing new.

    >>> hits = np.array([[True, True, False]])
    >>> explore_recall_at(hits, np.array([[True, False, True]]), np.array([4]), 3)
    array([0.25])

    Source: as there (recall of exploration).

    Args:
        hits: shape (customers, depth) bool, rank 1 first.
        known: shape (customers, depth) bool: the customer had bought the item before.
        explore_sizes: shape (customers,) int: right items new to them, in the list or not.
        k: places to look at, from 1.

    Raises:
        ValueError: k is below 1.
    """
    return _recall_of_part(top(hits, k) & ~top(known, k), explore_sizes)


def _recall_of_part(found: BoolArray, sizes: NumArray) -> ValueArray:
    nothing = np.full(len(found), np.nan)
    values: ValueArray = np.divide(found.sum(axis=1), sizes, out=nothing, where=sizes > 0)
    return values
