"""What algorithms that look at the order of a history promise."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from recsys.data.state import item_weights, type_weight_array
from recsys.models import markov
from recsys.models.customer_neighbours import CustomerNeighbours
from recsys.models.markov import Markov
from recsys.models.repurchase import Repurchase
from tests.contracts.algorithm_contract import AlgorithmContract


def sequences(log, of, codes):
    """Each owner's moments, by brute force: lists of (time, items), the first event first."""
    found = defaultdict(lambda: defaultdict(set))
    owners = log.customer_nums if of == "customers" else log.basket_nums
    for row in range(len(log)):
        if log.event_types[row] in codes:
            found[owners[row]][log.times[row]].add(int(log.item_nums[row]))
    return [sorted(by_time.items()) for by_time in found.values()]


def transitions(log, config, codes):
    """Items x items, as the formula says; for logs where nobody chooses twice in a row."""
    table = np.zeros((len(log.items), len(log.items)))
    for moments in sequences(log, config.over, codes):
        for place, (_, earlier) in enumerate(moments):
            for gap, (time, later) in enumerate(moments[place + 1 : place + 1 + config.steps], 1):
                age = (log.end_time - time) / 86_400
                weight = gap**-config.gap_power / len(later)
                if config.half_life_days is not None:
                    weight *= 2 ** -(age / config.half_life_days)
                for one in earlier:
                    for other in later - {one}:
                        table[one, other] += weight
    sources, targets = table.sum(axis=1), table.sum(axis=0)
    table /= np.maximum(sources, 1e-12)[:, None] ** config.source_power
    return table / np.maximum(targets, 1e-12) ** config.popularity_power


def dense(model):
    table = np.zeros((48, 48))
    table[np.repeat(np.arange(48), np.diff(model.offsets)), model.item_nums] = model.weights
    return table


@pytest.fixture(scope="module")
def calm(data):
    """The shop without items that a customer chooses at two moments in a row."""
    log = data.interactions
    kept, last = [], {}
    for row in range(len(log)):
        moments = last.setdefault(log.customer_nums[row], [])
        if not moments or moments[-1][0] != log.times[row]:
            if moments and not moments[-1][1]:
                moments.pop()
            moments.append((log.times[row], set()))
        before = moments[-2][1] if len(moments) > 1 else set()
        if log.item_nums[row] not in before:
            moments[-1][1].add(log.item_nums[row])
            kept.append(row)
    columns = ("customer_nums", "item_nums", "event_types", "times", "basket_nums")
    parts = {name: getattr(log, name)[kept] for name in columns}
    calm_log = type(log)(log.customers, log.items, **parts, end_time=log.end_time)
    return replace(data, interactions=calm_log)


class TestMarkov(AlgorithmContract):
    algorithm = Markov(event_weights={"purchase": 1.0})

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"steps": 2, "gap_power": 0.5, "half_life_days": 30.0},
            {"source_power": 1.0},
            {"source_power": 0.5, "popularity_power": 0.3},
        ],
    )
    def test_transitions_follow_the_formula(self, calm, settings):
        config = self.algorithm.model_copy(update=settings)
        expected = transitions(calm.interactions, config, {4})
        assert (expected > 0).any()
        np.testing.assert_allclose(dense(config.fit(calm)), expected, rtol=1e-4, atol=1e-7)

    def test_blocks_do_not_show(self, data, monkeypatch):
        whole = self.algorithm.fit(data).arrays()
        monkeypatch.setattr(markov, "BLOCK", 7)
        for name, array in self.algorithm.fit(data).arrays().items():
            np.testing.assert_array_equal(array, whole[name], err_msg=name)

    def test_the_heaviest_transitions_are_kept(self, data):
        whole = dense(self.algorithm.fit(data))
        cut = dense(self.algorithm.model_copy(update={"neighbours": 3}).fit(data))
        assert (np.count_nonzero(cut, axis=1) <= 3).all()
        np.testing.assert_array_equal(cut[cut > 0], whole[cut > 0])
        np.testing.assert_allclose(np.sort(whole)[:, -3:].sum(1), cut.sum(1), rtol=1e-6)

    def test_a_session_is_one_moment_here_so_nothing_follows(self, data):
        nothing = self.algorithm.model_copy(update={"over": "sessions"}).fit(data)
        assert len(nothing.item_nums) == 0
        assert len(nothing.scores(np.arange(3, dtype=np.int32), np.ones(3, np.float32))[0]) == 0

    def test_a_history_counts_less_with_each_step_back(self, data):
        rows = data.states.of(5)
        nums, weights = self.algorithm.history(rows)
        bought = rows.event_types == 4
        times = dict(zip(rows.item_nums[bought], rows.last_times[bought], strict=True))
        assert set(nums) == set(times)
        newest_first = sorted(set(times.values()), reverse=True)
        expected = [0.5 ** newest_first.index(times[num]) for num in nums]
        np.testing.assert_allclose(weights, expected)
        assert weights[0] == 1
        assert (np.diff(weights) <= 0).all()
        short = self.algorithm.model_copy(update={"history_limit": 2})
        np.testing.assert_array_equal(short.history(rows)[0], nums[:2])

    def test_the_heaviest_type_of_an_item_counts(self, data):
        rows = data.states.of(5)
        both = Markov(event_weights={"view": 0.25, "purchase": 0.5}, history_decay=1.0)
        np.testing.assert_array_equal(both.history(rows)[1], 0.5)

    def test_strongest_seed_gives_the_largest_part(self, data):
        model = self.algorithm.fit(data)
        seeds, weights = np.array([9, 2, 0], np.int32), np.array([1.0, 0.5, 0.2], np.float32)
        nums, scores = model.scores(seeds, weights)
        parts = weights[:, None] * dense(model)[seeds]
        np.testing.assert_allclose(scores, parts.sum(axis=0)[nums], rtol=1e-5)
        found = model.strongest_seeds(seeds, weights, nums)
        np.testing.assert_array_equal(found, seeds[parts.argmax(axis=0)[nums]])


class TestMarkovOfEverything(AlgorithmContract):
    algorithm = Markov(half_life_days=30.0, source_power=0.5, neighbours=5)


class TestCustomerNeighbours(AlgorithmContract):
    algorithm = CustomerNeighbours(
        half_life_days=30.0, neighbours=7, horizon_days=10.0, event_weights={"purchase": 1.0}
    )

    def histories(self, data):
        """Each customer's history and votes, by brute force, as (items,) arrays."""
        log, config, found = data.interactions, self.algorithm, []
        for customer in range(len(log.customers)):
            mine = (log.customer_nums == customer) & (log.event_types == 4)
            cut = log.times[mine].max() - config.horizon_days * 86_400
            history, votes = np.zeros(48), np.zeros(48)
            for item in range(48):
                times = log.times[mine & (log.item_nums == item)]
                votes[item] = (times > cut).any()
                days = {time // 86_400: time for time in times[times <= cut]}.values()
                history[item] = sum(2.0 ** ((time - cut) / 86_400 / 30.0) for time in days)
            if history.any() and votes.any():
                found.append((history, votes))
        return np.array(found).transpose(1, 0, 2)

    def expected(self, data, seeds, weights):
        """Parts of each seed in each item's score, seeds x items."""
        histories, votes = self.histories(data)
        votes = votes / votes.sum(axis=1, keepdims=True) ** self.algorithm.vote_power
        scales = np.maximum((histories > 0).sum(axis=0), 1) ** -self.algorithm.item_power
        scaled = histories * scales
        scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
        query = np.zeros(48)
        query[seeds] = weights * scales[seeds]
        query /= np.linalg.norm(query)
        nearest = np.argsort(-(scaled @ query), kind="stable")[: self.algorithm.neighbours]
        return (query[seeds, None] * scaled[nearest][:, seeds].T) @ votes[nearest]

    def test_neighbours_vote_for_what_followed(self, data):
        model = self.algorithm.fit(data)
        seeds, weights = np.array([0, 2, 9], np.int32), np.array([1.0, 0.5, 0.2], np.float32)
        expected = self.expected(data, seeds, weights).sum(axis=0)
        nums, scores = model.scores(seeds, weights)
        np.testing.assert_array_equal(nums, np.flatnonzero(expected > 1e-9))
        np.testing.assert_allclose(scores, expected[nums], rtol=1e-4)

    def test_strongest_seed_gives_the_largest_part(self, data):
        model = self.algorithm.fit(data)
        seeds, weights = np.array([0, 2, 9], np.int32), np.array([1.0, 0.5, 0.2], np.float32)
        nums, _ = model.scores(seeds, weights)
        parts = self.expected(data, seeds, weights)
        found = model.strongest_seeds(seeds, weights, nums)
        np.testing.assert_array_equal(found, seeds[parts.argmax(axis=0)[nums]])

    def test_the_scale_of_a_history_says_nothing(self, data):
        model = self.algorithm.fit(data)
        seeds, weights = np.array([0, 2], np.int32), np.array([1.0, 0.5], np.float32)
        np.testing.assert_allclose(
            model.scores(seeds, weights)[1], model.scores(seeds, weights * 4)[1], rtol=1e-5
        )

    def test_nothing_known_scores_nothing(self, data):
        model = self.algorithm.fit(data)
        assert len(model.scores(np.zeros(0, np.int32), np.zeros(0, np.float32))[0]) == 0
        nobody = np.flatnonzero(np.diff(model.by_item.indptr) == 0).astype(np.int32)
        assert len(nobody) > 0
        assert len(model.scores(nobody, np.ones(len(nobody), np.float32))[0]) == 0

    def test_only_the_latest_customers_are_kept(self, data):
        few = self.algorithm.model_copy(update={"customer_limit": 5}).fit(data)
        assert few.by_item.shape == (48, 5)
        assert few.votes.shape == (5, 48)

    def test_a_history_is_cut_as_in_fitting(self, data):
        short = self.algorithm.model_copy(update={"history_limit": 3})
        weights = type_weight_array(short.event_weights)
        rows, scale = data.states.of(7), data.states.scale
        nums, kept = short.history(*item_weights(rows, weights, 30.0, scale))
        assert len(nums) == len(kept) == 3
        assert np.diff(short.fit(data).by_item.tocsc().indptr).max() <= 3


class TestCustomerNeighboursWithoutFading(AlgorithmContract):
    algorithm = CustomerNeighbours(half_life_days=None, horizon_days=30.0, vote_power=1.0)

    def test_a_shop_where_no_event_counts_scores_nothing(self, data):
        deaf = self.algorithm.model_copy(update={"event_weights": {}})
        model = deaf.fit(data)
        assert len(model.scores(np.arange(5, dtype=np.int32), np.ones(5, np.float32))[0]) == 0


class TestRepurchaseWithCounts(AlgorithmContract):
    algorithm = Repurchase(half_life_days=30.0, overdue=0.0, count_weight=0.2)

    def test_days_count_beside_their_fading_part(self, data):
        fading = self.algorithm.model_copy(update={"count_weight": 0.0}).fit(data)
        model, rows, scale = self.algorithm.fit(data), data.states.of(3), data.states.scale
        nums, scores = model.scores(rows, scale, scale.reference_time)
        same, faded = fading.scores(rows, scale, scale.reference_time)
        np.testing.assert_array_equal(nums, same)
        bought = rows.event_types == 4
        np.testing.assert_array_equal(rows.item_nums[bought], nums)
        np.testing.assert_allclose(scores - faded, 0.2 * rows.days[bought], rtol=1e-4)
