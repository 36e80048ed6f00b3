"""Where the options say to cut a data set, and what the terminal and the figures say of it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import typer
from rich.console import Console

from recsys.backtest.compare import Contender
from recsys.data.dataset import Dataset
from recsys.data.splits import Split, temporal_split
from recsys.errors import ConfigError
from recsys.protocols.temporal import DEFAULT_TEST_DAYS
from recsys.protocols.truth import PROTOCOLS


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the options say to cut."""

    cutoff: datetime | None
    test_days: int | None
    min_item_events: int

    def __post_init__(self) -> None:
        if self.cutoff and self.test_days:
            message = "give either --cutoff or --test-days"
            raise typer.BadParameter(message)

    def split(self, dataset: Dataset) -> Split:
        """Cuts a data set.

        Raises:
            DataError: one of the sides is empty.
        """
        cutoff = self.cutoff.replace(tzinfo=UTC) if self.cutoff else None
        return temporal_split(
            dataset,
            cutoff=cutoff,
            test_days=None if cutoff else self.test_days or DEFAULT_TEST_DAYS,
            min_item_events=self.min_item_events,
        )


def introduce(console: Console, split: Split) -> None:
    """Prints what is on the two sides of the cut, and what was left out."""
    counts = split.counts
    console.print(
        f"Cut at {split.cutoff:%Y-%m-%d %H:%M} UTC: {len(split.items):,} items, every list ranks "
        f"them all; {len(split.customers):,} customers known before who buy after. Left out: "
        f"{counts.new_customers:,} new customers, {counts.unknown_item_pairs:,} purchases of "
        "items not known then.",
        highlight=False,
    )


def answered(asked: tuple[str, ...] | None, ours: Contender) -> tuple[str, ...]:
    """Returns the placements to measure: those asked for, or all that can be.

    Raises:
        ConfigError: the first configuration lacks one, or has none that can be measured.
    """
    if asked is None:
        asked = tuple(name for name in PROTOCOLS if name in ours.placements)
    absent = [name for name in asked if name not in ours.placements]
    if absent or not asked:
        what = f"has no placement {absent[0]!r}" if absent else "has no placement to measure"
        message = f"the configuration {what}; it has {', '.join(ours.placements)}"
        raise ConfigError(message)
    return asked
