"""Check 8: the online report's intervals hold the true rates as often as they say."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from recsys.online.figures import METRICS
from recsys.online.ratios import Estimate
from recsys.online.report import OnlineReport, report
from recsys.store.open import open_store
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, at_most, between, equal
from tests.storefront import BEGIN, DAY, END, FOR_YOU, Storefront

SEEDS = 100
LOW, HIGH = 89, 99
"""Of 100 intervals of 95 %: what luck allows on both sides."""
VIOLATED = {"control": 0.55, "bold": 0.45}
"""Drawn in place of 0.6 and 0.4."""


@dataclass
class Covered:
    """How often each figure's interval held the truth."""

    seeds: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    lows: list[float] = field(default_factory=list)
    """p-values of the sample ratio."""

    def add(self, shop: Storefront, found: OnlineReport) -> None:
        """Counts one run of the shop."""
        self.seeds += 1
        truth = shop.truth()
        for figures in found.figures:
            for metric in METRICS:
                if (figures.group, metric) in truth:
                    estimate: Estimate = getattr(figures, metric)
                    name = " ".join(filter(None, (*figures.group, metric)))
                    self._judge(name, estimate, truth[figures.group, metric])
        control, arm = (street.group for street in FOR_YOU)
        for each in found.comparisons:
            true = truth[arm, each.metric] - truth[control, each.metric]
            self._judge(f"bold - control, {each.metric}", each.difference, true)
        [ratio] = found.sample_ratios
        self.lows.append(1.0 if ratio.p_value is None else ratio.p_value)

    def _judge(self, name: str, estimate: Estimate, truth: float) -> None:
        low, high = estimate.low, estimate.high
        self.hits[name] += low is not None and high is not None and low <= truth <= high


def run(room: Room) -> Iterator[Row]:
    """Plays the same shop with many seeds, then shops whose arms are drawn wrongly."""
    covered = Covered()
    for seed in range(SEEDS):
        if seed % 10 == 0:
            room.step(f"storefront {seed} of {SEEDS}")
        shop = Storefront(seed)
        covered.add(shop, observed(shop))
    for name in covered.hits:
        yield between(f"{name}: seeds covered of {SEEDS}", covered.hits[name], LOW, HIGH)
    false = sum(p < 0.05 for p in covered.lows)
    yield at_most("sample ratio as told, p below .05: seeds", false, 11)
    false = sum(p < 0.01 for p in covered.lows)
    yield at_most("sample ratio as told, p below .01: seeds", false, 5)
    wrong = Covered()
    for seed in range(SEEDS):
        if seed % 10 == 0:
            room.step(f"storefront {seed} of {SEEDS} with wrong weights")
        shop = Storefront(SEEDS + seed, weights=VIOLATED)
        wrong.add(shop, observed(shop))
    found = sum(p < 0.01 for p in wrong.lows)
    yield at_least("sample ratio violated, p below .01: seeds", found, 99)
    yield equal("stores played", covered.seeds + wrong.seeds, 2 * SEEDS)


def observed(shop: Storefront) -> OnlineReport:
    """Plays a shop into a store of its own and makes the report of it."""
    with TemporaryDirectory(prefix="recsys-") as folder:
        store = open_store(f"store://{Path(folder) / 'store'}")
        shop.play(store)
        found = report(store, since=BEGIN, until=END, now=END + DAY)
        store.close()
    return found
