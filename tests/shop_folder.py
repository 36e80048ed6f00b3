"""A data set as the folder that `prepare` would write."""

from pathlib import Path

from recsys.data.dataset import CUSTOMERS_FILE, EVENTS_FILE, ITEMS_FILE, Dataset


def write_shop(shop: Dataset, folder: Path) -> Path:
    """Writes the tables of a data set and returns the folder."""
    shop.events.collect().write_parquet(folder / EVENTS_FILE)
    shop.items.write_parquet(folder / ITEMS_FILE)
    shop.customers.write_parquet(folder / CUSTOMERS_FILE)
    return folder
