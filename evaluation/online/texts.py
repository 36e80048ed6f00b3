"""The words and numbers of an online report."""

from collections.abc import Iterator
from datetime import UTC, datetime

from recsys.online.comparisons import Comparison
from recsys.online.figures import METRICS, Figures
from recsys.online.ratios import Estimate
from recsys.online.report import HOUR_US, OnlineReport
from recsys.online.sample_ratio import MISMATCH_P, SampleRatio
from recsys.store.impressions import Group

TITLES = {
    "click_through_rate": "click-through",
    "conversion_rate": "conversion",
    "revenue_per_thousand": "revenue per 1,000",
}
DEFINITIONS = {
    "impression": "A list that was answered for a page. Whether it was scrolled into view, the "
    "store does not know.",
    "click-through": "The share of impressions that were followed by a view, a click or an "
    "add-to-cart.",
    "conversion": "The share of impressions that were followed by a purchase.",
    "revenue per 1,000": "Quantity x unit price of all purchases that followed, for a thousand "
    "impressions, in the shop's currency.",
    "followed": "An event follows from the impression whose attribution token it carries; without "
    "one, from the last impression that showed its item to its customer. In both cases only "
    "within the window, and from one impression at most.",
    "interval": "In 95 of 100 such reports the true figure lies in the interval. Customers are "
    "what is drawn by chance: many impressions of one customer say little more than a few.",
    "sample ratio": "Whether the arms of an experiment have as many customers as their weights "
    f"promise. Below p = {MISMATCH_P:g} something treats the arms differently that should not: "
    "find it before comparing them.",
}
_SHORT, _ENDS = 20, 8


def estimate(metric: str, found: Estimate) -> tuple[str, str]:
    """Returns a figure and its interval."""
    return number(metric, found.value), span(metric, found)


def number(metric: str, value: float, *, sign: bool = False) -> str:
    """Returns a figure of a metric as a person reads it; with `sign`, a difference of two."""
    plus = "+" if sign else ""
    if metric == "revenue_per_thousand":
        return f"{value:{plus},.2f}" if abs(value) < 10 else f"{value:{plus},.0f}"  # noqa: PLR2004
    return f"{value * 100:{plus}.2f} {'points' if sign else '%'}"


def span(metric: str, found: Estimate, *, sign: bool = False) -> str:
    """Returns an interval, empty where none is known."""
    if found.low is None or found.high is None:
        return ""
    low, high = (number(metric, each, sign=sign) for each in (found.low, found.high))
    return f"{low.partition(' ')[0]} to {high.partition(' ')[0]}"


def verdict(found: Comparison) -> str:
    """Returns what the difference's interval says."""
    low, high = found.difference.low, found.difference.high
    if low is None or high is None or low <= 0 <= high:
        return "cannot tell"
    return "better" if low > 0 else "worse"


def name_of(group: Group) -> str:
    """Returns what tells a group from the others of its placement."""
    if not group.bundle_version:
        return "all"
    test = f"{group.experiment}/{group.arm} " if group.experiment else ""
    return test + short(group.bundle_version)


def short(version: str) -> str:
    """Returns a bundle's version by its day and its digest."""
    if len(version) <= _SHORT:
        return version
    return f"{version[:_ENDS]}…{version[-_ENDS:]}"


def sample_ratio(found: SampleRatio) -> str:
    """Returns whether an experiment's arms have the customers that they should have."""
    arms = ", ".join(
        f"{arm} {count:,} ({found.expected[arm]:,.0f} expected)"
        for arm, count in found.customers.items()
    )
    crossed = f"; {found.crossed:,} customers were in two arms" if found.crossed else ""
    if found.mismatch:
        said = "sample-ratio mismatch, do not compare its arms"
    else:
        said = "as drawn" if found.p_value is not None else "too few customers to say"
    p = "" if found.p_value is None else f", p = {found.p_value:.2g}"
    return f"{found.experiment}: {said}{p}: {arms}{crossed}"


def caveats(found: OnlineReport) -> Iterator[str]:
    """Yields what a reader must know before believing the figures."""
    shown = sum(each.impressions for each in found.figures if each.group.bundle_version)
    if found.lost:
        share = found.lost / (found.lost + shown)
        yield f"{found.lost:,} impressions ({share:.2%}) could not be logged and count nowhere."
    if found.open_impressions:
        yield (
            f"{found.open_impressions:,} impressions are younger than the window: "
            "more may still follow from them."
        )
    tally = found.tally
    if tally.unlogged:
        yield f"{tally.unlogged:,} events carry the token of an answer outside this log or time."
    if tally.late:
        yield f"{tally.late:,} events carry a token and came after the window."
    if tally.refused_tokens:
        yield f"{tally.refused_tokens:,} events carry a token that is not this store's."
    if tally.unpriced_purchases:
        yield f"{tally.unpriced_purchases:,} purchases have no unit price and bring no revenue."


def sentences(found: OnlineReport) -> Iterator[str]:
    """Yields the report in sentences, placements first."""
    for each in found.figures:
        if is_whole(each, found):
            rates = [number(metric, getattr(each, metric).value) for metric in METRICS]
            yield (
                f"{each.group.placement} was answered {each.impressions:,} times to "
                f"{each.customers:,} customers: {rates[0]} were clicked, {rates[1]} led to a "
                f"purchase, and a thousand brought {rates[2]}."
            )
    for test in found.comparisons:
        if verdict(test) != "cannot tell":
            change = "" if test.change is None else f" ({test.change:+.0%})"
            yield (
                f"On {test.placement}, {test.arm} is {verdict(test)} than {test.control} in "
                f"{TITLES[test.metric]}: {number(test.metric, test.difference.value, sign=True)}"
                f"{change}."
            )


def is_whole(figures: Figures, found: OnlineReport) -> bool:
    """Says whether the figures are those of all impressions of their placement."""
    same = [each for each in found.figures if each.group.placement == figures.group.placement]
    return len(same) == 1 or not figures.group.bundle_version


def window(found: OnlineReport) -> str:
    """Returns how long after an impression events count."""
    return f"{found.window / HOUR_US:g} h"


def period(found: OnlineReport) -> str:
    """Returns the time that is reported on."""
    since = moment(found.since) if found.since else "the beginning"
    return f"{since} to {moment(found.until)} UTC"


def moment(time: int) -> str:
    """Returns a time to the minute."""
    return f"{datetime.fromtimestamp(time / 1_000_000, UTC):%Y-%m-%d %H:%M}"
