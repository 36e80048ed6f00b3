"""What a metric may ask beside the lists: facts of items, and pasts of customers."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from recsys.backtest.histories import Histories, histories
from recsys.backtest.item_facts import ItemFacts
from recsys.data.splits import Split
from recsys.protocols.cases import Cases


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """What was known before the cutoff: the same for all contenders of one placement."""

    split: Split
    items: ItemFacts
    past: Histories
    tastes: csr_array
    """Shape (cases, departments) float64: items of each that the case's customer had bought."""


def background(split: Split, items: ItemFacts, cases: Cases) -> Background:
    """Collects what was known of the customers of some cases."""
    past = histories(split, cases)
    ones = np.ones(len(past.item_nums), dtype=np.float64)
    shape = (len(cases), len(split.items))
    bought = csr_array((ones, past.item_nums, past.offsets), shape=shape)
    return Background(split, items, past, tastes=bought @ items.departments)
