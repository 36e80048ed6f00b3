"""By which channel each offer of a plan goes."""

from collections.abc import Sequence

import numpy as np

from recsys.offers.plan_choice import NONE, Picks
from recsys.offers.plan_problem import PlanProblem


def assigned(problem: PlanProblem, picks: Picks) -> Picks:
    """Returns the channel of each pick, the first possible ones; shape of `picks`.

    There is one for each: that is what `Families` counts. Customers with equal room and offers of
    equal channels are alike, so each such case is worked out once.
    """
    channels = np.full(picks.shape, NONE, dtype=np.int16)
    rows = np.flatnonzero((picks != NONE).any(axis=1))
    if not len(rows):
        return channels
    families = problem.families
    kinds = np.where(picks[rows] == NONE, NONE, families.kind[picks[rows]])
    cases, which = np.unique(
        np.concatenate([kinds, problem.room[rows]], axis=1), axis=0, return_inverse=True
    )
    turns = picks.shape[1]
    answers = [
        _match(
            [families.masks[kind] if kind != NONE else 0 for kind in case[:turns]], case[turns:]
        )
        for case in cases.tolist()
    ]
    channels[rows] = np.array(answers, dtype=np.int16)[which.ravel()]
    return channels


def _match(masks: Sequence[int], room: Sequence[int]) -> list[int]:
    """Returns a channel for each mask that is not 0, by augmenting paths (Berge 1957)."""
    given = [NONE] * len(masks)

    def place(pick: int, seen: set[int]) -> bool:
        for channel, most in enumerate(room):
            if channel in seen or not masks[pick] >> channel & 1 or not most:
                continue
            seen.add(channel)
            holders = [other for other, held in enumerate(given) if held == channel]
            if len(holders) < most or any(place(other, seen) for other in holders):
                given[pick] = channel
                return True
        return False

    for pick, mask in enumerate(masks):
        if mask and not place(pick, set()):
            message = "picks that no channels have room for"
            raise ValueError(message)
    return given
