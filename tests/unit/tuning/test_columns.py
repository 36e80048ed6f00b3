"""Columns: the same evidence as asking everybody at once, kept on disk."""

import numpy as np
import pytest

from recsys.choice.choose import K
from recsys.choice.gather import LEAST_CUSTOMERS, ask, fit_variants
from recsys.choice.menu import Menu
from recsys.config import validated
from recsys.data.progress import silent
from recsys.errors import DataError
from recsys.fitting.config import load_config
from recsys.protocols.mask import Mask
from recsys.protocols.temporal import latest
from recsys.tuning.bench import bench_of
from recsys.tuning.columns import DEPTH, Column, column_of, evidence_of
from recsys.tuning.shelf import Shelf
from tests.small_shop import shop_dataset
from tests.unit.choice.menus import SMALL


@pytest.fixture(scope="module")
def split():
    return latest(shop_dataset())


@pytest.mark.parametrize("placement", ["for_you", "discover"])
def test_columns_side_by_side_are_what_the_choice_gathers(split, placement):
    """The small shop has fewer items than a column has places, so nothing is cut off."""
    base = load_config()
    bench = bench_of(split, base, [placement], None, 0)
    assert len(bench.catalogue) < DEPTH
    assert not bench.timeless
    fits = fit_variants(
        split, base, validated(Menu, SMALL, where="test"), seconds=600, progress=silent
    )
    columns = {}
    for name, variant in fits.variants.items():
        first, *rest = bench.ask(bench.fit(variant), name, placement)
        assert rest == [], f"fewer than {LEAST_CUSTOMERS} customers come at once"
        columns[name] = first
    asked = bench.asked[placement]
    ours = evidence_of(columns, asked.truths, K)
    theirs = ask(
        *(fits, split, asked.cases, base.placements[placement]),
        seconds=600,
        k=K,
        progress=silent,
    )
    assert ours.columns == theirs.columns
    np.testing.assert_array_equal(ours.shares, theirs.shares)
    np.testing.assert_array_equal(ours.relevant, theirs.relevant)
    np.testing.assert_array_equal(ours.truth_sizes, theirs.truth_sizes)


def test_nobody_to_ask_is_a_data_error(split):
    with pytest.raises(DataError, match="no customer has a right answer for anything"):
        bench_of(split, load_config(), [], None, 0)


def test_the_mask_decides_what_is_asked(split):
    one = bench_of(split, load_config(), ["for_you"], Mask.BOUGHT, 0)
    assert one.asked["for_you"].placement.exclude == "bought"


def column(*lists: list[tuple[int, float]]) -> Column:
    return column_of(
        [
            (
                np.array([num for num, _ in each], np.int32),
                np.array([score for _, score in each], np.float32),
            )
            for each in lists
        ]
    )


def test_lists_of_other_lengths_are_padded():
    found = column([(3, 4.0), (1, 1.0)], [])
    assert found.item_nums.tolist() == [[3, 1], [-1, -1]]
    np.testing.assert_allclose(found.shares, [[0.8, 0.2], [0, 0]])
    longer = found.joined(column([(5, 2.0), (6, 1.0), (0, 1.0)]))
    assert longer.item_nums.tolist() == [[3, 1, -1], [-1, -1, -1], [5, 6, 0]]
    np.testing.assert_allclose(longer.shares[2], [0.5, 0.25, 0.25])
    assert column([], []).item_nums.shape == (2, 0)


def test_a_candidate_of_one_is_scored_by_all():
    a = column([(3, 4.0), (1, 1.0)], [(2, 1.0)])
    b = column([(1, 1.0)], [])
    found = evidence_of({"a": a, "b": b, "c": column([], [])}, [np.array([1]), np.array([9])], 5)
    assert found.shares[:, 0].tolist() == [
        pytest.approx([0.2, 0.8]),
        pytest.approx([1, 0]),
        [0, 0],
    ]
    assert found.shares[:, 1].tolist() == [[1, 0], [0, 0], [0, 0]]
    assert found.relevant.tolist() == [[True, False], [False, False]]


def test_a_shelf_gives_back_what_was_put_and_clears_the_rest(tmp_path):
    shelf = Shelf(tmp_path / "columns")
    shelf.clear([])
    kept = column([(3, 4.0), (1, 1.0)], [])
    for name in ("one", "other"):
        shelf.put(name, "for_you", kept)
    assert shelf.holds("one", ["for_you"])
    assert not shelf.holds("one", ["for_you", "discover"])
    shelf.clear(["other"])
    assert not shelf.holds("one", ["for_you"])
    back = shelf.get("other", "for_you")
    np.testing.assert_array_equal(back.item_nums, kept.item_nums)
    np.testing.assert_array_equal(back.shares, kept.shares)
    assert [file.suffix for file in tmp_path.rglob("*.*")] == [".npz"]
