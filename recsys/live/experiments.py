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
from recsys.store.impressions import ExperimentNote

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


def note_of(name: str, experiment: Experiment) -> ExperimentNote:
    """Returns what the store keeps of an experiment, so that a report needs the store alone.

    The arm that the others are compared with comes first: the first that is the control, else
    the file's first. Another version is another way to assign or to answer.
    """
    arms = {arm: each for arm, each in experiment.arms.items() if each.weight > 0}
    ordered = sorted(arms, key=lambda arm: not arms[arm].is_control)
    whole = sum(each.weight for each in arms.values())
    shares = {arm: (1 - experiment.hold_out) * arms[arm].weight / whole for arm in ordered}
    if experiment.hold_out:
        shares[HOLD_OUT] = experiment.hold_out
    definition = experiment.model_dump_json(exclude={"start_time", "end_time"})
    version = blake2b(f"{name}\n{definition}".encode(), digest_size=8).hexdigest()
    return ExperimentNote(version, name, shares)


def uniform(experiment: str, arm: str, subject: str) -> float:
    """Returns a number above 0 and up to 1 that the three texts alone decide."""
    # Names cannot hold a line break, so three other texts never make the same line.
    text = f"{experiment}\n{arm}\n{subject}".encode()
    return (2 * int.from_bytes(blake2b(text, digest_size=8).digest()) + 1) / _HALVES
