import pytest

from recsys.choice.costs import expected_seconds
from recsys.choice.menu import load_menu
from recsys.models.als import Als
from recsys.models.ease import Ease
from recsys.models.ials import Ials
from recsys.models.popularity import Popularity
from recsys.models.repurchase import Repurchase


def test_everything_on_the_menu_takes_some_time():
    for family in load_menu().families.values():
        for algorithm in family.variants:
            small = expected_seconds(algorithm, 100_000, 5_000)
            assert 0 < small <= expected_seconds(algorithm, 1_000_000, 50_000)


def test_ease_grows_with_the_cube_of_items_whatever_the_pairs():
    one = expected_seconds(Ease(), 10, 1_000)
    assert expected_seconds(Ease(), 10**6, 2_000) == pytest.approx(8 * one)


def test_factors_cost_more_the_longer_they_are():
    short, long = Als(embedding_size=64), Als(embedding_size=128)
    assert expected_seconds(long, 10**6, 10) == pytest.approx(
        2 * expected_seconds(short, 10**6, 10)
    )
    assert expected_seconds(Ials(embedding_size=256), 10**6, 10) > 2 * expected_seconds(
        Ials(embedding_size=128), 10**6, 10
    )
    assert expected_seconds(Popularity(), 10**6, 10) < expected_seconds(Ials(), 10**6, 10)


def test_what_only_counts_is_tried_before_anything_that_learns():
    """On a slow machine, ALS took the whole of a short budget before a source that takes no time.

    Personal frequency then led the choice by a half.
    """
    counting = [expected_seconds(each, 10**6, 10) for each in (Popularity(), Repurchase())]
    learning = [
        expected_seconds(algorithm, 10**6, 1_000)
        for family in load_menu().families.values()
        for algorithm in family.variants
        if algorithm.kind not in ("popularity", "repurchase", "ease")
    ]
    assert max(counting) < min(learning)
