"""What customers need again, and when."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recsys.data.interactions import Interactions
from recsys.data.state import CustomerStates, StateRows
from recsys.models.protocol import TrainingData
from recsys.models.purchase_log import PURCHASE
from recsys.models.replenishment import Replenishment
from recsys.models.replenishment_model import HORIZONS_DAYS, ReplenishmentModel
from recsys.types import DAY_S
from tests.contracts.algorithm_contract import AlgorithmContract
from tests.small_shop import START

WEEK_ITEM, MONTH_ITEM, ONCE_ITEM = 0, 2, 4
DAYS = 112


@pytest.fixture(scope="module")
def steady(data) -> TrainingData:
    """80 customers: one item about weekly, one about monthly, one on a single day."""
    draw, rows = np.random.default_rng(0), []
    for customer in range(80):
        for item, gap in ((WEEK_ITEM, 7.0), (MONTH_ITEM, 30.0)):
            day = draw.uniform(0, gap)
            while day < DAYS:
                rows.append((f"c{customer:02}", f"item-{item:02}", day))
                day += draw.exponential(gap)
        rows.append((f"c{customer:02}", f"item-{ONCE_ITEM:02}", draw.uniform(0, 20)))
    events = pl.DataFrame(rows, ["customer_id", "item_id", "day"], orient="row").select(
        pl.int_range(pl.len()).cast(pl.String).alias("event_id"),
        "customer_id",
        "item_id",
        pl.lit("purchase").alias("event_type"),
        (pl.lit(START) + pl.duration(seconds=pl.col("day") * DAY_S)).alias("event_time"),
        pl.lit(1.0).alias("quantity"),
        pl.lit(None, pl.String).alias("basket_id"),
        pl.lit(None, pl.String).alias("session_id"),
    )
    end = int((START + timedelta(days=DAYS)).timestamp())
    log = Interactions.from_events(events.lazy(), items=data.catalogue.items, end_time=end)
    return replace(data, interactions=log, states=CustomerStates.from_interactions(log, ()))


@pytest.fixture(scope="module")
def known(steady) -> ReplenishmentModel:
    return Replenishment().fit(steady)


def row(item: int, days: float, first: float, last: float) -> StateRows:
    start = int(START.timestamp())
    return StateRows(
        np.array([item], np.int32),
        np.array([PURCHASE], np.uint8),
        np.array([days], np.float32),
        np.array([start + int(first * DAY_S)]),
        np.array([start + int(last * DAY_S)]),
        np.zeros((1, 0), np.float32),
    )


def now(day: float) -> int:
    return int(START.timestamp()) + int(day * DAY_S)


class TestReplenishment(AlgorithmContract):
    algorithm = Replenishment()

    def test_every_item_bought_is_forecast_and_no_other(self, data):
        model, end = self.algorithm.fit(data), data.states.scale.reference_time
        for customer in range(len(data.states)):
            rows = data.states.of(customer)
            told = model.forecast(rows, end)
            bought = rows.event_types == PURCHASE
            np.testing.assert_array_equal(told.item_nums, rows.item_nums[bought])
            np.testing.assert_array_equal(told.days, rows.days[bought])
            assert told.probabilities.shape == (bought.sum(), len(HORIZONS_DAYS))
            assert (told.due_times > rows.last_times[bought]).all()

    def test_a_stranger_has_no_forecast(self, data):
        told = self.algorithm.fit(data).forecast(data.states.empty(), 0)
        assert len(told.item_nums) == len(told.due_times) == len(told.probabilities) == 0

    @given(
        days=st.integers(1, 400),
        spans=st.tuples(st.floats(0, 300), st.floats(0, 300), st.floats(-5, 4_000)),
        item=st.integers(0, 60),
        correction=st.tuples(st.floats(-4, 4), st.floats(-2, 2), st.floats(-2, 2)),
    )
    def test_probabilities_are_probabilities_and_never_fall(
        self, known, days, spans, item, correction
    ):
        model = replace(known, correction=np.array(correction))
        first, span, silence = spans
        history = row(item, days, first, first + span)  # items from 48 on: not of this bundle
        [chances] = model.forecast(history, now(first + span + silence)).probabilities
        assert ((chances >= 0) & (chances <= 1)).all()
        assert (np.diff(chances) >= 0).all()

    def test_what_is_bought_weekly_is_due_in_a_week(self, known):
        week = known.forecast(row(WEEK_ITEM, 12, 0, 77), now(79))
        month = known.forecast(row(MONTH_ITEM, 4, 0, 90), now(92))
        assert (week.due_times[0] - now(77)) / DAY_S == pytest.approx(7, abs=1)
        assert (month.due_times[0] - now(90)) / DAY_S == pytest.approx(30, abs=5)
        assert week.probabilities[0, 0] > 2 * month.probabilities[0, 0]

    def test_one_purchase_goes_by_the_item(self, known):
        week, once = (
            known.forecast(row(item, 1, 100, 100), now(101)) for item in (WEEK_ITEM, ONCE_ITEM)
        )
        assert week.probabilities[0, 2] > 5 * once.probabilities[0, 2]
        assert week.due_times[0] < once.due_times[0]

    def test_time_since_the_last_purchase_counts(self, known):
        soon, late = (
            known.forecast(row(WEEK_ITEM, 8, 0, 49), now(day)).probabilities[0] for day in (51, 99)
        )
        assert (late < soon).all()

    def test_an_item_of_later_is_like_the_shop(self, known):
        shape, scale, *_ = known.process
        told = known.forecast(row(1_000, 1, 10, 10), now(11))
        assert (told.due_times[0] - now(10)) / DAY_S == pytest.approx(scale / shape, rel=1e-3)

    def test_told_probabilities_come_true(self, steady):
        """Fitted on the first twelve weeks, held against the next seven days."""
        cut = now(DAYS - 28)
        log = steady.interactions
        before = log.times < cut
        past = replace(
            log,
            customer_nums=log.customer_nums[before],
            item_nums=log.item_nums[before],
            event_types=log.event_types[before],
            times=log.times[before],
            basket_nums=log.basket_nums[before],
            end_time=cut,
        )
        states = CustomerStates.from_interactions(past, ())
        model = Replenishment().fit(replace(steady, interactions=past, states=states))
        for column, days in enumerate(HORIZONS_DAYS):
            told, happened = [], []
            for customer in range(len(states)):
                forecast = model.forecast(states.of(customer), cut)
                later = log.customer_nums == customer
                later &= (log.times >= cut) & (log.times < cut + days * DAY_S)
                told += forecast.probabilities[:, column].tolist()
                happened += np.isin(forecast.item_nums, log.item_nums[later]).tolist()
            assert np.mean(told) == pytest.approx(np.mean(happened), abs=0.06)

    def test_a_shop_that_sold_nothing_has_the_usual_paces(self, data):
        log = data.interactions
        views = log.event_types != PURCHASE
        bare = replace(
            log,
            customer_nums=log.customer_nums[views],
            item_nums=log.item_nums[views],
            event_types=log.event_types[views],
            times=log.times[views],
            basket_nums=log.basket_nums[views],
        )
        states = CustomerStates.from_interactions(bare, ())
        model = self.algorithm.fit(replace(data, interactions=bare, states=states))
        assert np.isfinite(model.process).all()
        assert not model.correction.any()
        np.testing.assert_allclose(model.item_rates, model.process[0] / model.process[1], 1e-5)

    def test_a_short_past_is_not_corrected(self, steady):
        assert Replenishment(correct_days=28).fit(steady).correction.any()
        assert not Replenishment(correct_days=60).fit(steady).correction.any()
        assert not Replenishment(correct_days=0).fit(steady).correction.any()

    def test_a_window_shorter_than_every_horizon_corrects_too(self, steady):
        assert Replenishment(correct_days=5).fit(steady).correction.any()

    def test_of_many_pairs_some_customers_are_learned_from(self, data):
        pairs = int((data.states.rows.event_types == PURCHASE).sum())
        some = Replenishment(most_pairs=1_000)
        assert pairs < some.most_pairs  # all of them: the same model
        whole = self.algorithm.fit(data).arrays()
        for name, array in some.fit(data).arrays().items():
            np.testing.assert_array_equal(array, whole[name])
        step = some.model_copy(update={"most_pairs": pairs // 3})
        assert (step.fit(data).item_rates != self.algorithm.fit(data).item_rates).any()

    def test_purchases_do_not_fade(self):
        assert Replenishment.model_validate({"half_life_days": "none"}).half_life_days is None
        with pytest.raises(ValidationError):
            Replenishment(half_life_days=3)
