"""What every algorithm promises, whatever it learns."""

import numpy as np
import pytest
from pydantic import ValidationError

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.state import CustomerStates, item_weights, type_weight_array
from recsys.errors import DataError
from recsys.models import ease_solver, least_squares, ppmi, slim
from recsys.models.als import Als
from recsys.models.ease import Ease
from recsys.models.graph_filter import GraphFilter
from recsys.models.ials import Ials
from recsys.models.item_item import ItemItem
from recsys.models.popularity import Popularity
from recsys.models.ppmi import Ppmi
from recsys.models.protocol import TrainingData
from recsys.models.repurchase import Repurchase
from recsys.models.slim import Slim
from recsys.models.trend import Trend


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

    def test_a_window_forgets_who_came_before_it(self, data):
        window = Popularity(half_life_days=None, window_days=20.0, event_weights={"purchase": 1.0})
        scores, log = window.fit(data).scores, data.interactions
        late = (log.event_types == 4) & (log.end_time - log.times <= 20 * 86_400)
        for item in range(48):
            buyers = np.unique(log.customer_nums[late & (log.item_nums == item)])
            assert scores[item] == len(buyers)
        assert 0 < scores.sum() < Popularity(half_life_days=None).fit(data).scores.sum()


class TestPopularityByDays(AlgorithmContract):
    algorithm = Popularity(count="days")

    def test_counts_every_day_of_every_customer(self, data):
        model = Popularity(count="days", half_life_days=None, event_weights={"purchase": 1.0}).fit(
            data
        )
        log = data.interactions
        bought = log.event_types == 4
        for item in range(48):
            mine = bought & (log.item_nums == item)
            days = set(zip(log.customer_nums[mine], log.times[mine] // 86_400, strict=True))
            assert model.scores[item] == len(days)

    def test_days_have_no_window(self):
        with pytest.raises(ValidationError, match="window_days goes with count = 'customers'"):
            Popularity(count="days", window_days=7)


class TestTrend(AlgorithmContract):
    algorithm = Trend(window_days=20.0, past_windows=2, shrinkage=3.0)

    def counts(self, data, customers, window):
        """Distinct customers of each item in a window, heaviest event type first."""
        log, found = data.interactions, np.zeros(48)
        weights = type_weight_array(self.algorithm.event_weights)[log.event_types]
        late = (log.end_time - log.times) // (20 * 86_400) == window
        for customer in customers:
            for item in range(48):
                rows = late & (log.customer_nums == customer) & (log.item_nums == item)
                found[item] += weights[rows].max(initial=0.0)
        return found

    def lift(self, data, customers):
        recent = self.counts(data, customers, 0)
        past = self.counts(data, customers, 1) + self.counts(data, customers, 2)
        expected = past * recent.sum() / past.sum()
        return np.where(recent > 0, (recent + 3) / (expected + 3), 0)

    def test_scores_follow_the_formula(self, data):
        model = self.algorithm.fit(data)
        expected = self.lift(data, range(len(data.states)))
        np.testing.assert_allclose(model.scores, expected, rtol=1e-4)
        assert expected.max() > 1
        assert model.scores[model.order[0]] == model.scores.max()

    def test_segments_have_trends_of_their_own(self, data):
        model, label = self.algorithm.fit(data), data.segments.labels.number("region=north")
        north = [c for c in range(len(data.states)) if label in data.segments.of(c)]
        nums, shares = model.of_segments(np.array([label], np.int32))
        expected = self.lift(data, north)
        np.testing.assert_allclose(shares, expected[nums] / expected.max(), rtol=1e-4)

    def test_without_a_past_it_is_popularity(self, data):
        bought = {"event_weights": {"purchase": 1.0}}
        model = self.algorithm.model_copy(update={"window_days": 10_000.0, **bought}).fit(data)
        chosen = Popularity(half_life_days=None, **bought).fit(data).scores
        np.testing.assert_allclose(model.scores[chosen > 0], (chosen[chosen > 0] + 3) / 3)

    def test_a_shop_where_no_event_counts_has_no_trend(self, data):
        model = self.algorithm.model_copy(update={"event_weights": {}}).fit(data)
        assert not model.scores.any()


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


class TestItemItemWithDampedRows(AlgorithmContract):
    algorithm = ItemItem(row_power=0.5)

    def test_who_has_much_says_little(self, data):
        model = self.algorithm.fit(data)
        matrix = ItemItem._matrix(self.algorithm, data).toarray().astype(np.float64)
        norms = np.maximum(np.linalg.norm(matrix, axis=0), 1e-12)
        sizes = np.maximum((matrix > 0).sum(axis=1), 1)
        nums, scores = model.scores(np.array([0], np.int32), np.ones(1, np.float32))
        expected = (matrix[:, 0] / sizes) @ matrix / (norms * norms[0])
        np.testing.assert_allclose(scores, expected[nums], rtol=1e-4)


class TestItemItemThatRepeats(AlgorithmContract):
    algorithm = ItemItem(own_similarity=True, neighbours=3)

    def test_an_item_is_the_first_of_its_neighbours(self, data):
        model = self.algorithm.fit(data)
        matrix = ItemItem._matrix(self.algorithm, data)
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


class TestRepurchase(AlgorithmContract):
    algorithm = Repurchase()

    def test_ties_go_by_customers_or_by_days(self, data):
        for count in ("customers", "days"):
            known = Popularity(
                count=count, half_life_days=None, event_weights={"purchase": 1.0}
            ).fit(data)
            ties = Repurchase(ties=count).fit(data).ties
            np.testing.assert_allclose(ties, known.scores / known.scores.max() * 1e-3, rtol=1e-6)

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
