"""A shop of several small ones, large enough to learn an order from, and a ranked placement."""

import polars as pl

from recsys.assembly import FitConfig
from recsys.config import validated
from recsys.data.dataset import Dataset
from tests.small_shop import shop_dataset, shop_events

RANKER = {
    "horizon_days": 20,
    "cut_offs": 2,
    "trees": 20,
    "leaves": 7,
    "least_rows": 20,
    "half_lives_days": [30.0],
}


def large_shop(copies: int) -> Dataset:
    """Returns the small shop's items with so many times its customers, each copy different."""
    shop = shop_dataset()
    tables = [
        shop_events(seed).with_columns(
            pl.format("{}/{}", pl.lit(seed), "event_id").alias("event_id"),
            pl.format("{}/{}", pl.lit(seed), "customer_id").alias("customer_id"),
        )
        for seed in range(copies)
    ]
    events = pl.concat(tables).sort("event_time", "event_id")
    return Dataset(events.lazy(), shop.items, shop.customers, f"large-{copies}")


def ranked_config(**changes: object) -> FitConfig:
    """Returns a small configuration whose two placements are ranked by trees."""
    uses = [{"name": name, "weight": 1.0} for name in ("again", "popular", "alike", "taste")]
    ranked = {"sources": uses, "fill": ["popular"], "ranker": {**RANKER, **changes}}
    parts = {
        "models": {
            "popular": {"kind": "popularity", "half_life_days": 14},
            "again": {"kind": "repurchase"},
            "alike": {"kind": "item-item", "over": "customers", "half_life_days": 120},
            "taste": {"kind": "als", "embedding_size": 8, "half_life_days": 60},
        },
        "sources": {
            "popular": {"kind": "popular", "model": "popular"},
            "again": {"kind": "repurchase", "model": "again"},
            "alike": {"kind": "neighbours", "model": "alike"},
            "taste": {"kind": "vectors", "model": "taste"},
        },
        "placements": {"for_you": ranked, "discover": {**ranked, "exclude": "bought"}},
    }
    return validated(FitConfig, parts, where="test")
