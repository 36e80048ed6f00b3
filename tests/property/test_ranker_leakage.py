"""What comes after a cut-off makes labels alone: candidates, features and counts stay."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.dataset import Dataset
from recsys.fitting.rankers import Rows, rows_at
from tests.ranked_shop import large_shop, ranked_config
from tests.small_shop import END

PLANTED = "planted-item"
CUT_OFF, HORIZON_END = END - timedelta(days=40), END - timedelta(days=20)
CONFIG = ranked_config(candidates=100)
SHOP = large_shop(1)


def with_another_future(dataset: Dataset, moment, seed: int) -> Dataset:
    """Draws anew what happens from a moment on, and puts an item of then into the catalogue."""
    random = np.random.default_rng(seed)
    events = dataset.events.collect()
    late = events.select(pl.col("event_time") >= moment).to_series()
    ids = [*dataset.items["item_id"].to_list(), PLANTED]
    items = pl.Series(random.choice(ids, size=len(events)).tolist())
    items = items.scatter(int(late.arg_true()[0]), PLANTED)
    days = pl.Series(random.uniform(0, (END - moment).total_seconds(), len(events)).astype(int))
    events = events.with_columns(
        item_id=pl.when(late).then(items).otherwise("item_id"),
        event_time=pl.when(late)
        .then(pl.lit(moment) + pl.duration(seconds=days))
        .otherwise("event_time"),
    )
    planted = dataset.items.head(1).with_columns(
        item_id=pl.lit(PLANTED), group_id=None, created_at=pl.lit(moment)
    )
    return replace(
        dataset,
        events=events.sort("event_time", "event_id").lazy(),
        items=pl.concat([dataset.items, planted]).sort("item_id"),
    )


def made(dataset: Dataset) -> dict[str, Rows]:
    return rows_at(
        dataset,
        CONFIG,
        int(CUT_OFF.timestamp()),
        int(HORIZON_END.timestamp()),
        ["for_you", "discover"],
    )


def by_customer(rows: Rows) -> dict[str, tuple[tuple[str, ...], bytes]]:
    """Returns everybody's candidates and features."""
    ends = np.cumsum(rows.sizes)
    parts = [slice(end - size, end) for end, size in zip(ends, rows.sizes, strict=True)]
    return {
        customer: (rows.item_ids[part], rows.features[part].tobytes())
        for customer, part in zip(rows.customer_ids, parts, strict=True)
    }


ASIS = made(SHOP)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=8)
def test_another_future_leaves_candidates_and_features_as_they_are(seed):
    other = made(with_another_future(SHOP, CUT_OFF, seed))
    assert "for_you" in other
    for name, rows in other.items():
        assert PLANTED not in rows.item_ids
        known, found = by_customer(ASIS[name]), by_customer(rows)
        both = known.keys() & found.keys()
        assert both
        assert all(known[customer] == found[customer] for customer in both)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=4)
def test_what_comes_after_the_horizon_never_matters(seed):
    for name, rows in made(with_another_future(SHOP, HORIZON_END, seed)).items():
        known = ASIS[name]
        assert (rows.customer_ids, rows.item_ids) == (known.customer_ids, known.item_ids)
        for one, other in (
            (rows.features, known.features),
            (rows.gains, known.gains),
            (rows.sizes, known.sizes),
        ):
            assert one.tobytes() == other.tobytes()


def test_the_future_does_make_the_labels():
    other = made(with_another_future(SHOP, CUT_OFF, 1))["for_you"]
    assert ASIS["for_you"].gains.tolist() != other.gains.tolist()
