"""Check 3: printed rows made again to three decimals, and metrics equal to ranx."""

from collections.abc import Iterator

from tests.qualification import published
from tests.qualification.raw_baselines import Baselines
from tests.qualification.room import Room
from tests.qualification.rows import Row, equal, near

RANX = "tests/unit/metrics/test_against_ranx.py"
CUTOFF, MIN_ITEM_EVENTS, K = "2017-12-04", 5, 20
COSINE = {"precision": 0.1657, "recall": 0.0974, "ndcg": 0.2061}
"""Item-item cosine on The Complete Journey, all products, nothing masked."""


def run(room: Room) -> Iterator[Row]:
    """Runs the published rows, then item-item cosine without any model of ours, then ranx."""
    yield from published.run(room)
    room.step("complete-journey: item-item cosine")
    baselines = Baselines.of(room.demo_data(), CUTOFF, MIN_ITEM_EVENTS)
    found = dict(zip(("precision", "recall", "ndcg"), baselines.cosine(K), strict=True))
    for metric, printed in COSINE.items():
        what = f"complete-journey: item-item cosine, {metric}@{K}"
        yield near(what, found[metric], printed, published.ROUNDED)
    outcome = room.python("3-ranx", "-m", "pytest", "-q", "-p", "no:cacheprovider", RANX)
    yield equal("metrics equal ranx to 1e-9 on random lists: exit status", outcome.status, 0)
