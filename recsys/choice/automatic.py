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
from recsys.data.splits import Split
from recsys.errors import DataError
from recsys.fitting.reduce import needed
from recsys.protocols.holdout import HoldOut
from recsys.protocols.mask import Mask
from recsys.protocols.single import Cut, Log, ProtocolName, hold_out
from recsys.protocols.temporal import latest

PLACEMENTS = ("for_you", "discover")
"""What is chosen for: the lists that are made of a customer's whole history."""
NEW_ALONE = "discover"
"""The one that can be judged by items drawn from all times: it shows nothing twice."""
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

    Raises:
        DataError: there is nothing to choose by: nobody has two items.
    """
    return _choice(
        lambda: latest(dataset),
        dataset,
        base,
        menu,
        placements=[name for name in PLACEMENTS if name in base.placements],
        budget_seconds=budget_seconds,
        seed=seed,
        progress=progress,
    )


def _choice(
    cut: Callable[[], Split],
    known: Dataset,
    base: FitConfig,
    menu: Menu,
    *,
    placements: Sequence[str],
    budget_seconds: float,
    mask: Mask | None = None,
    seed: int,
    progress: Progress,
) -> Choice:
    """Chooses by an inner split, or by drawn items of what is known where it cannot be made.

    Time cannot tell where nobody who is known before buys in the last weeks: one time for all
    events, a week of history, customers who come once. A fifth of each customer's items is new to
    them then, so `discover` alone can be chosen for.

    Raises:
        DataError: there is nothing to choose by.
    """
    try:
        inner, drawn = cut(), False
    except DataError:
        if NEW_ALONE not in placements:
            raise
        inner, drawn = hold_out(Log(known), ProtocolName.RANDOM, Cut(seed=seed)).split, True
    choice = choose(
        inner,
        base,
        menu,
        placements=[NEW_ALONE] if drawn else placements,
        budget_seconds=budget_seconds,
        mask=mask,
        seed=seed,
        progress=progress,
    )
    return replace(choice, drawn=drawn)


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
        placements: that will be asked for; nothing else is fitted.
        budget_seconds: of the choice.
        told: gets the choice when it is made: the base with the chosen blends in it, and with
            every other placement as it was, so that it can be kept and trained with.
        unable: is told why nothing can be chosen by; the base is then fitted as it is.
        seed: of the choice's samples.
    """
    chosen_for = [placement for placement in placements if placement in PLACEMENTS]

    def build(progress: Progress) -> Answers:
        config = base
        if chosen_for:
            try:
                choice = _choice(
                    lambda: held.inner(held.split),
                    held.split.train,
                    base,
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
        wanted = needed(config, placements)
        return fitted(name, wanted, held.split, mask=held.mask).build(progress)

    return Contender(name, tuple(placements), build)
