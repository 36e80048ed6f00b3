"""Who is in which arm: a pure function of names, weights and the customer's id.

Weighted rendezvous hashing (Thaler, Ravishankar: Using name-based mappings to increase hit rates,
IEEE/ACM Transactions on Networking 6(1), 1998; with weights as in Schindelhauer, Schomaker:
Weighted distributed hash tables, SPAA 2005). Every arm draws a number for every customer from a
hash of the names and the id, and the smallest number wins. An arm's number depends on itself
alone, so a weight that grows moves customers into its arm and none between the others: no ranges
of buckets shift.
"""

from hashlib import blake2b
from math import log

from recsys.live.deployment import HOLD_OUT, Experiment

_HALVES = 2.0**65


def arm_of(name: str, experiment: Experiment, subject: str) -> str:
    """Returns the arm that a customer or visitor is in, `HOLD_OUT` for those in none.

    Args:
        name: of the experiment; the same people are drawn anew under another name.
        experiment: its arms' weights and hold-out decide, and nothing else of it.
        subject: the customer's id, or a visitor's `visitor_key`.
    """
    if uniform(name, HOLD_OUT, subject) < experiment.hold_out:
        return HOLD_OUT
    # -log of a uniform number over w is exponential with rate w; the smallest of several comes
    # from each with a probability that is its part of all rates.
    _, arm = min(
        (-log(uniform(name, arm, subject)) / settings.weight, arm)
        for arm, settings in experiment.arms.items()
        if settings.weight > 0
    )
    return arm


def uniform(experiment: str, arm: str, subject: str) -> float:
    """Returns a number above 0 and up to 1 that the three texts alone decide."""
    # Names cannot hold a line break, so three other texts never make the same line.
    text = f"{experiment}\n{arm}\n{subject}".encode()
    return (2 * int.from_bytes(blake2b(text, digest_size=8).digest()) + 1) / _HALVES
