"""Models with a vector for each item."""

import numpy as np
import pytest

from recsys.models import least_squares, ppmi
from recsys.models.als import Als
from recsys.models.ials import Ials
from recsys.models.ppmi import Ppmi
from tests.contracts.algorithm_contract import AlgorithmContract


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


class TestIals(AlgorithmContract):
    algorithm = Ials(
        embedding_size=8, epochs=4, unobserved_weight=5.0, regularization=0.1, min_customers=1
    )

    def papers(self, model):
        """Alpha and lambda of Rendle et al. that the settings stand for."""
        alpha = 5.0 * float(model.mean_total[0]) / len(model.item_nums)
        return alpha, 0.1 / (1.0 + 5.0)

    @pytest.mark.parametrize("length", [1, 3, 20])
    def test_fold_in_solves_the_least_squares_problem(self, data, length):
        """Equation 1 of the paper for one customer, over all items, by the dense solution.

        Once where the history is shorter than a vector, once where it is longer.
        """
        model = self.algorithm.fit(data)
        alpha, penalty = self.papers(model)
        random = np.random.default_rng(length)
        seeds = np.sort(random.choice(len(model.item_nums), length, replace=False))
        vectors, own = model.vectors.astype(np.float64), np.zeros(len(model.vectors))
        own[seeds] = 1
        normal = vectors.T @ ((own + alpha)[:, None] * vectors)
        normal += penalty * (length + alpha * len(vectors)) * np.eye(8)
        expected = np.linalg.solve(normal, vectors[seeds].sum(axis=0))
        found = model.fold_in(model.item_nums[seeds], np.ones(length, np.float32))
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-5)

    def test_fitting_lowers_the_loss_of_all(self, data):
        losses = []
        for epochs in (1, 2, 8):
            algorithm = self.algorithm.model_copy(update={"epochs": epochs})
            model, matrix = algorithm.fit(data), algorithm.matrix(data).toarray()
            (alpha, penalty), matrix = self.papers(model), matrix[:, model.item_nums]
            tastes = np.array(
                [model.fold_in(model.item_nums[row > 0], row[row > 0]) for row in matrix]
            )
            products = tastes @ model.vectors.T
            loss = (matrix * np.square(1 - products)).sum() + alpha * np.square(products).sum()
            by_customer = penalty * (matrix.sum(axis=1) + alpha * matrix.shape[1])
            by_item = penalty * (matrix.sum(axis=0) + alpha * matrix.shape[0])
            loss += by_customer @ np.square(tastes).sum(axis=1)
            losses.append(loss + by_item @ np.square(model.vectors).sum(axis=1))
        assert losses[0] > losses[1] > losses[2]

    def test_without_a_power_regularisation_is_the_same_for_all(self):
        flat = self.algorithm.model_copy(update={"frequency_power": 0.0})
        totals = np.array([1, 10, 100], np.float32)
        np.testing.assert_allclose(flat.ridge(totals, 10.0), 1.0)
        assert (np.diff(self.algorithm.ridge(totals, 10.0)) > 0).all()
        assert self.algorithm.ridge(totals, 10.0)[1] == pytest.approx(1.0)

    def test_the_gram_matrix_is_the_spectrum(self, data):
        model = self.algorithm.fit(data)
        gram = model.vectors.T @ model.vectors
        np.testing.assert_allclose(gram, np.diag(model.spectrum), atol=1e-4 * gram.max())

    def test_batches_do_not_show(self, data, monkeypatch):
        whole = self.algorithm.fit(data)
        monkeypatch.setattr(least_squares, "BATCH", 40)
        parts = self.algorithm.fit(data)
        np.testing.assert_allclose(
            whole.vectors @ whole.vectors.T, parts.vectors @ parts.vectors.T, atol=2e-3
        )

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

    def test_a_shop_where_no_event_counts_knows_nothing(self, data):
        model = self.algorithm.model_copy(update={"event_weights": {}}).fit(data)
        assert model.vectors.shape == (0, 8)
        assert model.fold_in(np.arange(5, dtype=np.int32), np.ones(5, np.float32)) is None


class TestIalsOfLogs(AlgorithmContract):
    algorithm = Ials(embedding_size=40, epochs=2, entries="log", half_life_days=120.0)


class TestPpmi(AlgorithmContract):
    algorithm = Ppmi(embedding_size=47, min_together=1, negatives=1.2)

    def information(self, data):
        """The shifted PPMI of Levy and Goldberg, counted pair by pair."""
        log, together = data.interactions, np.zeros((48, 48))
        for basket in np.unique(log.basket_nums):
            mine = np.unique(log.item_nums[(log.basket_nums == basket) & (log.event_types != 8)])
            together[np.ix_(mine, mine)] += 1
        np.fill_diagonal(together, 0)
        words, contexts = together.sum(axis=1), together.sum(axis=1) ** 0.75
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = np.log(together * contexts.sum() / (words[:, None] * contexts)) - np.log(1.2)
        gain = np.where(together > 0, gain, 0).clip(0)
        return (gain + gain.T) / 2

    def test_vectors_factorise_the_information(self, data):
        model, expected = self.algorithm.fit(data), self.information(data)
        values, vectors = np.linalg.eigh(expected)
        positive = (vectors * values.clip(0)) @ vectors.T
        lengths = np.sqrt(np.diag(positive))[model.item_nums]
        products = (lengths[:, None] * model.vectors) @ (lengths[:, None] * model.vectors).T
        known = np.ix_(model.item_nums, model.item_nums)
        np.testing.assert_allclose(products, positive[known], atol=2e-3)
        assert len(model.item_nums) > 30

    def test_a_fold_in_is_the_direction_of_the_mean(self, data):
        model = self.algorithm.fit(data)
        seeds, weights = model.item_nums[[1, 4]], np.array([0.5, 3.0], np.float32)
        mean = np.log1p(weights) @ model.vectors[[1, 4]]
        expected = mean / np.linalg.norm(mean)
        np.testing.assert_allclose(model.fold_in(seeds, weights), expected, rtol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(model.vectors, axis=1), 1.0, rtol=1e-5)

    def test_tea_is_like_tea(self, data):
        model = self.algorithm.model_copy(update={"embedding_size": 8}).fit(data)
        is_tea = model.item_nums % 2 == 0
        scores = model.vectors @ model.fold_in(model.item_nums[is_tea][:1], np.ones(1, np.float32))
        assert scores[is_tea].mean() > scores[~is_tea].mean() + 0.2

    def test_pairs_that_are_rarely_together_do_not_count(self, data):
        rare = self.algorithm.model_copy(update={"min_together": 1_000}).fit(data)
        assert len(rare.item_nums) == 0
        assert rare.fold_in(np.arange(5, dtype=np.int32), np.ones(5, np.float32)) is None


class TestPpmiOverCustomers(AlgorithmContract):
    algorithm = Ppmi(over="customers", embedding_size=8, half_life_days=120.0)

    def test_blocks_do_not_show(self, data, monkeypatch):
        whole = self.algorithm.fit(data).arrays()
        monkeypatch.setattr(ppmi, "BLOCK", 5)
        for name, array in self.algorithm.fit(data).arrays().items():
            np.testing.assert_array_equal(array, whole[name])
