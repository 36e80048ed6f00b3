"""IPS and SNIPS against plain Python, and against a world whose truth is known."""

import math
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.backtest.off_policy import (
    PolicyValue,
    effective_rows,
    importance_weights,
    ips,
    policy_value,
    snips,
)

MEN = Path(os.environ.get("RECSYS_SHARED", "../shared")) / "data" / "open_bandit_men"
ROWS = st.lists(
    st.tuples(st.floats(0, 3, allow_subnormal=False), st.floats(0.01, 1), st.floats(0.001, 1)),
    min_size=1,
    max_size=40,
)


def plain(
    rows: list[tuple[float, float, float]], clip: float | None
) -> tuple[float, float, float]:
    """Written from the papers, row by row: IPS, SNIPS, effective rows."""
    weighted, total, squares = 0.0, 0.0, 0.0
    for reward, propensity, target in rows:
        weight = target / propensity
        if clip is not None and weight > clip:
            weight = clip
        weighted += weight * reward
        total += weight
        squares += weight * weight
    return weighted / len(rows), weighted / total, total * total / squares


@given(rows=ROWS, clip=st.none() | st.floats(0.1, 20))
def test_estimates_are_those_of_plain_python(
    rows: list[tuple[float, float, float]], clip: float | None
) -> None:
    rewards, propensities, target = np.array(rows).T
    found = policy_value(rewards, propensities, target, clip=clip, seed=0, resamples=20)
    values = (found.ips.bootstrap.value, found.snips.bootstrap.value, found.effective_rows)
    assert values == pytest.approx(plain(rows, clip), rel=1e-9, abs=1e-12)
    assert 0 < found.effective_rows <= len(rows) * (1 + 1e-9)
    assert rewards.min() - 1e-9 <= found.snips.bootstrap.value <= rewards.max() + 1e-9
    assert found.logged.value == pytest.approx(rewards.mean())


def test_normal_errors_are_those_of_the_formulas() -> None:
    rng = np.random.default_rng(1)
    rewards, propensities = rng.integers(2, size=300).astype(float), rng.uniform(0.1, 1, 300)
    target = rng.uniform(0, 1, 300)
    found = policy_value(rewards, propensities, target, seed=0)
    weights = (target / propensities).tolist()
    terms = [weight * reward for weight, reward in zip(weights, rewards, strict=True)]
    mean = sum(terms) / 300
    error = math.sqrt(sum((term - mean) ** 2 for term in terms) / 299 / 300)
    assert found.ips.normal.high - mean == pytest.approx(1.959964 * error, rel=1e-6)
    value = sum(terms) / sum(weights)
    pairs = zip(weights, rewards, strict=True)
    delta = math.sqrt(sum((w * (r - value)) ** 2 for w, r in pairs)) / sum(weights)
    assert value - found.snips.normal.low == pytest.approx(1.959964 * delta, rel=1e-6)
    # Both kinds of intervals are of one size.
    for each in (found.ips, found.snips):
        reach = (each.bootstrap.high - each.bootstrap.low) / (each.normal.high - each.normal.low)
        assert 0.85 < reach < 1.15


def world(seed: int, rows: int) -> tuple[PolicyValue, float]:
    """Four items with known click rates, shown by one policy, judged for another."""
    rng = np.random.default_rng(seed)
    rates, logging = np.array([0.1, 0.2, 0.3, 0.6]), np.array([0.4, 0.3, 0.2, 0.1])
    other = np.array([0.1, 0.1, 0.3, 0.5])
    shown = rng.choice(4, size=rows, p=logging)
    clicks = (rng.random(rows) < rates[shown]).astype(float)
    found = policy_value(clicks, logging[shown], other[shown], seed=seed, resamples=300)
    return found, float(rates @ other)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    ips_held = snips_held = 0
    for seed in range(100):
        found, truth = world(seed, 800)
        ips_held += found.ips.bootstrap.low <= truth <= found.ips.bootstrap.high
        snips_held += found.snips.bootstrap.low <= truth <= found.snips.bootstrap.high
        assert found.mean_weight.value == pytest.approx(1, abs=0.25)
    assert 86 <= ips_held <= 100
    assert 86 <= snips_held <= 100


def test_the_same_policy_earns_what_was_logged() -> None:
    rng = np.random.default_rng(0)
    rewards, propensities = rng.random(50), rng.uniform(0.1, 1, 50)
    found = policy_value(rewards, propensities, propensities, seed=0)
    assert found.ips.bootstrap == found.snips.bootstrap == found.logged
    assert (found.lead.low, found.lead.value, found.lead.high) == pytest.approx((0, 0, 0))
    assert found.effective_rows == pytest.approx(50)
    assert found.mean_weight.value == pytest.approx(1)


def test_clipping_is_counted_and_narrows() -> None:
    rewards = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0])
    propensities = np.array([0.01, 0.5, 0.5, 0.5, 0.5, 0.5])
    target = np.full(6, 0.5)
    free = policy_value(rewards, propensities, target, seed=0)
    cut = policy_value(rewards, propensities, target, clip=5, seed=0)
    assert (free.largest_weight, cut.largest_weight) == (50, 50)
    assert (free.clipped_share, cut.clipped_share) == (0, pytest.approx(1 / 6))
    assert cut.effective_rows > free.effective_rows
    assert cut.ips.bootstrap.high < free.ips.bootstrap.high


def test_clusters_are_drawn_whole() -> None:
    rewards = np.repeat(np.random.default_rng(5).integers(2, size=60), 10).astype(float)
    clusters, ones = np.repeat(np.arange(60), 10).astype(float), np.ones(600)
    together = policy_value(rewards, ones, ones, clusters=clusters, seed=0)
    apart = policy_value(rewards, ones, ones, seed=0)
    assert (together.clusters, apart.clusters) == (60, 600)
    wide = together.logged.high - together.logged.low
    assert wide > 2.5 * (apart.logged.high - apart.logged.low)


def test_what_makes_no_sense_is_refused() -> None:
    one = np.ones(1)
    for propensities, target in ((0 * one, one), (2 * one, one), (one, -one), (one, 2 * one)):
        with pytest.raises(ValueError, match="probabilit"):
            importance_weights(target, propensities)
    with pytest.raises(ValueError, match="clipped"):
        importance_weights(one, one, clip=0)
    with pytest.raises(ValueError, match="no logged row"):
        policy_value(np.ones(0), np.ones(0), np.ones(0), seed=0)
    with pytest.raises(ValueError, match="nothing that was logged"):
        policy_value(one, one, 0 * one, seed=0)
    assert math.isnan(snips(one, 0 * one))
    assert effective_rows(0 * one) == 0
    assert ips(one, 0 * one) == 0


@pytest.mark.skipif(not MEN.is_dir(), reason=f"no {MEN}: the Open Bandit sample is not here")
def test_open_bandit_logs_predict_each_other() -> None:
    """What one log says of the other policy agrees with that policy's own log."""
    logs = {
        name: pl.read_parquet(MEN / f"{name}_men.parquet").select(
            "item_id", "position", "click", "propensity_score"
        )
        for name in ("random", "bts")
    }
    # What each policy shows at each position, from its own log.
    shares = {
        name: log.group_by("position", "item_id")
        .len()
        .with_columns(target=pl.col("len") / pl.col("len").sum().over("position"))
        for name, log in logs.items()
    }
    for source, other in (("random", "bts"), ("bts", "random")):
        rows = logs[source].join(
            shares[other], on=["position", "item_id"], how="left", maintain_order="left"
        )
        found = policy_value(
            rows["click"].cast(pl.Float64).to_numpy(),
            rows["propensity_score"].to_numpy(),
            rows["target"].fill_null(0.0).to_numpy(),
            seed=0,
        )
        # The truth is of 10,000 rows and some 50 clicks itself: the two may be off together.
        truth = logs[other]["click"].cast(pl.Float64)
        for each in (found.ips.normal, found.snips.normal):
            error = math.hypot((each.high - each.value) / 1.96, truth.std() / len(truth) ** 0.5)
            assert abs(each.value - truth.mean()) < 1.96 * error, source
        assert 0.85 < found.mean_weight.value < 1.15
        assert found.effective_rows > 500
