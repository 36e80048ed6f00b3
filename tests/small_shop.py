"""A small shop that every test can fit: tea and coffee drinkers, with all that real data has."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from recsys.data.dataset import Dataset
from recsys.data.events import EVENT_SCHEMA, ITEM_SCHEMA

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=90)
CUSTOMERS, ITEMS = 60, 48


def shop_items() -> pl.DataFrame:
    """48 items, half tea, half coffee: variants, unavailable ones, markets, gaps."""
    tea = [number % 2 == 0 for number in range(ITEMS)]
    rows = {
        "item_id": [f"item-{number:02}" for number in range(ITEMS)],
        # Items 40 to 47 are pairs of variants.
        "group_id": [f"group-{n // 2}" if n >= 40 else None for n in range(ITEMS)],
        "title": [f"{'Tea' if t else 'Coffee'} no. {n}" for n, t in enumerate(tea)],
        "category": [
            None if n == 7 else ["Drinks", "Tea" if t else "Coffee"] for n, t in enumerate(tea)
        ],
        "brand": [None if n % 5 == 0 else f"brand-{n % 3}" for n in range(ITEMS)],
        "price": [None if n == 11 else 2.0 + n for n in range(ITEMS)],
        "list_price": [3.0 + n for n in range(ITEMS)],
        "cost": [1.0 + n / 2 for n in range(ITEMS)],
        "available": [n not in (4, 5) for n in range(ITEMS)],
        "markets": [
            [{"market": "de", "available": n % 4 != 0, "price": 1.0 + n}] if n < 24 else None
            for n in range(ITEMS)
        ],
        "created_at": [START for _ in range(ITEMS)],
        "tags": [["organic"] if n % 3 == 0 else [] for n in range(ITEMS)],
    }
    attributes = {"caffeine": [not t or n % 4 == 0 for n, t in enumerate(tea)]}
    return pl.DataFrame({**rows, **attributes}, schema_overrides=ITEM_SCHEMA)


def shop_events(seed: int = 7) -> pl.DataFrame:
    """90 days of purchases and views; even customers drink tea, odd ones coffee."""
    random = np.random.default_rng(seed)
    rows = []
    for customer in range(CUSTOMERS):
        own = random.choice(np.arange(customer % 2, 40, 2), size=8, replace=False)
        for visit in range(int(random.integers(3, 9))):
            moment = START + timedelta(minutes=int(random.integers(0, 90 * 24 * 60)))
            for item in random.choice(own, size=3, replace=False):
                who, basket = f"customer-{customer:02}", f"{customer}-{visit}"
                rows.append((who, basket, item, "view", moment))
                rows.append((who, basket, item, "purchase", moment))
    table = pl.DataFrame(
        {
            "event_id": [f"e{number}" for number in range(len(rows))],
            "customer_id": [row[0] for row in rows],
            "basket_id": [row[1] for row in rows],
            "item_id": [f"item-{row[2]:02}" for row in rows],
            "event_type": [row[3] for row in rows],
            "event_time": [row[4] for row in rows],
            "quantity": [1.0 for _ in rows],
            "unit_price": [2.0 + int(row[2]) for row in rows],
        }
    )
    missing = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in EVENT_SCHEMA.items()
        if name not in table.columns
    ]
    table = table.with_columns(missing).select(
        pl.col(name).cast(dtype) for name, dtype in EVENT_SCHEMA.items()
    )
    return table.sort("event_time", "event_id")


def shop_customers() -> pl.DataFrame:
    """Attributes of most customers, and one who never bought: `newcomer`."""
    known = [f"customer-{number:02}" for number in range(50)] + ["newcomer"]
    return pl.DataFrame(
        {
            "customer_id": known,
            "region": ["north" if n % 3 else "south" for n in range(len(known))],
        }
    )


def shop_dataset(seed: int = 7) -> Dataset:
    return Dataset(shop_events(seed).lazy(), shop_items(), shop_customers(), f"shop-{seed}")
