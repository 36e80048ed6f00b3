"""Check 9: how long an answer takes over a real port. No bar yet: the numbers must be known."""

from collections.abc import Iterator

from recsys.backtest.rows import read_figures
from tests.qualification.room import Room
from tests.qualification.rows import Row, equal, figure

LATENCY = {"p50_ms", "p99_ms", "calls_per_s"}
LOADS = {"serving, one client", "serving, saturated"}
KINDS = {"recommend", "health-check"}


def run(room: Room) -> Iterator[Row]:
    """Runs the benchmark of the server; its profile is in the log."""
    figures = room.folder / "serving.json"
    script = room.root / "tests" / "benchmarks" / "bench_serving.py"
    room.must("9-serving", script, "--bundles", room.demo_bundles(), "--json", figures)
    found = read_figures(figures)
    known = {(row.protocol, row.variant, row.metric) for row in found}
    wanted = {(load, kind, name) for load in LOADS for kind in KINDS for name in LATENCY}
    yield equal("figures that are not known", len(wanted - known), 0)
    for row in found:
        yield figure(f"{row.protocol}, {row.variant}: {row.metric}", row.value)
