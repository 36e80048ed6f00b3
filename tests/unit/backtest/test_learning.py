from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recsys.backtest.baselines import baselines
from recsys.backtest.contenders import fitted
from recsys.backtest.learning import SHARES, Of, learning_curve
from recsys.backtest.outcomes import Contender, Study, measure
from recsys.data.dataset import Dataset
from recsys.data.splits import Split, temporal_split

STUDY = Study(dataset="shop", variant="", placements=("for_you",), ks=(5,))


@pytest.fixture
def split(shop: Dataset) -> Split:
    return temporal_split(shop, test_days=30)


class Made:
    """Makes contenders and notes what they are given."""

    def __init__(self) -> None:
        self.seen: list[pl.DataFrame] = []

    def __call__(self, part: Split) -> list[Contender]:
        self.seen.append(part.train.events.collect())
        return [fitted("frequency", baselines()["personal-frequency"], part)]


def test_history_is_cut_from_its_beginning(split: Split) -> None:
    made = Made()
    whole = measure(split, made(split), STUDY)
    points = learning_curve(split, made, STUDY, whole, of=Of.HISTORY, metric="ndcg")
    assert [point.share for point in points] == [*SHARES, 1.0]
    everything, *parts = made.seen
    first, span = everything["event_time"].min(), None
    for share, part in zip(SHARES, parts, strict=True):
        span = split.cutoff - first
        assert part["event_time"].min() >= split.cutoff - share * span
        assert part["event_time"].max() == everything["event_time"].max()
    assert [len(part) for part in parts] == sorted(len(part) for part in parts)
    assert {point.customers for point in points} == {len(whole["for_you"].cases)}
    values = whole["for_you"].values("ndcg", 5)["frequency"]
    assert points[-1].value == pytest.approx(values.mean())
    assert all(point.low <= point.value <= point.high for point in points)


def test_customers_are_nested_and_only_those_known_to_all_are_judged(split: Split) -> None:
    made = Made()
    whole = measure(split, made(split), STUDY)
    points = learning_curve(split, made, STUDY, whole, of=Of.CUSTOMERS, metric="ndcg")
    _, *parts = made.seen
    known = [set(part["customer_id"]) for part in parts]
    total = split.train.events.select(pl.col("customer_id").n_unique()).collect().item()
    assert [len(each) for each in known] == [round(share * total) for share in SHARES]
    assert known[0] < known[1] < known[2]
    judged = known[0] & set(split.customers.series())
    assert {point.customers for point in points} == {len(judged)}
    rows = np.isin(split.customers.series().to_numpy(), list(judged))
    values = whole["for_you"].values("ndcg", 5)["frequency"]
    mean = values[rows[whole["for_you"].cases.customer_nums]].mean()
    assert points[-1].value == pytest.approx(mean)


def test_the_seed_decides_which_customers(split: Split) -> None:
    def of(seed: int) -> set[str]:
        made = Made()
        study = replace(STUDY, seed=seed)
        learning_curve(split, made, study, {}, of=Of.CUSTOMERS, metric="ndcg")
        return set(made.seen[0]["customer_id"])

    assert of(1) == of(1)
    assert of(1) != of(2)
