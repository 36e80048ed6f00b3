"""The words and numbers of a campaign's result."""

from collections.abc import Iterator
from datetime import UTC, datetime

from recsys.online.campaign import DAY_US, LEAST_BUYERS, LEAST_SIDE, CampaignResult, Verdict
from recsys.online.campaign_effects import Effect, EffectVerdict, Side
from recsys.online.ratios import Estimate

TITLES = {
    "conversion": "conversion",
    "revenue": "revenue",
    "cost": "cost",
    "gain": "gain",
}
DEFINITIONS = {
    "contacted": "Customers who were drawn to be contacted, whether or not a mail was sent, "
    "opened or redeemed: only one side can have done so.",
    "held out": "Customers who were drawn to get nothing in the campaign's place.",
    "window": "From the draw on, the same time for both sides, fixed before anybody looks.",
    "conversion": "The part of the customers who bought anything within the window.",
    "revenue": "Quantity x unit price of everything that a customer bought within the window, "
    "less what was returned within it, for each customer of the side.",
    "cost": "What the campaign's contacts and the redemptions within the window cost, for each "
    "customer of the side.",
    "gain": "The margin of the revenue less the cost, for each customer of the side.",
    "uplift": "The difference as a part of what held-out customers do.",
    "interval": "In 95 of 100 such campaigns the true figure lies in the interval. Customers are "
    "what is drawn by chance.",
    "smallest effect": "The difference that four of five campaigns of this size would show. One "
    "that is smaller is probably not seen, though it may be there.",
}
_LATE = 0.1
"""Part of the window by which mails may be sent late before that is worth a word."""
_SMALL = 10


def number(metric: str, value: float, *, sign: bool = False) -> str:
    """Returns a figure of a metric as a person reads it; with `sign`, a difference of two."""
    plus = "+" if sign else ""
    if metric == "conversion":
        return f"{value * 100:{plus}.2f} {'points' if sign else '%'}"
    return f"{value:{plus},.3f}" if abs(value) < _SMALL else f"{value:{plus},.2f}"


def span(metric: str, found: Estimate, *, sign: bool = False) -> str:
    """Returns an interval, empty where none is known."""
    if found.low is None or found.high is None:
        return ""
    low, high = (number(metric, each, sign=sign) for each in (found.low, found.high))
    return f"{low.partition(' ')[0]} to {high.partition(' ')[0]}"


def total(effect: Effect) -> str:
    """Returns what a difference comes to over all contacted, with its interval."""
    found = effect.total
    if found.low is None or found.high is None:
        return f"{found.value:+,.0f}"
    return f"{found.value:+,.0f} ({found.low:+,.0f} to {found.high:+,.0f})"


def uplift(found: Estimate | None) -> str:
    """Returns a relative difference with its interval; empty where it is not defined."""
    if found is None:
        return ""
    if found.low is None or found.high is None:
        return f"{found.value:+.0%}"
    return f"{found.value:+.0%} ({found.low:+.0%} to {found.high:+.0%})"


def statement(effect: Effect, found: CampaignResult) -> str:
    """Returns what an effect's interval says."""
    if effect.verdict is EffectVerdict.TOO_FEW:
        least = number(effect.metric, found.smallest[effect.metric], sign=True).lstrip("+")
        return f"too few to tell: smallest effect seen {least}"
    return effect.verdict.value


def verdict(found: CampaignResult) -> str:
    """Returns in a sentence whether the sides may be compared, and what to do if not."""
    contacted, held_out = found.contacted, found.held_out
    match found.verdict:
        case Verdict.NO_HOLD_OUT:
            return (
                "No hold-out: no statement. Nobody was held out at random, so nobody can say "
                "what would have been bought anyway. Hold out a part of the next one: --hold-out "
                "of a plan, hold_out of the deployment file."
            )
        case Verdict.SAMPLE_RATIO:
            expected = found.sample_ratio.expected[held_out.name]
            p = found.sample_ratio.p_value
            return (
                f"The sizes belie the assignment: {held_out.customers:,} are held out where "
                f"{expected:,.0f} were to be{'' if p is None else f' (p = {p:.2g})'}. "
                "Something else than the draw decided who is on which side, and no difference "
                "between them is an effect: find it first."
            )
        case Verdict.TOO_EARLY:
            return (
                f"Too early: the window has not run out for {_part(contacted):.0%} of the "
                f"contacted and {_part(held_out):.0%} of the held out. Read it after "
                f"{moment(found.ready_time)} UTC, or report on earlier draws alone with --to."
            )
        case Verdict.TOO_FEW:
            return f"Too few: {_too_few(found)}"
        case Verdict.COMPARABLE:
            return (
                f"{contacted.customers:,} contacted and {held_out.customers:,} held out can be "
                "compared."
            )


def caveats(found: CampaignResult) -> Iterator[str]:
    """Yields what a reader must know before believing the figures."""
    registered = found.registered_window
    if registered is not None and registered != found.window:
        yield (
            f"The window is {days(found.window)}; the plan was made to be read after "
            f"{days(registered)}. A window chosen afterwards finds effects that are none."
        )
    told = found.deliveries
    if told.cancelled:
        yield (
            f"{told.cancelled:,} of {told.contacts:,} contacts were cancelled. Their customers "
            "count as contacted: without them the sides are not as they were drawn."
        )
    if told.median_delay is not None and told.median_delay > _LATE * found.window:
        yield (
            f"Half of the mails were sent more than {days(told.median_delay)} after the draw, "
            "from which the window counts: a part of it passed before anything could happen."
        )
    if found.undrawn:
        yield f"{found.undrawn:,} contacts were made without a hold-out and count nowhere."
    if found.crossed:
        yield (
            f"{found.crossed:,} customers were drawn again with another result, as visitors or "
            "because the share changed; the first draw counts."
        )
    if found.unpriced_purchases:
        yield f"{found.unpriced_purchases:,} purchases have no unit price and bring no revenue."


def delivered(found: CampaignResult) -> str:
    """Returns what became of the contacts, in a sentence."""
    told = found.deliveries
    return (
        f"The ledger has {told.contacts:,} contacts: {told.sent:,} sent, {told.shown:,} shown, "
        f"{told.opened:,} opened, {told.redeemed:,} redeemed, {told.cancelled:,} cancelled. None "
        "of these decides who counts."
    )


def subject(found: CampaignResult) -> str:
    """Returns what the result is of."""
    return f"plan {found.plan_id}" if found.plan_id else f"offer {found.offer_id}"


def days(micros: int) -> str:
    """Returns a stretch of time in days, a short one in hours."""
    if micros < DAY_US:
        return f"{micros / DAY_US * 24:.3g} hours"
    return f"{micros / DAY_US:.3g} days"


def moment(time: int) -> str:
    """Returns a time to the minute."""
    return f"{datetime.fromtimestamp(time / 1_000_000, UTC):%Y-%m-%d %H:%M}"


def _part(side: Side) -> float:
    return side.open / side.customers if side.customers else 0.0


def _too_few(found: CampaignResult) -> str:
    sides = " and ".join(
        f"{each.customers:,} {each.name}, of whom {each.buyers:,} bought"
        for each in (found.contacted, found.held_out)
    )
    text = f"{sides}; {LEAST_SIDE} customers and {LEAST_BUYERS} buyers on each side are the least."
    if not found.smallest:
        return text
    smallest = found.smallest["conversion"] * 100
    return f"{text} The smallest effect on conversion that could be seen is {smallest:.2f} points."
