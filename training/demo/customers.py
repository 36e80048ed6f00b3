"""Three customers of the demo shop: what they bought, what they are offered, and why."""

from datetime import datetime

import polars as pl
from rich.console import Console
from rich.table import Table

from recsys.client import Reason, RecommendedItem, RecsysClient
from recsys.data.dataset import Dataset

SHOWN = 5
QUANTILES = (0.1, 0.5, 0.9)
"""A customer who buys little, one in the middle, one who buys much."""


def chosen(dataset: Dataset) -> list[str]:
    """Returns three customers, from few purchases to many."""
    counts = dataset.events.group_by("customer_id").len().sort("len", "customer_id").collect()
    places = [int(share * (len(counts) - 1)) for share in QUANTILES]
    return [str(counts["customer_id"][place]) for place in places]


def show(
    console: Console, client: RecsysClient, dataset: Dataset, customer_id: str, now: datetime
) -> None:
    """Prints a customer's purchases beside the lists that the server gives."""
    mine = dataset.events.filter(pl.col("customer_id") == customer_id).join(
        dataset.items.lazy().select("item_id", "title"), on="item_id"
    )
    often = (
        mine.group_by("item_id", "title")
        .agg(days=pl.col("event_time").dt.date().n_unique())
        .sort("days", "item_id", descending=[True, False])
        .collect()
    )
    titles = dict(often.select("item_id", "title").iter_rows())
    title = f"Customer {customer_id}: {often['days'].sum():,} purchases of {len(often):,} products"
    table = Table(title=title, title_justify="left")
    lists = {
        placement: client.recommend(
            placement,
            customer_id=customer_id,
            limit=SHOWN,
            item_fields=["title"],
            query_time=now,
        )
        for placement in ("for_you", "discover")
    }
    tiers = {answer.tier.name.lower() for answer in lists.values()}
    table.add_column("bought most (days)", ratio=1)
    table.add_column("for_you, and why", ratio=1)
    table.add_column(f"discover, and why ({', '.join(sorted(tiers))})", ratio=1)
    bought = [f"{title} ({days})" for title, days in often.select("title", "days").iter_rows()]
    cells = [[_cell(item, titles) for item in answer.items] for answer in lists.values()]
    for row in zip(bought[:SHOWN], *cells, strict=False):
        table.add_row(*row)
    console.print(table)


def _cell(item: RecommendedItem, titles: dict[str, str]) -> str:
    return f"{item.details.get('title', item.item_id)}\n[dim]{_why(item.reason, titles)}[/]"


def _why(reason: Reason, titles: dict[str, str]) -> str:
    """Puts a reason code into words, as a shop would in its own language."""
    of = titles.get(reason.item_ids[0], reason.item_ids[0]) if reason.item_ids else ""
    words = {
        "bought-before": f"you bought it on {reason.count} day{'s' * (reason.count != 1)}",
        "because-you-bought": f"because you bought {of}",
        "because-you-viewed": f"because you looked at {of}",
        "matches-your-taste": "chosen by customers with your taste",
        "popular": "popular right now",
        "popular-in-segment": "popular with customers like you",
    }
    return words.get(reason.code, reason.code)
