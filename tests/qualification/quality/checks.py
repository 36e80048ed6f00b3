"""All checks of quality, in the order of the acceptance lines that they prove."""

from tests.qualification.quality import (
    bundles,
    cold,
    evaluator,
    leakage,
    peers,
    scale,
    table,
)
from tests.qualification.runner import Check

CHECKS = (
    Check(1, "Figures on test parts, and paired leads over baselines", table.run),
    Check(2, "The same models of other libraries", peers.run),
    Check(3, "Printed rows made again; metrics equal ranx", evaluator.run),
    Check(4, "Another future changes nothing before a cut-off", leakage.run),
    Check(5, "A bundle from disk is judged as the pipeline in memory", bundles.run),
    Check(6, "Time and memory of fits", scale.run),
    Check(7, "Cold items and cold customers", cold.run),
)
