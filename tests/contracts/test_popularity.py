"""Popularity, trends, and what customers buy again."""

import numpy as np
import pytest
from pydantic import ValidationError

from recsys.data.state import type_weight_array
from recsys.models.popularity import Popularity, PopularityModel
from recsys.models.repurchase import Repurchase
from recsys.models.trend import Trend
from tests.contracts.algorithm_contract import AlgorithmContract


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


def test_the_label_that_gives_an_item_most_is_known():
    model = PopularityModel(
        scores=np.zeros(5, np.float32),
        order=np.arange(5, dtype=np.int32),
        segment_offsets=np.array([0, 3, 5, 5], np.int32),
        segment_item_nums=np.array([2, 0, 1, 1, 3], np.int32),
        segment_scores=np.array([10.0, 5.0, 2.0, 8.0, 8.0], np.float32),
    )
    labels = np.array([0, 1, 2], np.int32)
    nums, _ = model.of_segments(labels)
    assert nums.tolist() == [0, 1, 2, 3]
    assert model.strongest_labels(labels, nums).tolist() == [0, 1, 0, 1]
    assert model.strongest_labels(labels[:1], nums[:3]).tolist() == [0, 0, 0]
    assert model.strongest_labels(labels, nums[:0]).tolist() == []
