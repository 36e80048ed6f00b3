"""All checks of placements and offers, in the order of the acceptance lines that they prove."""

from collections.abc import Sequence

from tests.qualification.runner import Check

CHECKS: Sequence[Check] = ()
