"""A few customers with their lists, to look at with one's own eyes."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from evaluation.report.facts import Table
from evaluation.report.findings import Findings
from recsys.backtest.outcomes import Outcome
from recsys.data.splits import Split
from recsys.types import UNKNOWN

PLACEMENTS = 3
"""Placements with examples, the first ones."""
AT = (0.9, 0.5, 0.1)
"""Which customers are shown, by the headline metric: among the best, in the middle, among the
worst."""
SHOWN = 5
"""Items of each cell."""
HIT = "✓ "


def example_tables(found: Findings) -> Iterator[tuple[str, Table]]:
    """Yields by placement what three customers bought before, their lists, and what was right."""
    titles = _titles(found.split)
    for placement, outcome in list(found.outcomes.items())[:PLACEMENTS]:
        chosen = _chosen(found, outcome)
        if not chosen:
            continue
        customers = [
            str(found.split.customers.ids(outcome.cases.customer_nums)[c]) for c in chosen
        ]
        before = _bought(found.split, customers)
        rows = [
            (
                customer,
                _named(_asked(outcome, case) or before.get(customer, []), titles),
                _list(found, outcome, case, titles),
                _named(_right(found.split, outcome, case), titles),
            )
            for customer, case in zip(customers, chosen, strict=True)
        ]
        head = ("customer", "page, or bought last", f"list ({HIT}was right)", "right")
        yield placement, Table(head, tuple(rows), kind="words")


def _chosen(found: Findings, outcome: Outcome) -> list[int]:
    """Returns the cases that are shown, by falling headline metric; none without lists of ours."""
    values = outcome.values(found.metric, found.k).get(found.names[0])
    if values is None:
        return []
    known = np.flatnonzero(~np.isnan(values))
    ordered = known[np.argsort(values[known], kind="stable")]
    if not len(ordered):
        return []
    return list(dict.fromkeys(int(ordered[round(at * (len(ordered) - 1))]) for at in AT))


def _titles(split: Split) -> Mapping[str, str]:
    items = split.train.items.select("item_id", pl.coalesce("title", "item_id").alias("title"))
    return dict(items.iter_rows())


def _bought(split: Split, customers: Sequence[str]) -> Mapping[str, list[str]]:
    """Returns by customer the items bought last before the cut, the latest first."""
    events = split.train.events.filter(
        pl.col("customer_id").is_in(list(customers)), event_type="purchase"
    )
    latest = (
        events.sort("event_time", descending=True)
        .group_by("customer_id")
        .agg(pl.col("item_id").unique(maintain_order=True).head(SHOWN))
        .collect()
    )
    return dict(latest.iter_rows())


def _asked(outcome: Outcome, case: int) -> list[str]:
    """Returns what the page was about."""
    return [str(item) for item in outcome.cases.queries[case].context_item_ids]


def _list(found: Findings, outcome: Outcome, case: int, titles: Mapping[str, str]) -> str:
    judged = outcome.trials[found.names[0]].judged
    nums, hits = judged.item_nums[case, :SHOWN], judged.hits[case, :SHOWN]
    there = nums != UNKNOWN
    names = [titles.get(str(item), str(item)) for item in found.split.items.ids(nums[there])]
    marked = [
        f"{HIT if hit else ''}{name}"
        for name, hit in zip(names, hits[there].tolist(), strict=True)
    ]
    return ", ".join(marked) or "empty"


def _right(split: Split, outcome: Outcome, case: int) -> list[str]:
    start, end = outcome.cases.truth_offsets[case : case + 2].tolist()
    return [str(item) for item in split.items.ids(outcome.cases.truth_item_nums[start:end])]


def _named(items: Sequence[str], titles: Mapping[str, str]) -> str:
    names = [titles.get(item, item) for item in items[:SHOWN]]
    more = len(items) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
