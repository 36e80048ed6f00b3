"""Item-item similarity."""

import numpy as np
import pytest

from recsys.models.item_item import ItemItem
from recsys.types import DAY_S, EVENT_CODES, EventType
from tests.contracts.algorithm_contract import AlgorithmContract


class TestItemItemOverCustomers(AlgorithmContract):
    algorithm = ItemItem(half_life_days=120.0)

    def test_similarities_are_cosines(self, data):
        model = self.algorithm.fit(data)
        matrix = self.algorithm.matrix(data).toarray().astype(np.float64)
        norms = np.linalg.norm(matrix, axis=0)
        seed = 0
        nums, scores = model.scores(np.array([seed], np.int32), np.ones(1, np.float32))
        expected = matrix[:, seed] @ matrix / np.maximum(norms * norms[seed], 1e-12)
        np.testing.assert_allclose(scores, expected[nums], rtol=1e-4)
        expected[seed] = 0
        assert set(nums) == set(np.flatnonzero(expected > 1e-9))

    def test_strongest_seed_gives_the_largest_part(self, data):
        model = self.algorithm.fit(data)
        seeds, weights = np.array([0, 2, 4], np.int32), np.array([1.0, 0.2, 3.0], np.float32)
        nums, _ = model.scores(seeds, weights)
        found = model.strongest_seeds(seeds, weights, nums)
        for num, seed in zip(nums, found, strict=True):
            parts = {}
            for one, weight in zip(seeds, weights, strict=True):
                one_nums, one_scores = model.scores(np.array([one], np.int32), np.array([weight]))
                parts[one] = float(one_scores[one_nums == num].sum())
            assert parts[seed] == max(parts.values())


class TestItemItemOfBinaryEntries(TestItemItemOverCustomers):
    algorithm = ItemItem(entries="binary")

    def test_every_entry_is_1(self, data):
        assert set(self.algorithm.matrix(data).data) == {1.0}


class TestItemItemWithDampedRows(AlgorithmContract):
    algorithm = ItemItem(row_power=0.5)

    def test_who_has_much_says_little(self, data):
        model = self.algorithm.fit(data)
        matrix = self.algorithm.matrix(data).toarray().astype(np.float64)
        norms = np.maximum(np.linalg.norm(matrix, axis=0), 1e-12)
        sizes = np.maximum((matrix > 0).sum(axis=1), 1)
        nums, scores = model.scores(np.array([0], np.int32), np.ones(1, np.float32))
        expected = (matrix[:, 0] / sizes) @ matrix / (norms * norms[0])
        np.testing.assert_allclose(scores, expected[nums], rtol=1e-4)


class TestItemItemByCounts(AlgorithmContract):
    algorithm = ItemItem(
        over="baskets", weighting="counts", entries="binary", event_weights={"purchase": 1.0}
    )

    def test_scores_count_the_baskets_that_two_items_share(self, data):
        model, log = self.algorithm.fit(data), data.interactions
        baskets = [
            {*log.item_nums[(log.basket_nums == basket) & (log.event_types == 4)].tolist()}
            for basket in np.unique(log.basket_nums)
        ]
        for seed in (0, 5):
            nums, scores = model.scores(np.array([seed], np.int32), np.ones(1, np.float32))
            shared = {
                item: sum(seed in basket and item in basket for basket in baskets)
                for item in range(48)
                if item != seed
            }
            assert dict(zip(nums.tolist(), scores.tolist(), strict=True)) == {
                item: count for item, count in shared.items() if count
            }


class TestItemItemByFadingCounts(AlgorithmContract):
    algorithm = ItemItem(
        over="baskets", weighting="counts", row_power=0.25, half_life_days=30.0, neighbours=3
    )

    def test_a_full_basket_says_less_of_two_items(self, data):
        model, log = self.algorithm.fit(data), data.interactions
        views = log.event_types != EVENT_CODES[EventType.PURCHASE]
        shared = np.zeros((48, 48))
        for basket in np.unique(log.basket_nums):
            rows = np.flatnonzero(log.basket_nums == basket)
            weights = np.zeros(48)
            weight = np.where(views[rows], self.algorithm.event_weights[EventType.VIEW], 1.0)
            weight *= 0.5 ** ((log.end_time - log.times[rows]) / DAY_S / 30)
            np.maximum.at(weights, log.item_nums[rows], weight)
            counts = np.log1p(weights)
            shared += np.outer(counts, counts) / np.sqrt(np.count_nonzero(counts))
        np.fill_diagonal(shared, 0)
        for seed in range(48):
            _, scores = model.scores(np.array([seed], np.int32), np.ones(1, np.float32))
            best = np.sort(shared[seed])[::-1][:3]
            np.testing.assert_allclose(np.sort(scores)[::-1], best[best > 0], rtol=1e-4)


class TestItemItemThatRepeats(AlgorithmContract):
    algorithm = ItemItem(own_similarity=True, neighbours=3)

    def test_an_item_is_the_first_of_its_neighbours(self, data):
        model = self.algorithm.fit(data)
        matrix = self.algorithm.matrix(data)
        for item in np.flatnonzero(matrix.sum(axis=0)).astype(np.int32):
            nums, scores = model.scores(np.array([item]), np.ones(1, np.float32))
            assert len(nums) <= 3
            assert scores[nums == item] == pytest.approx(1.0)
            assert scores.max() == pytest.approx(1.0)


class TestItemItemOverBaskets(AlgorithmContract):
    algorithm = ItemItem(over="baskets", half_life_days=30.0)


class TestItemItemBm25(AlgorithmContract):
    algorithm = ItemItem(weighting="bm25", neighbours=5)

    def test_keeps_no_more_neighbours_than_asked(self, data):
        model = self.algorithm.fit(data)
        assert np.diff(model.offsets).max() == 5
        owners = np.repeat(np.arange(48), np.diff(model.offsets))
        assert not (owners == model.item_nums).any()
