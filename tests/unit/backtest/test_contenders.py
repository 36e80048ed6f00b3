from datetime import UTC, datetime

import polars as pl
import pytest

from recsys.assembly import FitConfig
from recsys.backtest.baselines import baselines
from recsys.backtest.compare import Study, compare
from recsys.backtest.contenders import baseline_contenders, fitted, loaded
from recsys.data.dataset import Dataset
from recsys.data.splits import Split, temporal_split
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.protocols.truth import PROTOCOLS
from recsys.types import CustomerId
from tests.shops import Event, day, tiny_shop


@pytest.fixture
def split() -> Split:
    """Ann buys tea often but long ago and milk once lately; everybody else buys jam."""
    events = [Event("ann", "tea", number) for number in range(4)]
    events += [Event("ann", "milk", 700), Event("ann", "cup", 0)]
    events += [Event(other, "jam", 1) for other in ("bob", "cat", "dan")]
    events += [Event("bob", "cup", 2), Event("bob", "cup", 3)]
    events += [Event("ann", "milk", 711), Event("bob", "jam", 712)]
    return temporal_split(tiny_shop(events), cutoff=day(710))


def list_of(name: str, split: Split, placement: str, customer: str | None) -> list[str]:
    (contender,) = (known for known in baseline_contenders(split) if known.name == name)
    told: list[int] = []
    recommender = contender.build(lambda _, done, __=None: told.append(done))
    assert told == sorted(told)
    assert told[-1] > 1
    query = Query(
        placement=placement,
        query_time=split.cutoff_time,
        customer_id=CustomerId(customer) if customer else None,
        limit=4,
    )
    (answer,) = recommender.recommend([query])
    return [item.item_id for item in answer.items]


def test_popularity_counts_customers_not_purchases(split: Split) -> None:
    # Three bought jam, two the cup (three times), one tea (four times) and milk.
    assert list_of("popularity", split, "popular", None) == ["jam", "cup", "milk", "tea"]
    assert list_of("popularity", split, "discover", "bob") == ["milk", "tea"]
    assert list_of("popularity", split, "buy_again", "ann") == ["cup", "milk", "tea"]


def test_frequency_counts_days_with_ties_and_rest_by_popularity(split: Split) -> None:
    ranked = list_of("personal-frequency", split, "for_you", "ann")
    assert ranked == ["tea", "cup", "milk", "jam"]
    assert list_of("personal-frequency", split, "buy_again", "ann") == ["tea", "cup", "milk"]


def test_a_half_life_prefers_what_was_bought_lately(split: Split) -> None:
    ranked = list_of("personal-frequency-120d", split, "for_you", "ann")
    assert ranked == ["milk", "tea", "cup", "jam"]


def test_baselines_have_a_protocol_for_all_they_answer() -> None:
    for config in baselines().values():
        assert set(config.placements) <= set(PROTOCOLS)
    assert set(baselines()["popularity"].placements) == set(PROTOCOLS)


def test_what_is_fitted_knows_nothing_from_the_cutoff_on(
    shop: Dataset, shop_config: FitConfig
) -> None:
    cutoff = datetime(2026, 3, 1, tzinfo=UTC)
    split = temporal_split(shop, cutoff=cutoff)
    recommender = fitted("ours", shop_config, split).build(lambda *_: None)
    assert isinstance(recommender, Recommender)
    assert recommender.trained_until == split.cutoff_time
    assert recommender.bundle_version == "ours"
    assert recommender.catalogue.items.series().equals(split.items.series())


def test_another_future_gives_the_same_lists(shop: Dataset, shop_config: FitConfig) -> None:
    """After the cutoff all but one customer buy one item that did not exist, and nothing else."""
    cutoff = datetime(2026, 3, 1, tzinfo=UTC)
    kept = (pl.col("event_time") < cutoff) | (pl.col("customer_id") == "customer-00")
    item = pl.when(kept).then("item_id").otherwise(pl.lit("planted"))
    planted = shop.items.head(1).with_columns(item_id=pl.lit("planted"), created_at=pl.lit(cutoff))
    items = pl.concat([shop.items, planted.cast(dict(shop.items.schema))])
    other = Dataset(shop.events.with_columns(item_id=item), items, shop.customers, "other")
    queries = [
        Query(placement, int(cutoff.timestamp()), CustomerId(f"customer-{number:02}"), limit=48)
        for placement in ("for_you", "discover")
        for number in range(60)
    ]
    one, two = (
        fitted("ours", shop_config, temporal_split(data, cutoff=cutoff))
        .build(lambda *_: None)
        .recommend(queries)
        for data in (shop, other)
    )
    assert one == two


def test_a_loaded_recommender_is_asked_as_it_is(shop: Dataset, recommender: Recommender) -> None:
    contender = loaded("default", recommender)
    assert contender.placements == recommender.placements
    assert contender.build(lambda *_: None) is recommender
    split = temporal_split(shop, test_days=30)
    study = Study(dataset="shop", variant="", placements=("for_you",), ks=(5,))
    rows = compare(split, [contender], study)
    assert {row.configuration for row in rows} == {"default"}
