"""What every configuration must beat: simple rules, served through the same recommender."""

from typing import Any

from recsys.assembly import FitConfig
from recsys.config import validated

HALF_LIFE_DAYS = 120.0
MANY = 1_000
"""Items that are counted beside each item: what is bought with it less often says nothing."""


def baselines() -> dict[str, FitConfig]:
    """Returns the configurations that stand in every table, by name, in order.

    * `popularity`: items by distinct buyers, nothing fades. All placements, with their rules.
    * `co-occurrence`: what most baskets hold with the context items, one count a basket, added up
      over the items; what is missing to a full list by popularity. `bought_together` and
      `complete_the_basket` only.
    * `personal-frequency`: what the customer bought on most days; ties, and what is missing to a
      full list, by popularity. It needs a customer: `for_you` and `buy_again` only.
    * `personal-frequency-120d`: the same with every day halved per 120 days. Few published
      next-basket models beat it (Li et al.: A next basket recommendation reality check, ACM
      TOIS 41(4), 2023).
    """
    return {
        "popularity": _popularity(),
        "co-occurrence": _co_occurrence(),
        "personal-frequency": _frequency(half_life_days=None),
        f"personal-frequency-{HALF_LIFE_DAYS:g}d": _frequency(half_life_days=HALF_LIFE_DAYS),
    }


def _popularity() -> FitConfig:
    most_bought: dict[str, Any] = {
        "sources": [{"name": "popular", "weight": 1.0}],
        "fill": ["popular"],
    }
    placements = {
        "for_you": most_bought,
        "discover": {**most_bought, "exclude": "bought"},
        "buy_again": {**most_bought, "only_bought": True},
        # The context item itself is left out, as everywhere.
        "similar_items": {**most_bought, "seeds": "context"},
        "bought_together": {**most_bought, "seeds": "context"},
        "complete_the_basket": {**most_bought, "seeds": "context"},
        "popular": most_bought,
    }
    return validated(
        FitConfig,
        {
            "models": {"popularity": {"kind": "popularity", "half_life_days": None}},
            "sources": {"popular": {"kind": "popular", "model": "popularity"}},
            "placements": placements,
        },
        where="baseline popularity",
    )


def _co_occurrence() -> FitConfig:
    together: dict[str, Any] = {
        "sources": [{"name": "together", "weight": 1.0}],
        "fill": ["popular"],
        "seeds": "context",
        "candidates": MANY,
    }
    return validated(
        FitConfig,
        {
            "models": {
                "popularity": {"kind": "popularity", "half_life_days": None},
                "together": {
                    "kind": "item-item",
                    "over": "baskets",
                    "weighting": "counts",
                    "entries": "binary",
                    "event_weights": {"purchase": 1.0},
                    "neighbours": MANY,
                },
            },
            "sources": {
                "popular": {"kind": "popular", "model": "popularity"},
                "together": {"kind": "neighbours", "model": "together"},
            },
            "placements": {"bought_together": together, "complete_the_basket": together},
        },
        where="baseline co-occurrence",
    )


def _frequency(*, half_life_days: float | None) -> FitConfig:
    own: dict[str, Any] = {"sources": [{"name": "repurchase", "weight": 1.0}]}
    return validated(
        FitConfig,
        {
            "models": {
                "popularity": {"kind": "popularity", "half_life_days": None},
                "repurchase": {
                    "kind": "repurchase",
                    "half_life_days": half_life_days,
                    "overdue": 0.0,
                },
            },
            "sources": {
                "popular": {"kind": "popular", "model": "popularity"},
                "repurchase": {"kind": "repurchase", "model": "repurchase"},
            },
            "placements": {
                "for_you": {**own, "fill": ["popular"]},
                "buy_again": {**own, "fill": ["repurchase"], "only_bought": True},
            },
        },
        where="baseline personal-frequency",
    )
