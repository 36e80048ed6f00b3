"""The release gate: may a new bundle take the place of the current one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.backtest.rows import WHOLE_POPULATION
from recsys.backtest.significance import LEVEL, Interval, holm, paired_permutation, resampled_sums
from recsys.metrics.hits import ValueArray
from recsys.types import BoolArray, OffsetArray

MARGIN = 0.02
MIN_SLICE = 500
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Rules:
    """When a candidate is refused."""

    margin: float = MARGIN
    """How much worse than the current configuration it may be, as a part of its figure."""
    min_slice: int = MIN_SLICE
    """Slices with fewer customers do not count."""
    alpha: float = ALPHA
    """Chance of any slice being called worse by luck."""


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """What both configurations did for one placement, at all cut-offs together."""

    placement: str
    people: OffsetArray
    """Shape (rows,): who each row is of, numbers from 0 without gaps; several cut-offs, several
    rows."""
    current: ValueArray
    """Shape (rows,): the metric of the current configuration, refitted at the row's cut-off."""
    candidate: ValueArray
    groups: Mapping[str, BoolArray]
    """Rows of each slice, shape (rows,) each; the whole population may be among them."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison and what it says."""

    placement: str
    slice: str
    customers: int
    current: float
    candidate: float
    relative: Interval
    """Candidate minus current as a part of current, with its paired bootstrap interval."""
    p_holm: float | None
    """Of the paired permutation test over all slices; null for the whole population."""
    passed: bool
    reason: str
    """Why it failed; empty where it passed."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the candidate becomes current."""

    passed: bool
    checks: tuple[Check, ...]
    reasons: tuple[str, ...]
    """Of every failed check; empty where all passed."""


def decide(trials: Sequence[Trials], rules: Rules | None = None, *, seed: int) -> Decision:
    """Decides by all placements and slices.

    A placement passes where the lower bound of the paired relative difference lies above minus
    the margin: the candidate is shown not to be worse by more (a test of non-inferiority, as in
    Piaggio et al.: Reporting of noninferiority and equivalence randomized trials, JAMA 308(24),
    2012). Where there are too few customers to show it, it fails. A slice fails only where it is
    shown to be worse (the permutation test, corrected by Holm for all slices of all placements)
    and loses more than the margin: with very many customers a loss of nothing can be shown, too.

    Args:
        trials: of each placement, at least one row each.
        rules: when to refuse; default: `Rules()`.
        seed: of the bootstrap and the permutations.
    """
    rules = rules or Rules()
    checks = [_whole(each, rules, seed) for each in trials]
    checks += _slices(trials, rules, seed)
    reasons = tuple(check.reason for check in checks if not check.passed)
    return Decision(not reasons, tuple(checks), reasons)


def _whole(trials: Trials, rules: Rules, seed: int) -> Check:
    everybody = np.ones(len(trials.people), dtype=np.bool_)
    current, candidate = _by_person(trials, everybody)
    relative = relative_difference(current, candidate, seed=seed)
    reason = ""
    if relative.low < -rules.margin:
        worse = relative.high < -rules.margin
        said = "is worse by more than" if worse else "cannot be shown not to be worse by more than"
        reason = (
            f"{trials.placement}: {said} {rules.margin:.1%}: {relative.value:+.1%}, interval "
            f"{relative.low:+.1%} to {relative.high:+.1%}, {len(current):,} customers"
        )
    return Check(
        placement=trials.placement,
        slice=WHOLE_POPULATION,
        customers=len(current),
        current=float(current.mean()),
        candidate=float(candidate.mean()),
        relative=relative,
        p_holm=None,
        passed=not reason,
        reason=reason,
    )


def _slices(trials: Sequence[Trials], rules: Rules, seed: int) -> Iterator[Check]:
    found = []
    for each in trials:
        for name, rows in each.groups.items():
            values = _by_person(each, rows)
            if name != WHOLE_POPULATION and len(values[0]) >= rules.min_slice:
                found.append((each.placement, name, *values))
    tests = [
        float(paired_permutation((candidate - current)[:, None], seed=seed)[0])
        for _, _, current, candidate in found
    ]
    corrected = holm(np.array(tests)).tolist()
    for (placement, name, current, candidate), p_holm in zip(found, corrected, strict=True):
        relative = relative_difference(current, candidate, seed=seed)
        worse = p_holm <= rules.alpha and relative.value < -rules.margin
        reason = (
            f"{placement}, {name}: is worse by {-relative.value:.1%}, p {p_holm:.4f} after Holm's "
            f"correction, {len(current):,} customers"
        )
        yield Check(
            placement=placement,
            slice=name,
            customers=len(current),
            current=float(current.mean()),
            candidate=float(candidate.mean()),
            relative=relative,
            p_holm=p_holm,
            passed=not worse,
            reason=reason if worse else "",
        )


def relative_difference(current: ValueArray, candidate: ValueArray, *, seed: int) -> Interval:
    """Returns mean(candidate - current) / mean(current) with its paired bootstrap interval.

    Where the current figure is 0 there is nothing to be a part of: 0 if the candidate's is 0 too,
    else 1.

    Args:
        current: shape (customers,), from 0, the same customers in the same order as `candidate`.
        candidate: shape (customers,).
        seed: of the bootstrap.
    """
    sums = np.stack([candidate - current, current], axis=1)
    drawn = resampled_sums(sums, seed=seed)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(_part(drawn[:, 0], drawn[:, 1]), [tail, 1 - tail], method="nearest")
    whole = sums.sum(axis=0)
    return Interval(float(_part(whole[:1], whole[1:])[0]), float(low), float(high))


def _part(difference: ValueArray, current: ValueArray) -> ValueArray:
    nothing = np.where(difference > 0, 1.0, 0.0)
    return np.divide(difference, current, out=nothing, where=current > 0)


def _by_person(trials: Trials, rows: BoolArray) -> tuple[ValueArray, ValueArray]:
    """Returns both configurations' mean by person, over rows where both have a value.

    The same person at two cut-offs is one witness, not two.
    """
    known = rows & ~np.isnan(trials.current) & ~np.isnan(trials.candidate)
    people = trials.people[known]
    counts = np.bincount(people)
    present = counts > 0
    sums = [np.bincount(people, values[known]) for values in (trials.current, trials.candidate)]
    return sums[0][present] / counts[present], sums[1][present] / counts[present]
