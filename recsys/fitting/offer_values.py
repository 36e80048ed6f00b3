"""What offers are worth, learned from a ledger of contacts and the purchases around them.

Who redeems is learned from all contacts. Who buys *because* of an offer is learned from customers
who were held out by lot, and from nothing else: where there are none, or too few, or where the
sizes of the sides belie the lot, no uplift is learned, and `Findings.no_uplift` says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.data.catalogue import Catalogue
from recsys.data.dataset import Dataset
from recsys.data.progress import Progress, silent
from recsys.errors import DataError
from recsys.fitting.contact_rows import ContactRows, contact_rows, spent_after
from recsys.metrics.auc import auc
from recsys.metrics.reliability import reliability_bins
from recsys.models.small_trees import Numbers, Trees
from recsys.models.uplift import Trial, UpliftModel, mean_effect
from recsys.offers.learned_values import Learned, OfferFacts, ValuesConfig, feature_hash
from recsys.offers.offer import Offer
from recsys.offers.scopes import scoped
from recsys.offers.value_features import CATEGORIES
from recsys.offers.values import ValueBasis
from recsys.types import DAY_S

MAX_DEVIATION = 4.0
"""Standard deviations that the number held out may be off what was drawn."""
PRIOR_REDEMPTIONS = 20.0
"""Of the mean over all offers, in an offer's own gain per redemption."""
LATEST = 0.2
"""Part of the contacts on which the propensity of the others is judged."""
NOBODY = "nobody was held out at random"


@dataclass(frozen=True, slots=True)
class Findings:
    """What the ledger held, and how good the forecasts were."""

    contacts: int
    """Observed for the whole window; the others are too young to learn from."""
    too_young: int
    redemptions: int
    held_out: int
    no_uplift: str
    """Why no uplift was learned; empty: it was."""
    mean_uplift: float | None
    """What a contact brings on average, in the currency; None: nothing says."""
    mean_uplift_error: float | None
    """Its standard error."""
    propensity_auc: float | None
    """On the latest contacts, by trees fitted on those before; None: no redemptions there."""
    calibration_error: float | None
    """Likewise: how far probabilities are off what happened, on average."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedValues:
    """What was learned."""

    learned: Learned
    propensity: Trees
    uplift: UpliftModel | None
    findings: Findings


def fit_values(
    contacts: pl.DataFrame,
    offers: Sequence[Offer],
    dataset: Dataset,
    config: ValuesConfig,
    *,
    end_time: int,
    progress: Progress = silent,
) -> FittedValues:
    """Learns what offers are worth.

    Args:
        contacts: `CONTACT_SCHEMA`: those that were not cancelled, and hold-outs.
        offers: those that contacts name; contacts of others are the past of the rest alone.
        dataset: events and items.
        config: how.
        end_time: Unix seconds: what happened from then on is not known.
        progress: hears about each step.

    Raises:
        DataError: there are too few contacts or redemptions to learn from.
    """
    catalogue = Catalogue.from_frame(dataset.items)
    about = {offer.offer_id: scoped(offer, catalogue) for offer in offers}
    known = contacts.filter(pl.col("time") < end_time)
    rows = contact_rows(known, dataset.events, catalogue.items, about, progress=progress)
    observed = rows.contacts["time"] + round(config.window_days * DAY_S) <= end_time
    young = int((~observed).sum())
    rows = rows.part(observed)
    given = rows.part(~rows.contacts["held_out"])
    _check(given, config, young)
    progress("learn who redeems", 0, 1)
    propensity = config.propensity.fit(
        given.features, given.redeemed, kind="probability", categories=CATEGORIES
    )
    progress("learn who redeems", 1, 1)
    gains = _gains(given, dataset, config)
    trial, why = _trial(rows, dataset, config)
    uplift = None
    share = 1.0
    mean: tuple[float | None, float | None] = (None, None)
    if trial is not None:
        progress("learn who buys because of it", 0, 1)
        uplift = config.uplift.fit(trial)
        mean, share = _incremental(trial, given, gains)
        progress("learn who buys because of it", 1, 1)
    facts = _facts(rows, gains, config, uplifted=uplift is not None)
    area, error = _judged(given, config)
    findings = Findings(
        contacts=len(given),
        too_young=young,
        redemptions=int(given.redeemed.sum()),
        held_out=len(rows) - len(given),
        no_uplift=why,
        mean_uplift=mean[0],
        mean_uplift_error=mean[1],
        propensity_auc=area,
        calibration_error=error,
    )
    learned = Learned(
        config=config,
        features=feature_hash(),
        offers=facts,
        gain_per_redemption=gains.overall,
        incremental_share=share,
    )
    return FittedValues(learned, propensity, uplift, findings)


def _check(given: ContactRows, config: ValuesConfig, young: int) -> None:
    redemptions = int(given.redeemed.sum())
    if len(given) < config.least_contacts or redemptions < config.least_redemptions:
        message = (
            f"{len(given):,} contacts with {redemptions:,} redemptions are too few to learn from: "
            f"{config.least_contacts:,} and {config.least_redemptions:,} are needed, from before "
            f"the last {config.window_days:g} days ({young:,} contacts are younger)"
        )
        raise DataError(message)


@dataclass(frozen=True, slots=True)
class _Gains:
    """What redemptions bring, before an offer's costs."""

    overall: float
    of_offer: dict[str, float]


def _gains(given: ContactRows, dataset: Dataset, config: ValuesConfig) -> _Gains:
    """Returns the mean gain of purchases on the days of redemptions."""
    redeemed = given.contacts.filter(pl.col("redeemed_time").is_not_null())
    days = redeemed.with_columns(time=pl.col("redeemed_time") // DAY_S * DAY_S)
    spent = config.margin * spent_after(days, dataset.events, 1.0)
    overall = float(spent.mean())
    sums = (
        redeemed.with_columns(spent=pl.Series(spent))
        .group_by("offer_id")
        .agg(pl.col("spent").sum(), count=pl.len())
        .sort("offer_id")
    )
    prior = PRIOR_REDEMPTIONS
    of_offer = {
        offer_id: (total + prior * overall) / (count + prior)
        for offer_id, total, count in sums.iter_rows()
    }
    return _Gains(overall, of_offer)


def _trial(rows: ContactRows, dataset: Dataset, config: ValuesConfig) -> tuple[Trial | None, str]:
    """Returns the contacts that were a lottery, or why there are none to learn from."""
    shares = rows.contacts["hold_out_share"]
    drawn = rows.part((shares > 0) & (shares < 1))
    held_out = int(drawn.contacts["held_out"].sum())
    if not held_out:
        return None, NOBODY
    if held_out < config.least_held_out:
        return None, f"{held_out:,} were held out, and {config.least_held_out:,} are needed"
    if problem := _not_by_lot(drawn.contacts):
        return None, problem
    spent = config.margin * spent_after(drawn.contacts, dataset.events, config.window_days)
    most = np.quantile(spent, config.cut_amounts_at)
    trial = Trial(
        drawn.features,
        ~drawn.contacts["held_out"].to_numpy(),
        np.clip(spent, -most, most),
        1.0 - drawn.contacts["hold_out_share"].to_numpy(),
        CATEGORIES,
    )
    return (None, "all contacts were held out") if not trial.treated.any() else (trial, "")


def _not_by_lot(drawn: pl.DataFrame) -> str:
    """Returns what belies the lot: another number of customers held out than was drawn."""
    # Who is held out of an offer once is held out of it each time.
    cases = drawn.unique(["customer_id", "offer_id", "hold_out_share"])
    shares = cases["hold_out_share"].to_numpy()
    held_out, expected = int(cases["held_out"].sum()), float(shares.sum())
    deviation = float((shares * (1 - shares)).sum()) ** 0.5
    if abs(held_out - expected) <= MAX_DEVIATION * deviation:
        return ""
    return (
        f"{held_out:,} were held out where a lot gives {expected:,.0f} ± {deviation:,.0f}: the "
        "sides are not as they were drawn, and a difference between them is no effect"
    )


def _incremental(
    trial: Trial, given: ContactRows, gains: _Gains
) -> tuple[tuple[float, float], float]:
    """Returns the mean uplift with its error, and its part of what redeemers buy."""
    mean, error = mean_effect(trial)
    of_offer = [gains.of_offer.get(each, gains.overall) for each in given.contacts["offer_id"]]
    redeemed = float(np.mean(given.redeemed * np.array(of_offer)))
    part = mean / redeemed if redeemed > 0 else 1.0
    return (mean, error), float(np.clip(part, 0.0, 1.0))


def _facts(
    rows: ContactRows, gains: _Gains, config: ValuesConfig, *, uplifted: bool
) -> dict[str, OfferFacts]:
    sums = (
        rows.contacts.group_by("offer_id")
        .agg(
            contacts=(~pl.col("held_out")).sum(),
            redemptions=pl.col("redeemed_time").is_not_null().sum(),
            held_out=pl.col("held_out").sum(),
        )
        .sort("offer_id")
    )
    found = {}
    for offer_id, contacts, redemptions, held_out in sums.iter_rows():
        enough = min(contacts, held_out) >= config.least_held_out_of_offer
        found[offer_id] = OfferFacts(
            contacts=contacts,
            redemptions=redemptions,
            held_out=held_out,
            gain_per_redemption=gains.of_offer.get(offer_id, gains.overall),
            basis=ValueBasis.UPLIFT if uplifted and enough else ValueBasis.PROPENSITY,
        )
    return found


def _judged(given: ContactRows, config: ValuesConfig) -> tuple[float | None, float | None]:
    """Returns AUC and calibration error on the latest contacts, by those before them."""
    edge = given.contacts["time"].quantile(1 - LATEST, interpolation="nearest")
    before, after = given.contacts["time"] < edge, given.contacts["time"] >= edge
    early, late = given.part(before), given.part(after)
    labels: Numbers = late.redeemed
    if not (len(early) and early.redeemed.any() and 0 < labels.sum() < len(labels)):
        return None, None
    trees = config.propensity.fit(
        early.features, early.redeemed, kind="probability", categories=CATEGORIES
    )
    forecast = trees.means(late.features)
    area = float(auc(forecast[None, :], labels[None, :] > 0)[0])
    return area, reliability_bins(forecast, labels).error()
