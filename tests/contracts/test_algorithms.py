"""What every algorithm promises, whatever it learns."""

import numpy as np
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.segments import build_segments
from recsys.data.state import CustomerStates
from recsys.models.als import Als
from recsys.models.item_item import ItemItem
from recsys.models.popularity import Popularity
from recsys.models.protocol import TrainingData
from recsys.models.repurchase import Repurchase


@pytest.fixture(scope="module")
def data(shop) -> TrainingData:
    catalogue = Catalogue.from_frame(shop.items)
    log = Interactions.from_events(shop.events, items=catalogue.items)
    return TrainingData(
        log,
        CustomerStates.from_interactions(log, (14.0, 30.0, 120.0)),
        build_segments(log.customers, shop.customers, shop.events, ("region",)),
    )


class AlgorithmContract:
    """Inherit, and set `algorithm`."""

    algorithm = None

    def test_the_same_data_make_the_same_model(self, data):
        first, second = self.algorithm.fit(data).arrays(), self.algorithm.fit(data).arrays()
        assert first.keys() == second.keys()
        for name, array in first.items():
            np.testing.assert_array_equal(array, second[name], err_msg=name)

    def test_a_model_comes_back_from_its_files(self, data, tmp_path):
        arrays = self.algorithm.fit(data).arrays()
        for name, array in arrays.items():
            np.save(tmp_path / f"{name}.npy", array, allow_pickle=False)
        read = {name: np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in arrays}
        restored = self.algorithm.restore(read).arrays()
        for name, array in arrays.items():
            np.testing.assert_array_equal(restored[name], array, err_msg=name)
            assert restored[name].dtype == array.dtype

    def test_a_configuration_survives_its_own_dump(self):
        kind = type(self.algorithm)
        assert kind.model_validate(self.algorithm.model_dump(mode="json")) == self.algorithm

    def test_a_typo_in_a_configuration_is_refused(self):
        with pytest.raises(ValueError, match="half_live_days"):
            type(self.algorithm).model_validate({"half_live_days": 3})

    def test_every_array_is_finite(self, data):
        for name, array in self.algorithm.fit(data).arrays().items():
            assert np.isfinite(array).all(), name


class TestPopularity(AlgorithmContract):
    algorithm = Popularity()


class TestPopularityWithoutFading(AlgorithmContract):
    algorithm = Popularity(half_life_days=None)

    def test_counts_customers_not_events(self, data):
        model = Popularity(half_life_days=None, event_weights={"purchase": 1.0}).fit(data)
        log = data.interactions
        bought = log.event_types == 4
        for item in (0, 1, 8):
            buyers = np.unique(log.customer_nums[bought & (log.item_nums == item)])
            assert model.scores[item] == len(buyers)

    def test_segments_differ(self, data):
        model = self.algorithm.fit(data)
        labels = data.segments.labels
        north, south = labels.number("region=north"), labels.number("region=south")
        nums, shares = model.of_segments(np.array([north], np.int32))
        assert shares.max() == pytest.approx(1.0)
        assert set(nums) != set(model.of_segments(np.array([south], np.int32))[0])
        assert len(model.of_segments(np.zeros(0, np.int32))[0]) == 0


class TestAls(AlgorithmContract):
    algorithm = Als(embedding_size=8, half_life_days=120.0)

    def test_fold_in_solves_the_least_squares_problem(self, data):
        """Equation 4 of Hu, Koren and Volinsky, solved over all items, zeros included."""
        model = self.algorithm.fit(data)
        seeds, weights = model.item_nums[[1, 4, 6]], np.array([0.5, 3.0, 7.0], np.float32)
        vectors = model.vectors.astype(np.float64)
        confidence, preference = np.ones(len(vectors)), np.zeros(len(vectors))
        confidence[[1, 4, 6]] = self.algorithm.confidence * np.log1p(weights.astype(np.float64))
        preference[[1, 4, 6]] = 1.0
        normal = vectors.T @ (confidence[:, None] * vectors)
        normal += self.algorithm.regularization * np.eye(8)
        expected = np.linalg.solve(normal, vectors.T @ (confidence * preference))
        np.testing.assert_allclose(model.fold_in(seeds, weights), expected, rtol=2e-3, atol=1e-5)

    def test_tea_drinkers_are_near_tea(self, data):
        model = self.algorithm.fit(data)
        tea = model.item_nums[model.item_nums % 2 == 0][:5]
        scores = model.vectors @ model.fold_in(tea, np.ones(5, np.float32))
        is_tea = model.item_nums % 2 == 0
        assert scores[is_tea].mean() > 2 * abs(scores[~is_tea].mean())

    def test_nobody_known_has_no_vector(self, data):
        model = self.algorithm.fit(data)
        unknown = np.setdiff1d(np.arange(48), model.item_nums)[:1].astype(np.int32)
        assert model.fold_in(unknown, np.ones(1, np.float32)) is None
        assert model.fold_in(np.zeros(0, np.int32), np.zeros(0, np.float32)) is None

    def test_a_long_history_is_cut_to_its_heaviest_items(self, data):
        short = Als(embedding_size=8, history_limit=2).fit(data)
        seeds, weights = short.item_nums[:4], np.array([1, 9, 8, 2], np.float32)
        np.testing.assert_array_equal(
            short.fold_in(seeds, weights), short.fold_in(seeds[1:3], weights[1:3])
        )


class TestItemItemOverCustomers(AlgorithmContract):
    algorithm = ItemItem(half_life_days=120.0)

    def test_similarities_are_cosines(self, data):
        model = self.algorithm.fit(data)
        matrix = ItemItem._matrix(self.algorithm, data).toarray().astype(np.float64)
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


class TestItemItemOverBaskets(AlgorithmContract):
    algorithm = ItemItem(over="baskets", half_life_days=30.0)


class TestItemItemBm25(AlgorithmContract):
    algorithm = ItemItem(weighting="bm25", neighbours=5)

    def test_keeps_no_more_neighbours_than_asked(self, data):
        model = self.algorithm.fit(data)
        assert np.diff(model.offsets).max() == 5
        owners = np.repeat(np.arange(48), np.diff(model.offsets))
        assert not (owners == model.item_nums).any()


class TestRepurchase(AlgorithmContract):
    algorithm = Repurchase()

    def test_scores_follow_the_formula(self, data):
        model = Repurchase(half_life_days=30.0, overdue=0.5).fit(data)
        rows, scale = data.states.of(3), data.states.scale
        now = scale.reference_time + 86_400
        nums, scores = model.scores(rows, scale, now)
        log = data.interactions
        for num, score in zip(nums, scores, strict=True):
            mine = (log.customer_nums == 3) & (log.item_nums == num) & (log.event_types == 4)
            times = log.times[mine]
            days = {}
            for time in times:
                days[time // 86_400] = time
            decayed = sum(2 ** (-(now - time) / 86_400 / 30.0) for time in days.values())
            gap = 30.0
            if len(days) > 1:
                gap = max((times.max() - times.min()) / 86_400 / (len(days) - 1), 3.0)
            since = (now - times.max()) / 86_400
            expected = decayed * (1 + since / gap) ** -0.5 + model.ties[num]
            assert score == pytest.approx(expected, rel=1e-4)

    def test_views_are_no_purchases(self, data):
        rows = data.states.of(0)
        nums, _ = self.algorithm.fit(data).scores(rows, data.states.scale, 0)
        assert set(nums) == set(rows.item_nums[rows.event_types == 4])
