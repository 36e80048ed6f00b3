import numpy as np
import pytest

from recsys.backtest import run
from recsys.backtest.run import judge
from recsys.data.catalogue import Catalogue
from recsys.data.splits import Split
from recsys.protocols.cases import cases_for
from recsys.types import UNKNOWN
from tests.fixed_lists import FixedLists
from tests.shops import Event, tiny_shop

LISTS = {"ann": ["milk", "jam", "cup"], "bob": ["cup"], None: ["tea", "milk"]}


def test_hits_are_what_the_customer_then_bought(split: Split, catalogue: Catalogue) -> None:
    cases = cases_for("for_you", split, limit=3, seed=0)
    judged = judge(FixedLists(catalogue, LISTS), split, cases)
    cup, jam, milk, _ = range(4)
    assert judged.item_nums.tolist() == [
        [milk, jam, cup],
        [cup, UNKNOWN, UNKNOWN],
        [UNKNOWN] * 3,
    ]
    assert judged.hits.astype(int).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert judged.truth_sizes.tolist() == [2, 1, 1]


def test_every_case_is_asked_in_batches_and_progress_is_told(
    split: Split, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "BATCH", 2)
    cases = cases_for("for_you", split, limit=3, seed=0)
    recommender, told = FixedLists(catalogue, LISTS), []
    judge(recommender, split, cases, progress=lambda done, total: told.append((done, total)))
    assert [len(batch) for batch in recommender.batches] == [2, 1]
    assert [query for batch in recommender.batches for query in batch] == list(cases.queries)
    assert told == [(2, 3), (3, 3)]


def test_equal_queries_are_asked_once(split: Split, catalogue: Catalogue) -> None:
    cases = cases_for("popular", split, limit=3, seed=0)
    recommender = FixedLists(catalogue, LISTS)
    judged = judge(recommender, split, cases)
    assert [len(batch) for batch in recommender.batches] == [1]
    assert len(judged.item_nums) == 3
    assert (judged.item_nums == judged.item_nums[0]).all()


def test_numbers_of_another_catalogue_are_translated(split: Split) -> None:
    wider = tiny_shop([Event("x", item, 0) for item in ["aaa", "cup", "jam", "milk", "tea"]])
    cases = cases_for("for_you", split, limit=3, seed=0)
    lists = {"ann": ["aaa", "jam"], "bob": ["aaa"]}
    judged = judge(FixedLists(Catalogue.from_frame(wider.items), lists), split, cases)
    np.testing.assert_array_equal(judged.hits[0], [False, True, False])
    # An item that the split does not know takes its place and is no hit.
    assert judged.item_nums[0].tolist() == [UNKNOWN, 1, UNKNOWN]
