"""A study of uplift in words."""

from collections.abc import Iterator

from evaluation.uplift.findings import UpliftFindings
from recsys.backtest.uplift import RANDOM, Spread

DEFINITIONS = {
    "uplift": "What treating a customer changes: the outcome if treated less the outcome if not. "
    "Only one of the two is ever seen, so it is learned from customers treated by lot.",
    "Qini curve": "Customers in the order of their forecasts, highest first; the curve says what "
    "the treated among the first part brought beyond what as many untreated of them did, for each "
    "treated customer of all. It ends at the mean effect.",
    "qini": "The area between that curve and the straight line of a random order, in the unit of "
    "the outcome for each treated customer. Not divided by a perfect order's area, as some do.",
    "auuc": "The area under the uplift curve: the mean over all campaign sizes of what treating "
    "the first part brings, for each customer. A random order has half the mean effect.",
    "uplift@30%": "Mean outcome of the treated less that of the untreated among the 30 % with the "
    "highest forecasts.",
    "half splits": "Each learner is fitted on a random half of the customers and judged on the "
    "other, many times over with other halves.",
    "95 % interval": "How far a figure may be off for another campaign of this size: the splits' "
    "spread with the variance put back that shared customers hide (Nadeau and Bengio, 2003). The "
    "narrower interval in the JSON file takes splits for independent.",
    "calibration": "Customers in ten groups by forecasts of models that had not seen them: the "
    "forecast beside what really differed between treated and untreated.",
}
NOT_RANDOM = (
    "Who was treated can be told from the features (AUC {auc:.3f}, .5 would be a lot): the sides "
    "were not drawn by lot, and none of these figures is an effect. Use propensity instead, or "
    "give --chance, if the probabilities are known."
)


def sentences(found: UpliftFindings) -> Iterator[str]:
    """Yields the findings in sentences."""
    effect, error = found.effect
    columns = found.columns
    yield (
        f"{found.customers:,} customers, {found.treated:,} of them {columns.treated}. The "
        f"treatment changed {columns.outcome} by {effect:+.4f} ± {1.96 * error:.4f} on average."
    )
    lead = found.lead(RANDOM, "qini")
    yield f"{found.ours}: {standing(lead)} a random order in Qini, {number(lead)}."
    bins = found.bins
    if len(bins.rows) > 1:
        yield (
            f"The tenth with the highest forecasts was changed by {bins.happened[-1]:+.4f}, the "
            f"one with the lowest by {bins.happened[0]:+.4f}."
        )
    if found.respondents:
        names = ", ".join(each.feature for each in found.respondents[:3])
        yield f"What decides most: {names}."


def standing(lead: Spread) -> str:
    """Returns what the interval of a lead says."""
    if lead.campaign.low > 0:
        return "better than"
    if lead.campaign.high < 0:
        return "worse than"
    return "not significantly different from"


def number(found: Spread) -> str:
    """Returns a figure with its interval."""
    low, high = found.campaign.low, found.campaign.high
    return f"{found.value:+.5f} ({low:+.5f} to {high:+.5f})"


def warnings(found: UpliftFindings) -> Iterator[str]:
    """Yields what forbids to believe the figures."""
    if not found.balance.is_random:
        yield NOT_RANDOM.format(auc=found.balance.auc)
