"""What the customers of a back-test had bought before: repeats, discoveries and tastes."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.data.splits import PURCHASE, Split
from recsys.protocols.cases import Cases
from recsys.protocols.truth import PAIR
from recsys.types import NumArray, OffsetArray


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """The past of every case's customer, also where the query does not name them."""

    offsets: OffsetArray
    item_nums: NumArray
    """Case c's customer had bought offsets[c]:offsets[c + 1], distinct and ascending."""
    repeat_sizes: NumArray
    """Shape (cases,): right items that the customer had bought before."""
    explore_sizes: NumArray
    """Shape (cases,): right items that were new to them."""


def histories(split: Split, cases: Cases) -> Histories:
    """Collects what the customers of some cases bought before the cutoff; returns are settled."""
    order = pl.DataFrame({"customer_num": cases.customer_nums}).with_row_index("case")
    bought = split.before.filter(pl.col("code") == PURCHASE).select(PAIR).unique()
    past = bought.join(order, on="customer_num").sort("case", "item_num")
    sizes = np.bincount(past["case"].to_numpy(), minlength=len(cases))
    truth = pl.DataFrame(
        {
            "case": np.repeat(np.arange(len(cases), dtype=np.uint32), cases.truth_sizes),
            "item_num": cases.truth_item_nums,
        }
    )
    repeated = truth.join(past, on=["case", "item_num"], how="semi")["case"].to_numpy()
    repeat_sizes = np.bincount(repeated, minlength=len(cases)).astype(np.int32)
    return Histories(
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        item_nums=past["item_num"].to_numpy(),
        repeat_sizes=repeat_sizes,
        explore_sizes=cases.truth_sizes - repeat_sizes,
    )
