"""Picking: one item of a product, bounds, and parts of the list, in the order of the items."""

import numpy as np

from recsys.live.rules import AtLeast, AtMost
from recsys.pipeline.picking import Picker
from recsys.pipeline.rule_parts import Cap, Quota
from recsys.types import UNKNOWN

ALL = np.arange(6, dtype=np.int32)
ONE_EACH = ALL


def test_one_item_of_each_product_is_picked_whatever_the_products_numbers() -> None:
    products = np.array([70, 9, 70, 9, 8, 1_000], np.int32)  # more than there are items
    picker = Picker(4, products, [], [], held=[0])
    assert picker.open(ALL).tolist() == [False, True, False, True, True, True]
    assert picker.take(ALL).rows == [1, 4, 5]
    assert picker.is_full
    assert not picker.open(ALL).any()


def test_a_bound_counts_what_is_held_and_tells_whom_it_kept_out() -> None:
    codes = np.array([1, 1, 1, UNKNOWN, UNKNOWN, 2], np.int32)
    cap = Cap("two", AtMost(kind="at-most", count=2, column="brand"), codes)
    picker = Picker(5, ONE_EACH, [cap], [], held=[0], alone=True)
    taken = picker.take(ALL)
    assert taken.rows == [1, 3, 4, 5]
    assert [rows.tolist() for rows in taken.killed["two"]] == [[2]]
    assert picker.open(ALL).tolist() == [False] * 6
    picker.lift(cap)
    assert picker.open(ALL).tolist() == [False, False, True, False, False, False]


def test_bounds_hold_together() -> None:
    brands = Cap(
        "brands", AtMost(kind="at-most", count=1, column="brand"), np.array([1, 1, 2, 2, 3, 4])
    )
    kinds = Cap("kinds", AtMost(kind="at-most", count=2, column="x"), np.array([5, 5, 5, 5, 5, 6]))
    taken = Picker(6, ONE_EACH, [brands, kinds], [], held=[], alone=True).take(ALL)
    assert taken.rows == [0, 2, 5]
    assert [rows.tolist() for rows in taken.killed["brands"]] == [[1], [3], []]
    assert [rows.tolist() for rows in taken.killed["kinds"]] == [[4]]


def test_a_part_of_the_list_is_served_when_no_room_is_left_and_then_says_so() -> None:
    members = np.array([False, False, False, False, True, True])
    quota = Quota("half", AtLeast(kind="at-least", filter="x", share=0.5), members)
    picker = Picker(4, ONE_EACH, [], [quota], held=[], alone=True)
    taken = picker.take(ALL)
    assert taken.rows == [0, 1, 4, 5]
    assert taken.out_of_turn == ["", "", "half", "half"]
    waiting = Picker(2, ONE_EACH, [], [quota], held=[], alone=True).take(ALL[:2])
    assert waiting.rows == [0]
    assert waiting.waits_for is quota
