"""All checks, in the order of the acceptance lines that they prove."""

from tests.qualification import (
    check_01_bare_machine,
    check_02_complete_journey,
    check_03_filtered_search,
    check_04_other_shops,
    check_05_own_data,
    check_06_server,
    check_07_batches,
    check_08_fit_scale,
    check_09_latency,
    check_10_static,
)
from tests.qualification.runner import Check

CHECKS = (
    Check(1, "make demo and make test on a bare machine", check_01_bare_machine.run),
    Check(2, "Complete Journey: lists and baselines", check_02_complete_journey.run),
    Check(3, "FAISS under filters equals brute force", check_03_filtered_search.run),
    Check(4, "Two other shops, from files to lists", check_04_other_shops.run),
    Check(5, "Own data, good and broken", check_05_own_data.run),
    Check(6, "A server misused, stopped, given damaged bundles", check_06_server.run),
    Check(7, "Batches equal single calls; bulk lists", check_07_batches.run),
    Check(8, "What a fit takes, and ten times the events", check_08_fit_scale.run),
    Check(9, "Latency over a real port", check_09_latency.run),
    Check(10, "Static checks and coverage", check_10_static.run),
)
