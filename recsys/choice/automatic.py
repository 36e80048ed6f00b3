"""Chooses on an inner split, then fits: a contender like any other, and what training does."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from recsys.assembly import FitConfig
from recsys.backtest.compare import Contender
from recsys.backtest.contenders import fitted
from recsys.backtest.run import Answers
from recsys.choice.choose import Choice, choose
from recsys.choice.menu import Menu
from recsys.data.dataset import Dataset
from recsys.data.progress import Progress, silent
from recsys.errors import DataError
from recsys.fitting.reduce import needed
from recsys.protocols.holdout import HoldOut
from recsys.protocols.single import Cut, Log, ProtocolName, hold_out
from recsys.protocols.temporal import latest

PLACEMENTS = ("for_you", "discover")
"""What is chosen for: the lists that are made of a customer's whole history."""
LEAST_SECONDS = 600.0
SECONDS_PER_MILLION = 600.0


def usual_budget(events: int) -> float:
    """Returns seconds for a choice on so many events: ten minutes, more from a million on."""
    return max(LEAST_SECONDS, SECONDS_PER_MILLION * events / 1e6)


def choose_for(
    dataset: Dataset,
    base: FitConfig,
    menu: Menu,
    *,
    budget_seconds: float,
    seed: int = 0,
    progress: Progress = silent,
) -> Choice:
    """Chooses a configuration for a shop by the last four weeks that are known of it.

    Where time cannot tell, because nobody who is known before buys in them (one time for all
    events, a week of history, customers who come once), a fifth of each customer's items is
    drawn to judge by. They are new to the customer then, so `discover` alone is chosen for.

    Raises:
        DataError: nobody has two items.
    """
    asked: Sequence[str] = PLACEMENTS
    mask = None
    try:
        inner = latest(dataset)
    except DataError:
        drawn = hold_out(Log(dataset), ProtocolName.RANDOM, Cut(seed=seed))
        inner, asked, mask = drawn.split, drawn.placements or asked, drawn.mask
    choice = choose(
        inner,
        base,
        menu,
        placements=[name for name in asked if name in base.placements],
        budget_seconds=budget_seconds,
        mask=mask,
        seed=seed,
        progress=progress,
    )
    return replace(choice, by_time=mask is None)


def automatic(
    name: str,
    base: FitConfig,
    menu: Menu,
    held: HoldOut,
    *,
    placements: Sequence[str],
    budget_seconds: float,
    told: Callable[[Choice], None],
    unable: Callable[[DataError], None],
    seed: int = 0,
) -> Contender:
    """Returns a contender that chooses within the training side, then fits all of it.

    Args:
        name: of the contender.
        base: the configuration that the choice changes.
        menu: what there is to choose from.
        held: the hold-out; the choice sees its inner split alone.
        placements: that will be asked for.
        budget_seconds: of the choice.
        told: gets the choice when it is made.
        unable: is told why nothing can be chosen by; the base is then fitted as it is.
        seed: of the choice's samples.
    """
    chosen_for = [placement for placement in placements if placement in PLACEMENTS]

    def build(progress: Progress) -> Answers:
        config = needed(base, placements)
        if chosen_for:
            try:
                choice = choose(
                    held.inner(held.split),
                    config,
                    menu,
                    placements=chosen_for,
                    budget_seconds=budget_seconds,
                    mask=held.mask,
                    seed=seed,
                    progress=progress,
                )
            except DataError as error:
                unable(error)
            else:
                told(choice)
                config = choice.config
        return fitted(name, config, held.split, mask=held.mask).build(progress)

    return Contender(name, tuple(placements), build)
