"""Holds what a replenishment model tells against what was then bought."""

import numpy as np
from scipy.optimize import minimize

from recsys.models.purchase_log import PurchaseLog
from recsys.models.purchase_process import Values
from recsys.models.replenishment_model import (
    HORIZONS_DAYS,
    ReplenishmentModel,
    hazards,
    histories_of,
    paces,
)
from recsys.types import DAY_S

UNCORRECTED = np.zeros(3)
LEAST, MOST = -30.0, 3.0
"""Logarithms of hazards beyond which a probability is 0 or 1 as far as a computer can tell."""


def correction(before: ReplenishmentModel, log: PurchaseLog, cut: int, end: int) -> Values:
    """Returns level, logarithm of the slope, and weight of the pace, shape (3,).

    Complementary log-log regression of what was bought within each horizon on the logarithm of
    the hazard and the customer's pace, most likely under standard normal priors: proportional
    hazards for what the process leaves out, such as a season or a shop that grows (Cox:
    Regression models and life-tables, Journal of the Royal Statistical Society B 34, 1972).

    Args:
        before: fitted on what lay before the cut.
        log: of purchases, after it too.
        cut: from when on probabilities are told, Unix seconds.
        end: of the log; horizons beyond it are left out.
    """
    owners, rows = log.until(cut)
    histories, priors = histories_of(rows, cut), before.priors(rows.item_nums)
    count = int(owners.max(initial=-1)) + 1
    pace = paces(histories, priors, owners, count, before.customer_prior)[owners]
    waits = log.waits(owners, rows.item_nums, cut)
    last = (end - cut) / DAY_S
    told = [float(days) for days in HORIZONS_DAYS if days <= last] or [last]
    cases = [(np.log(hazards(histories, priors, days)), waits < days) for days in told]

    def surprise(weights: Values) -> tuple[float, Values]:
        level, slope, weight = weights
        loss, push = float((weights**2).sum() / 2), weights.copy()
        for hazard, bought in cases:
            raised = np.clip(level + np.exp(slope) * hazard + weight * pace, LEAST, MOST)
            risk = np.exp(raised)
            chance = -np.expm1(-risk)
            loss += float(np.where(bought, -np.log(chance), risk).sum())
            each = np.where(bought, -risk * (1 - chance) / chance, risk)
            push += [each.sum(), np.exp(slope) * (each @ hazard), each @ pace]
        return loss / max(len(pace), 1), push / max(len(pace), 1)

    found: Values = minimize(surprise, UNCORRECTED, jac=True, method="L-BFGS-B").x
    return found
