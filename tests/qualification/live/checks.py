"""All checks of what is live, in the order of the acceptance lines that they prove."""

from tests.qualification.live import (
    check_01_faults,
    check_02_freshness,
    check_03_sessions,
    check_04_ingest,
    check_05_latency,
    check_06_reload,
    check_07_erasure,
    check_08_online,
)
from tests.qualification.runner import Check

CHECKS = (
    Check(1, "Kills, power cuts and failing disks lose and repeat nothing", check_01_faults.run),
    Check(2, "Every server knows what one has acknowledged", check_02_freshness.run),
    Check(3, "A session moves the list", check_03_sessions.run),
    Check(4, "The rate of events against the bare drivers", check_04_ingest.run),
    Check(5, "What live state and the log of impressions cost", check_05_latency.run),
    Check(6, "200 reloads under load", check_06_reload.run),
    Check(7, "Nothing is left of an erased customer", check_07_erasure.run),
    Check(8, "Intervals of the online report cover the truth", check_08_online.run),
)
