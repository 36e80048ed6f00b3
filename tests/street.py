"""A shop where what people look at is not what they buy, so that an order can be learnt."""

import numpy as np
import polars as pl

from recsys.data.dataset import Dataset
from tests.shops import Event, tiny_shop

DAYS = 126
CHEAP, DEAR = ("bread", "milk", "salt"), ("piano", "yacht", "opal")
CUSTOMERS = [f"c{number:02}" for number in range(60)]


def street() -> Dataset:
    """Everybody looks at what is dear each week, buys what is cheap, and sometimes what is not.

    What somebody buys is drawn anew each week, so that only the kind of the item tells.
    """
    random = np.random.default_rng(5)
    events = []
    for customer in CUSTOMERS:
        for week in range(0, DAYS, 7):
            moment = week + random.uniform(0, 6)
            events += [Event(customer, item, moment, "view") for item in DEAR]
            bought = [item for item in CHEAP if random.uniform() < 0.6]
            bought += [item for item in DEAR if random.uniform() < 0.35]
            events += [Event(customer, item, moment + 0.1) for item in bought]
    shop = tiny_shop(events)
    price = pl.col("item_id").replace_strict(
        dict.fromkeys(CHEAP, 1.0) | {"piano": 900.0, "yacht": 900.0, "opal": 50.0},
        return_dtype=pl.Float64,
    )
    cost = pl.when(pl.col("item_id") == "opal").then(49.9).otherwise(price * 0.5)
    items = shop.items.with_columns(price=price, cost=cost)
    return Dataset(shop.events, items, shop.customers, shop.digest)
