"""What content promises: likeness of catalogue rows, with or without events."""

import numpy as np
import polars as pl
import pytest

from recsys.errors import ConfigError
from recsys.models.content import Content
from recsys.models.item_words import item_words, word_columns
from tests.contracts.algorithm_contract import AlgorithmContract

SEEDS, WEIGHTS = np.array([0, 2, 9], np.int32), np.array([1.0, 3.0, 0.5], np.float32)


class TestContent(AlgorithmContract):
    algorithm = Content()

    def test_items_nobody_bought_are_scored(self, data):
        unsold = np.setdiff1d(np.arange(48), data.interactions.item_nums)
        nums, scores = self.algorithm.fit(data).scores(SEEDS, WEIGHTS)
        assert len(unsold) > 0
        assert set(unsold) <= set(nums)
        assert (scores > 0).all()

    def test_scores_are_sums_of_shared_words(self, data):
        frame = data.catalogue.frame
        words = item_words(frame, word_columns(frame, None), 2).toarray()
        shared = (words / np.maximum(words.sum(axis=0), 1)) @ words.T
        nums, scores = self.algorithm.fit(data).scores(SEEDS, WEIGHTS)
        expected = WEIGHTS @ shared[SEEDS]
        np.testing.assert_array_equal(nums, np.flatnonzero(expected))
        np.testing.assert_allclose(scores, expected[nums], rtol=1e-5)
        found = self.algorithm.fit(data).strongest_seeds(SEEDS, WEIGHTS, nums)
        parts = WEIGHTS[:, None] * shared[SEEDS]
        np.testing.assert_array_equal(found, SEEDS[parts.argmax(axis=0)[nums]])

    def test_a_page_of_tea_is_followed_by_tea(self, data):
        nums, scores = self.algorithm.fit(data).scores(SEEDS[:2], WEIGHTS[:2])
        best = nums[np.argsort(-scores)[:15]]
        assert (best % 2 == 0).all()

    def test_items_without_words_are_not_given(self, data):
        nums, _ = Content(columns=("category",)).fit(data).scores(SEEDS, WEIGHTS)
        assert set(nums) == set(range(48)) - {7}, "item 7 has no category"

    def test_a_column_without_words_is_refused(self, data):
        with pytest.raises(ConfigError, match=r"price; items have these words: title, category"):
            Content(columns=("brand", "price")).fit(data)


class TestContentOfTitles(AlgorithmContract):
    algorithm = Content(columns=("title",), rarity_power=0.5, history_limit=1)

    def test_the_heaviest_items_of_a_history_count(self):
        np.testing.assert_array_equal(self.algorithm.history(SEEDS, WEIGHTS)[0], [2])


class TestContentOfNothing(AlgorithmContract):
    algorithm = Content(columns=())

    def test_nothing_is_like_anything(self, data):
        assert len(self.algorithm.fit(data).scores(SEEDS, WEIGHTS)[0]) == 0


def words_of(frame, **settings):
    table = pl.DataFrame(frame)
    return item_words(table, tuple(table.columns), **settings).toarray()


def test_titles_are_split_and_case_does_not_count():
    found = words_of({"title": ["red Tea", "RED cup", None, "tea, tea!"]}, min_items=2)
    np.testing.assert_array_equal(np.sort(found), [[1, 1], [0, 1], [0, 0], [0, 1]])


def test_words_of_too_few_items_say_nothing():
    found = words_of({"brand": ["a", "a", "b"], "tags": [["x"], [], ["a"]]}, min_items=2)
    np.testing.assert_array_equal(found, [[1], [1], [0]])


def test_near_categories_share_words():
    paths = [["food", "fruit", "apples"], ["food", "fruit", "pears"], ["food", "bread"], ["toys"]]
    found = words_of({"category": paths}, min_items=1)
    np.testing.assert_array_equal((found @ found.T)[0], [3, 2, 1, 0])


def test_attributes_are_words_and_numbers_are_not():
    frame = pl.DataFrame({"organic": [True, False], "colour": ["red", None], "weight": [1.0, 2.0]})
    assert word_columns(frame, None) == ("organic", "colour")
    assert item_words(frame, ("organic", "colour"), 1).shape == (2, 3)
