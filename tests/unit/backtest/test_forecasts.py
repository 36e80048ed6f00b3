"""Forecasts held against what was bought."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.assembly import assemble
from recsys.backtest.forecasts import ForecastQuality, forecast_quality
from recsys.data.splits import Split, temporal_split
from recsys.errors import ConfigError
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit
from recsys.fitting.reduce import needed
from recsys.pipeline.recommender import Recommender
from tests.shops import Event, day, tiny_shop

CUTOFF, END = 60, 90
LAST = int(day(END).timestamp())


def shop_events() -> list[Event]:
    """Ann buys tea every ten days, to the end; bob stops at the cutoff; all buy one cup."""
    tea = [Event("ann", "tea", number) for number in range(1, END, 10)]
    milk = [Event("bob", "milk", number) for number in range(1, CUTOFF, 7)]
    cups = [Event(who, "cup", 2) for who in ("ann", "bob", "cat")]
    return [*tea, *milk, *cups, Event("cat", "cup", CUTOFF + 20)]


@pytest.fixture(scope="module")
def split() -> Split:
    return temporal_split(tiny_shop(shop_events()), cutoff=day(CUTOFF))


@pytest.fixture(scope="module")
def recommender(split: Split) -> Recommender:
    config = needed(load_config(), ["buy_again"])
    return assemble(fit(split.train, config, end_time=split.cutoff).pipeline, "judged")


def of(found: list[ForecastQuality], which: str, days: int) -> ForecastQuality:
    (one,) = [each for each in found if (each.which, each.days) == (which, days)]
    return one


def test_every_pair_bought_before_counts(recommender: Recommender, split: Split) -> None:
    found = forecast_quality(recommender, split, end_time=LAST)
    # Bob, who did not come back, counts: ann tea and cup, bob milk and cup, cat cup.
    for days, bought in ((7, 1), (14, 1), (28, 2)):
        told = of(found, "all", days)
        assert told.pairs == 5
        assert told.happened == pytest.approx(bought / 5)
        assert 0 < told.expected < 1
    assert of(found, "all", 7).auc == 3 / 4  # only bob's milk seemed likelier
    assert of(found, "all", 7).expected < of(found, "all", 28).expected


def test_lists_that_show_everything_are_judged_like_everything(
    recommender: Recommender, split: Split
) -> None:
    found = forecast_quality(recommender, split, end_time=LAST, limit=20)
    for days in (7, 14, 28):
        shown, everything = of(found, "shown", days), of(found, "all", days)
        assert shown.brier == pytest.approx(everything.brier)
        np.testing.assert_allclose(shown.bins.expected, everything.bins.expected)
    short = forecast_quality(recommender, split, end_time=LAST, limit=1)
    assert of(short, "shown", 7).pairs == 3  # one for each customer


def test_a_wrong_forecast_is_seen(recommender: Recommender, split: Split) -> None:
    [model] = recommender.forecasters.values()
    sure = replace(model, correction=np.array([4.0, 0.0, 0.0]))
    wrong = replace(recommender, forecasters={"replenishment": sure})
    assert of(forecast_quality(wrong, split, end_time=LAST), "all", 7).error > 0.3
    assert of(forecast_quality(wrong, split, end_time=LAST), "all", 7).brier_skill < 0


def test_horizons_beyond_the_data_are_left_out(recommender: Recommender, split: Split) -> None:
    for days, known in ((6.9, {7}), (7.1, {7}), (14, {7, 14}), (27.5, {7, 14, 28}), (3, set())):
        end = int(day(CUTOFF + days).timestamp())
        found = forecast_quality(recommender, split, end_time=end)
        assert {each.days for each in found} == known


def test_a_placement_that_tells_nothing_is_refused(recommender: Recommender, split: Split) -> None:
    with pytest.raises(ConfigError, match="does not say when"):
        forecast_quality(recommender, split, end_time=LAST, placement="for_you")
    bare = replace(recommender, forecasters={})
    with pytest.raises(ConfigError, match="does not say when"):
        forecast_quality(bare, split, end_time=LAST)
