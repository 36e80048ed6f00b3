"""A split of a tiny shop to judge lists on."""

import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.splits import Split, temporal_split
from tests.shops import Event, day, tiny_shop

CUTOFF = 10
EVENTS = [
    *(Event("ann", item, number) for number, item in enumerate(["tea", "milk", "cup", "jam"])),
    *(Event("bob", item, 1) for item in ["tea", "milk"]),
    Event("cat", "tea", 2, kind="view"),
    Event("ann", "tea", 11),
    Event("ann", "jam", 11),
    Event("bob", "cup", 11),
    Event("cat", "milk", 11),
]


@pytest.fixture
def split() -> Split:
    return temporal_split(tiny_shop(EVENTS), cutoff=day(CUTOFF))


@pytest.fixture
def catalogue(split: Split) -> Catalogue:
    return Catalogue.from_frame(split.train.items)
