"""Whether an experiment's arms got the customers that their weights promise.

If they did not, something assigns, answers or logs the arms differently, and no comparison of them
can be trusted (Fabijan et al.: Diagnosing sample ratio mismatch in online controlled experiments,
KDD 2019).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from scipy.stats import chisquare

MISMATCH_P = 0.01
LEAST_EXPECTED = 5.0
"""Customers expected in each arm below which chi-square does not hold (Cochran 1954)."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Customers by arm against the weights of one definition of an experiment."""

    experiment: str
    version: str
    customers: Mapping[str, int]
    """By arm, in the order of the definition."""
    expected: Mapping[str, float]
    chi_square: float | None
    p_value: float | None
    """None: too few customers to say. 0: there are customers in an arm that gets none."""
    crossed: int
    """Customers who were seen in more than one arm: assignment does not hold them."""

    @property
    def mismatch(self) -> bool:
        """Whether the arms' sizes are not by chance: p below `MISMATCH_P`, or anybody crossed."""
        return bool(self.crossed) or (self.p_value is not None and self.p_value < MISMATCH_P)


def sample_ratio(
    experiment: str,
    version: str,
    weights: Mapping[str, float],
    customers: Mapping[str, int],
    *,
    crossed: int = 0,
) -> SampleRatio:
    """Compares the customers of all arms with their weights by Pearson's chi-square.

    Args:
        experiment: its name.
        version: of its definition.
        weights: by arm; only their ratios count.
        customers: distinct ones by arm; an arm that is not there has none.
        crossed: customers who were seen in more than one arm.
    """
    weighted = {arm: weight for arm, weight in weights.items() if weight > 0}
    foreign = {arm: 0.0 for arm, count in customers.items() if count and arm not in weighted}
    shares = weighted | foreign
    counts = {arm: customers.get(arm, 0) for arm in shares}
    total, whole = sum(counts.values()), sum(shares.values())
    expected = {arm: total * share / whole for arm, share in shares.items()}
    chi_square = p_value = None
    if foreign:
        p_value = 0.0
    elif len(weighted) > 1 and min(expected.values()) >= LEAST_EXPECTED:
        found = chisquare(list(counts.values()), list(expected.values()))
        chi_square, p_value = float(found.statistic), float(found.pvalue)
    return SampleRatio(experiment, version, counts, expected, chi_square, p_value, crossed)
