"""All checks of placements and offers, in the order of the acceptance lines that they prove."""

from collections.abc import Sequence

from tests.qualification.offers import (
    check_01_placements,
    check_02_filters_and_rules,
    check_03_explanations,
    check_04_replay,
    check_05_offer_values,
    check_06_plans,
    check_07_contacts,
    check_08_export,
    check_09_bad_input,
)
from tests.qualification.runner import Check

CHECKS: Sequence[Check] = (
    Check(1, "Every placement: an example, its latency, its figures", check_01_placements.run),
    Check(2, "Filters and rule sets equal brute force", check_02_filters_and_rules.run),
    Check(3, "Explanations add up", check_03_explanations.run),
    Check(4, "Logged answers are made again", check_04_replay.run),
    Check(5, "What an offer is worth: propensity and uplift", check_05_offer_values.run),
    Check(6, "A campaign for a million customers is planned", check_06_plans.run),
    Check(7, "Callers at once exceed no limit", check_07_contacts.run),
    Check(8, "100,000 customers are exported, killed half-way and resumed", check_08_export.run),
    Check(
        9, "Bad files are refused with their line, and the old ones serve", check_09_bad_input.run
    ),
)
