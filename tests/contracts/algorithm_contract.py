"""What every algorithm promises, whatever it learns."""

import numpy as np
import pytest

from recsys.data.state import item_weights, type_weight_array


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


class LinearContract(AlgorithmContract):
    """Inherit too where scores are a sum over the history."""

    def test_scores_are_sums_over_the_history(self, data):
        model = self.algorithm.fit(data)
        seeds, weights = np.array([0, 2, 9], np.int32), np.array([1.0, 0.5, 2.0], np.float32)
        nums, scores = model.scores(seeds, weights)
        expected = weights @ np.stack([self.row(data, seed) for seed in seeds])
        np.testing.assert_allclose(scores, expected[nums], rtol=2e-3, atol=1e-6)
        assert (scores > 0).all()
        assert set(nums) >= set(np.flatnonzero(expected > 1e-5))

    def test_strongest_seed_gives_the_largest_part(self, data):
        model = self.algorithm.fit(data)
        seeds, weights = np.array([0, 2, 9], np.int32), np.array([1.0, 0.5, 2.0], np.float32)
        nums, _ = model.scores(seeds, weights)
        parts = weights[:, None] * np.stack([self.row(data, seed) for seed in seeds])
        found = model.strongest_seeds(seeds, weights, nums)
        np.testing.assert_array_equal(found, seeds[parts.argmax(axis=0)[nums]])

    def test_items_of_nobody_add_nothing(self, data):
        model = self.algorithm.fit(data)
        nobody = np.flatnonzero(self.algorithm.matrix(data).sum(axis=0) == 0).astype(np.int32)
        assert len(nobody) > 0
        nums, scores = model.scores(nobody, np.ones(len(nobody), np.float32))
        assert len(nums) == len(scores) == 0
        nums, _ = model.scores(np.arange(40, dtype=np.int32), np.ones(40, np.float32))
        assert not np.isin(nums, nobody).any()

    def test_a_shop_where_no_event_counts_scores_nothing(self, data):
        deaf = self.algorithm.model_copy(update={"event_weights": {}})
        model = deaf.fit(data)
        assert len(model.scores(np.arange(5, dtype=np.int32), np.ones(5, np.float32))[0]) == 0

    def test_a_history_counts_as_in_fitting(self, data):
        short = self.algorithm.model_copy(update={"history_limit": 3})
        row = short.matrix(data)[[7]].toarray()[0]
        weights = type_weight_array(short.event_weights)
        mine = item_weights(data.states.of(7), weights, short.half_life_days, data.states.scale)
        nums, counts = short.history(*mine)
        np.testing.assert_array_equal(nums, np.flatnonzero(row))
        np.testing.assert_array_equal(counts, row[nums])
        assert len(nums) == 3
