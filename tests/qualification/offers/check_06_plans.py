"""Check 6: a campaign for a million customers keeps its limits and is near the best there is.

Values are estimated from a pilot; what the plan brings is judged by the simulation's truth.
"""

import json
from collections.abc import Iterator

from tests.qualification.room import Room
from tests.qualification.rows import Row, above, at_least, at_most, equal, figure, near

CUSTOMERS, OFFERS, SEED = 1_000_000, 50, 1
MEMORY_MB = 2_048
SECONDS = 15 * 60
GAP = 0.005
PROGRAM = "tests.qualification.offers.plan_campaign"


def run(room: Room) -> Iterator[Row]:
    """Plans a million customers once, and a small campaign twice."""
    room.step(f"plan {OFFERS} offers for {CUSTOMERS:,} customers")
    told = _planned(room, "plan-million", CUSTOMERS, "compare")
    yield figure("customers", CUSTOMERS)
    yield figure("offers", OFFERS)
    yield at_most("seconds to plan", told["solve_s"], SECONDS)
    yield at_most("memory, MiB, values included", told["peak_mb"], MEMORY_MB)
    yield figure("contacts planned", told["rows"])
    yield at_most("gap to the bound", told["gap"], GAP)
    yield near("bound worked out again / bound", told["bound_again"] / told["bound"], 1, 1e-6)
    yield equal("limits broken", told["broken"], 0)
    yield figure("true value of the plan", told["true_value"])
    yield figure("true value, greedy by propensity", told["by_propensity_true_value"])
    yield figure("true value, greedy by value", told["by_value_true_value"])
    gain = told["true_value"] - told["by_propensity_true_value"]
    yield above("gain over greedy by propensity", gain, 0)
    gain = told["true_value"] / told["by_value_true_value"]
    yield at_least("true value / that of greedy by value", gain, 1)
    words = ("plan-again", 30_000)
    first, second = _planned(room, *words), _planned(room, *words)
    same = [first[name] == second[name] for name in ("rows", "value", "bound", "true_value")]
    yield equal("same plan again", "yes" if all(same) else "no", "yes")


def _planned(room: Room, name: str, customers: int, *words: str) -> dict[str, float]:
    done = room.must(name, "-m", PROGRAM, customers, OFFERS, SEED, *words)
    answer: dict[str, float] = json.loads(done.output.splitlines()[-1])
    return answer
