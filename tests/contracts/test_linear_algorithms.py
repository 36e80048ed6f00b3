"""Models whose scores are sums of weights between items."""

import numpy as np
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.state import CustomerStates
from recsys.errors import DataError
from recsys.models import ease_solver, slim
from recsys.models.ease import Ease
from recsys.models.graph_filter import GraphFilter
from recsys.models.protocol import TrainingData
from recsys.models.slim import Slim
from tests.contracts.algorithm_contract import LinearContract


class TestEase(LinearContract):
    algorithm = Ease(regularization=3.0)

    def row(self, data, seed):
        """Row `seed` of the dense closed form, in double precision."""
        matrix = self.algorithm.matrix(data).toarray().astype(np.float64)
        bought = np.flatnonzero(matrix.sum(axis=0))
        system = matrix[:, bought].T @ matrix[:, bought]
        inverse = np.linalg.inv(system + self.algorithm.regularization * np.eye(len(bought)))
        weights = -inverse / np.diag(inverse)[None, :]
        np.fill_diagonal(weights, 0.0)
        full = np.zeros((48, 48))
        full[np.ix_(bought, bought)] = weights
        return full[seed]

    def test_weights_equal_the_dense_closed_form(self, data):
        model = self.algorithm.fit(data)
        dense = model.rows.matrix.toarray()
        expected = np.stack([self.row(data, seed) for seed in range(48)])
        np.testing.assert_allclose(dense, expected, rtol=1e-4, atol=1e-6)
        assert (dense < -0.001).any(), "negative weights are kept"
        assert model.report()["kept_share_of_squares"] == 1.0

    def test_pruning_keeps_the_largest_weights_of_all(self, data):
        model = self.algorithm.model_copy(update={"weight_limit": 200}).fit(data)
        expected = np.stack([self.row(data, seed) for seed in range(48)])
        kept = model.rows.matrix.toarray() != 0
        assert 195 <= kept.sum() <= 200
        least = np.sort(np.abs(expected).ravel())[-200]
        assert (np.abs(expected[kept]) >= least * (1 - 1e-4)).all()
        share = np.square(expected[kept]).sum() / np.square(expected).sum()
        assert model.report()["kept_share_of_squares"] == pytest.approx(share, rel=1e-3)
        assert 0.2 < share < 0.99

    def test_only_the_items_of_most_customers_take_part(self, data):
        model = self.algorithm.model_copy(update={"item_limit": 10}).fit(data)
        customers = np.diff(self.algorithm.matrix(data).tocsc().indptr)
        taking = np.unique(model.rows.item_nums)
        assert len(taking) == 10
        assert customers[taking].min() >= np.delete(customers, taking).max()

    def test_blocks_do_not_show(self, data, monkeypatch):
        matrix = self.algorithm.matrix(data)[:, :40]
        whole = ease_solver.solve(matrix, 3.0, 300)
        monkeypatch.setattr(ease_solver, "BLOCK", 7)
        for ours, theirs in zip(whole, ease_solver.solve(matrix, 3.0, 300), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5)

    def test_a_system_without_a_solution_is_an_error_with_advice(self, shop):
        """Fewer customers than items, and as good as no regularisation."""
        catalogue = Catalogue.from_frame(shop.items)
        log = Interactions.from_events(shop.events.head(60), items=catalogue.items)
        young = TrainingData(log, CustomerStates.from_interactions(log, ()), None, catalogue)
        loose = self.algorithm.model_copy(update={"regularization": 1e-30})
        with pytest.raises(DataError, match=r"not positive definite.*raise regularization"):
            loose.fit(young)

    def test_a_solver_that_is_killed_is_an_error_with_advice(self, data, monkeypatch, tmp_path):
        dying = tmp_path / "python"
        dying.write_text("#!/bin/sh\nkill -9 $$\n")
        dying.chmod(0o755)
        monkeypatch.setattr("sys.executable", str(dying))
        with pytest.raises(DataError, match=r"ended with -9\).*lower item_limit"):
            self.algorithm.fit(data)


class TestEaseOfLogs(LinearContract):
    algorithm = Ease(regularization=3.0, entries="log", half_life_days=120.0)
    row = TestEase.row


class TestSlim(LinearContract):
    algorithm = Slim(regularization=3.0, neighbours=7)

    def row(self, data, seed):
        """Row `seed` of the regressions on the nearest items, in double precision."""
        return self.dense(data, self.algorithm.neighbours)[seed]

    def dense(self, data, count):
        matrix = self.algorithm.matrix(data).toarray().astype(np.float64)
        gram = matrix.T @ matrix
        weights = np.zeros_like(gram)
        for item in np.flatnonzero(np.diag(gram)):
            cosines = gram[item] / np.sqrt(np.maximum(np.diag(gram), 1e-9))
            cosines[item] = 0
            near = np.argsort(-np.round(cosines, 9), kind="stable")[:count]
            near = near[cosines[near] > 0]
            system = gram[np.ix_(near, near)]
            system += self.algorithm.regularization * np.eye(len(near))
            weights[near, item] = np.linalg.solve(system, gram[near, item])
        return weights

    def test_weights_equal_the_dense_regressions(self, data):
        weights = self.algorithm.fit(data).matrix.toarray()
        expected = self.dense(data, 7)
        np.testing.assert_allclose(weights, expected, rtol=1e-3, atol=1e-6)
        assert (expected < -0.001).any(), "negative weights are kept"

    def test_with_all_neighbours_it_is_ridge_regression(self, data):
        everyone = self.algorithm.model_copy(update={"neighbours": 48})
        weights = everyone.fit(data).matrix.toarray()
        np.testing.assert_allclose(weights, self.dense(data, 48), rtol=1e-3, atol=1e-6)

    def test_blocks_do_not_show(self, data, monkeypatch):
        whole = self.algorithm.fit(data).arrays()
        monkeypatch.setattr(slim, "BLOCK", 5)
        monkeypatch.setattr(slim, "ENTRIES", 300)
        for name, array in self.algorithm.fit(data).arrays().items():
            np.testing.assert_array_equal(array, whole[name])

    def test_a_system_without_a_solution_is_an_error_with_advice(self, shop):
        """Fewer customers than neighbours, and as good as no regularisation."""
        catalogue = Catalogue.from_frame(shop.items)
        log = Interactions.from_events(shop.events.head(60), items=catalogue.items)
        young = TrainingData(log, CustomerStates.from_interactions(log, ()), None, catalogue)
        loose = Slim(regularization=1e-30, neighbours=48)
        with pytest.raises(DataError, match="raise regularization"):
            loose.fit(young)


class TestGraphFilter(LinearContract):
    algorithm = GraphFilter(embedding_size=6, alpha=0.3)

    def row(self, data, seed):
        """Row `seed` of the dense filter: S'S + alpha D^-1/2 V V' D^1/2."""
        matrix = self.algorithm.matrix(data).toarray().astype(np.float64)
        columns = np.maximum(matrix.sum(axis=0), 1e-300)
        graph = matrix / np.sqrt(matrix.sum(axis=1))[:, None] / np.sqrt(columns)
        vectors = np.linalg.svd(graph)[2][: self.algorithm.embedding_size].T
        low_pass = vectors @ vectors.T / np.sqrt(columns)[:, None] * np.sqrt(columns)
        return (graph.T @ graph + self.algorithm.alpha * low_pass)[seed]

    def test_never_keeps_more_vectors_than_the_graph_has(self, data):
        model = self.algorithm.model_copy(update={"embedding_size": 2_048}).fit(data)
        rank = np.linalg.matrix_rank(model.by_item.toarray())
        assert rank - 1 <= model.vectors.shape[1] <= rank


class TestGraphFilterOfLogs(LinearContract):
    algorithm = GraphFilter(embedding_size=6, alpha=0.5, entries="log", half_life_days=120.0)
    row = TestGraphFilter.row
