"""All checks of what is live, in the order of the acceptance lines that they prove."""

from tests.qualification.runner import Check

CHECKS: tuple[Check, ...] = ()
