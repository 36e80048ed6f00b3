"""Recall by popularity, and mixes of categories."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recsys.backtest.compare import Contender, Study
from recsys.backtest.mixes import AFTER, BEFORE, category_mix, widest_categories
from recsys.backtest.outcomes import Outcome, measure
from recsys.backtest.popularity_buckets import popularity_buckets, recall_by_popularity
from recsys.data.catalogue import Catalogue
from recsys.data.splits import Split
from tests.fixed_lists import FixedLists

LISTS = {"ann": ["tea", "jam"], "bob": ["cup", "tea"], "cat": ["jam"]}
CATEGORIES = {"tea": ["drinks", "hot"], "milk": ["drinks"], "cup": ["kitchen"], "jam": None}


@pytest.fixture
def outcome(split: Split, catalogue: Catalogue) -> Outcome:
    items = split.train.items.with_columns(
        category=pl.Series(
            [CATEGORIES[item] for item in split.train.items["item_id"]], dtype=pl.List(pl.String)
        )
    )
    known = replace(split, train=replace(split.train, items=items))
    ours = Contender("ours", ("for_you",), lambda _: FixedLists(catalogue, LISTS))
    study = Study("tiny", "", ("for_you",), ks=(1, 2), min_customers=1)
    return measure(known, [ours], study)["for_you"]


def test_buckets_make_up_equal_sales() -> None:
    buyers = np.array([0, 50, 20, 10, 10, 10, 0, 100], dtype=np.int32)
    buckets = popularity_buckets(buyers, 4)
    assert buckets.tolist() == [3, 2, 3, 3, 3, 3, 3, 0]
    rng = np.random.default_rng(0)
    many = rng.zipf(1.6, 5000).astype(np.int32)
    found = popularity_buckets(many)
    assert np.all(np.diff(found[np.argsort(-many, kind="stable")]) >= 0)
    assert popularity_buckets(np.zeros(3, dtype=np.int32)).tolist() == [4, 4, 4]
    assert popularity_buckets(np.zeros(0, dtype=np.int32)).tolist() == []


def test_recall_is_apart_for_each_bucket(outcome: Outcome) -> None:
    split = outcome.before.split
    buckets = dict(
        zip(split.items.series(), popularity_buckets(split.buyers).tolist(), strict=True)
    )
    # Two customers bought tea and milk, one cup and jam; right: ann tea, jam; bob cup; cat milk.
    assert buckets == {"milk": 0, "tea": 1, "cup": 3, "jam": 4}
    found = {each.bucket: each for each in recall_by_popularity(outcome, 2, seed=0)}
    assert {number: each.value for number, each in found.items()} == {0: 0, 1: 1, 3: 1, 4: 1}
    assert all(each.right_share == 0.25 and each.items == 1 for each in found.values())
    assert all(each.customers == 1 for each in found.values())
    at_one = {each.bucket: each.value for each in recall_by_popularity(outcome, 1, seed=0)}
    assert at_one == {0: 0, 1: 1, 3: 1, 4: 0}


def test_mixes_are_means_over_customers(outcome: Outcome) -> None:
    found = {(each.who, each.category): each.share for each in category_mix(outcome, 2)}
    # Ann bought two drinks and a cup, bob two drinks; cat bought nothing.
    assert found[BEFORE, "drinks"] == pytest.approx((2 / 3 + 1) / 2)
    assert found[BEFORE, "kitchen"] == pytest.approx((1 / 3) / 2)
    # Right: ann tea (jam has no category), bob a cup, cat milk.
    assert found[AFTER, "drinks"] == pytest.approx(2 / 3)
    # Lists: ann tea, bob a cup and tea; cat's has no category.
    assert found["ours", "drinks"] == pytest.approx((1 + 1 / 2) / 2)
    order = list(dict.fromkeys(each.category for each in category_mix(outcome, 2)))
    assert order == ["drinks", "kitchen"]


def test_names_follow_the_columns(outcome: Outcome) -> None:
    names = widest_categories(outcome.before.split)
    nums = {item: num for num, item in enumerate(outcome.before.split.items.series())}
    departments = outcome.before.items.departments.toarray()
    assert names[int(departments[nums["cup"]].argmax())] == "kitchen"
    assert names[int(departments[nums["tea"]].argmax())] == "drinks"


def test_without_categories_there_is_no_mix(split: Split, catalogue: Catalogue) -> None:
    ours = Contender("ours", ("for_you",), lambda _: FixedLists(catalogue, LISTS))
    study = Study("tiny", "", ("for_you",), ks=(2,))
    assert category_mix(measure(split, [ours], study)["for_you"], 2) == []
