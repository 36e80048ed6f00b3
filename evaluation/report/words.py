"""What a report says in sentences, and the definitions that it repeats."""

from evaluation.report.findings import Findings
from recsys.backtest.verdicts import Verdict, verdict

PROTOCOL = (
    "All configurations are fitted on the training side and asked for the same customers through "
    "the recommender that serves. Lists rank the whole catalogue; what customers took on the test "
    "side is right. Customers without a right item for a placement are left out of it."
)
TEMPORAL = (
    "The training side is all that lies before the cutoff, the test side what was bought after it."
)
INTERVALS = (
    "Intervals hold 95 % of 1,000 bootstrap draws of the customers. Leads are paired customer by "
    "customer. “Certain” means: p of the paired permutation test, corrected by Holm for all tests "
    "of its kind, at most .05. They say how far a figure depends on which customers were there, "
    "not how it would change next month."
)
DEFINITIONS = {
    "precision": "share of the k places that are right",
    "recall": "share of a customer's right items that are in the list",
    "ndcg": "as recall, but earlier places count more: gain 1, discount log2(rank + 1), best 1",
    "map": "mean of precision at each hit, divided by min(right items, k)",
    "map_full": "as map, divided by all right items even beyond k: trec_eval, ranx, RecTools",
    "mrr": "1 / rank of the first hit",
    "hr": "share of customers with any hit",
    "novelty": "mean bits: log2 of buyers over those of the item; more is rarer",
    "coverage": "share of all items that are in at least one list",
    "repeat_share": "share of the list that the customer had bought before",
    "repeat_recall": "recall of right items that the customer had bought before",
    "explore_recall": "recall of right items that were new to the customer",
    "ild_category": "mean distance of two items of a list by category path; more is more varied",
    "calibration_kl": "distance of the list's category mix from the customer's own; 0 is equal",
    "serendipity": "share of places that are right and no bestseller",
    "arp": "mean share of buyers who bought an item of the list",
    "exposure_gini": "how unequally items are shown; 1 is one item taking all places",
    "ndcg_full_ideal": "as ndcg, divided by the best for all right items even beyond k",
    "revenue": "price of the hits",
    "margin": "price minus cost of the hits",
}


def protocol(found: Findings) -> str:
    """Returns how the sides were told apart and what counts as right."""
    return f"{PROTOCOL} {TEMPORAL}" if found.study.protocol == "temporal" else PROTOCOL


def sentences(found: Findings) -> list[str]:
    """Returns the message of each placement in one sentence."""
    return [said for placement in found.outcomes if (said := _sentence(found, placement))]


def significance(found: Findings, placement: str, other: str) -> Verdict:
    """Returns whether the first configuration differs from another one: better, worse or ''."""
    for tested in found.verdicts:
        for pair in tested.pairs:
            if (tested.placement, pair.first, pair.second) == (placement, found.names[0], other):
                return verdict(pair.difference.value, pair.p_holm)
    return ""


def _sentence(found: Findings, placement: str) -> str:
    ours, rival = found.names[0], found.rival(placement)
    figure = found.row(placement, ours, found.metric)
    if figure is None:
        return ""
    said = f"{placement}: {ours} reaches {found.metric}@{found.k} {_number(figure.value)}"
    if rival is None:
        return said + "."
    theirs, lead = found.row(placement, rival, found.metric), found.lead(placement, rival)
    if theirs is None or lead is None or lead.low is None or lead.high is None:
        return said + "."
    relative = f" ({lead.value / theirs.value:+.1%})" if theirs.value else ""
    word = {
        "better": "significantly better than",
        "worse": "significantly worse than",
        "": "not significantly different from",
    }[significance(found, placement, rival)]
    return (
        f"{said}, {word} the best other, {rival}, by {_signed(lead.value)}{relative}, "
        f"interval {_signed(lead.low)} to {_signed(lead.high)}."
    )


def _number(value: float) -> str:
    return f"{value:.4f}"


def _signed(value: float) -> str:
    return f"{value:+.4f}"
