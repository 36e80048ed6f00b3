from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recsys.backtest.item_facts import item_facts, path_levels
from recsys.data.splits import Split


def test_paths_hold_every_level_and_the_widest_alone_can_be_asked_for() -> None:
    paths = pl.Series([["a", "x"], None, ["b"], ["a", "y"], [], ["a"]], dtype=pl.List(pl.String))
    # In the order of rows: a, a > x, b, a > y.
    assert path_levels(paths).toarray().astype(int).tolist() == [
        [1, 1, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 1, 0],
        [1, 0, 0, 1],
        [0, 0, 0, 0],
        [1, 0, 0, 0],
    ]
    widest = path_levels(paths, deepest=1).toarray().astype(int).tolist()
    assert widest == [[1, 0], [0, 0], [0, 1], [1, 0], [0, 0], [1, 0]]


def test_the_same_name_on_two_paths_is_two_categories() -> None:
    paths = pl.Series([["tea", "other"], ["coffee", "other"]])
    one, two = path_levels(paths).toarray()
    assert one @ two == 0


def test_a_shop_without_categories_has_no_levels() -> None:
    assert path_levels(pl.Series([None, None], dtype=pl.List(pl.String))).nnz == 0


def test_facts_stand_in_the_order_of_the_split(split: Split) -> None:
    cup, jam, milk, tea = range(4)
    items = split.train.items.with_columns(price=pl.Series([8.0, 4.0, None, 2.0]))
    facts = item_facts(replace(split, train=replace(split.train, items=items.reverse())))
    np.testing.assert_array_equal(facts.prices, [8, 4, np.nan, 2])
    assert np.isnan(facts.costs).all()
    assert facts.popularity.tolist() == [1 / 2, 1 / 2, 1, 1]
    # Both customers bought milk and tea, one the others; ties by number.
    assert facts.bestsellers.tolist() == [milk, tea, cup, jam]


@pytest.mark.parametrize("known", [0, 2])
def test_items_outside_the_catalogue_have_no_facts(split: Split, known: int) -> None:
    items = split.train.items.with_columns(price=pl.lit(1.0)).head(known)
    facts = item_facts(replace(split, train=replace(split.train, items=items)))
    assert np.isnan(facts.prices).tolist() == [number >= known for number in range(4)]
