"""Pages of the demo shop: a product, a cart, what is due again, and what else can be asked for."""

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl
from rich.console import Console
from rich.table import Table

from recsys.client import RecommendedItem, RecsysClient
from recsys.data.dataset import Dataset

SHOWN = 5
CART = 3
"""Items of the latest basket that are shown as a cart."""


def show_pages(console: Console, client: RecsysClient, dataset: Dataset, now: datetime) -> None:
    """Prints the placements of a product page, of a cart and of a reminder for one customer."""
    customer_id, cart = _cart(dataset)
    titles = dict(dataset.items.select("item_id", "title").iter_rows())

    def ask(placement: str, *context: str) -> Sequence[RecommendedItem]:
        answer = client.recommend(
            placement,
            customer_id=customer_id,
            context_item_ids=context,
            limit=SHOWN,
            item_fields=["title"],
            query_time=now,
        )
        return answer.items

    named = [titles.get(item_id) or item_id for item_id in cart]
    _print(
        console,
        f"A product page: {named[0]}",
        {name: ask(name, cart[0]) for name in ("similar_items", "bought_together")},
    )
    _print(
        console,
        f"A cart of customer {customer_id}: {', '.join(named)}",
        {
            "complete_the_basket": ask("complete_the_basket", *cart),
            "buy_again, and when": ask("buy_again"),
        },
    )
    names = [placement.name for placement in client.placements()]
    console.print(f"The bundle answers {len(names)} placements: {', '.join(names)}.")
    console.print("Without views and list prices, recently_viewed and on_sale are empty here.")


def _cart(dataset: Dataset) -> tuple[str, list[str]]:
    """Returns the customer with most events, and the latest items, as a cart would hold them."""
    counts = dataset.events.group_by("customer_id").len().sort("len", "customer_id").collect()
    customer_id = str(counts["customer_id"][-1])
    mine = dataset.events.filter(pl.col("customer_id") == customer_id)
    latest = mine.group_by("item_id").agg(pl.col("event_time").max())
    newest = latest.sort("event_time", "item_id", descending=[True, False]).head(CART).collect()
    return customer_id, newest["item_id"].to_list()


def _print(console: Console, title: str, lists: dict[str, Sequence[RecommendedItem]]) -> None:
    table = Table(title=title, title_justify="left")
    for name in lists:
        table.add_column(name, ratio=1)
    cells = [[_cell(item) for item in items] for items in lists.values()]
    for place in range(max(map(len, cells))):
        table.add_row(*(column[place] if place < len(column) else "" for column in cells))
    console.print(table)


def _cell(item: RecommendedItem) -> str:
    title = str(item.details.get("title", item.item_id))
    due = item.replenishment
    if due is None:
        return title
    when = datetime.fromtimestamp(due.due_time, UTC)
    return f"{title}\n[dim]{when:%d %B}, {due.probability_14_days:.0%} within 14 days[/]"
