"""Check 2: the same models of other libraries: quality, time and memory."""

from collections.abc import Iterator

from evaluation.benchmark.measure import FIT_PEAK_MB, FIT_SECONDS, OURS
from evaluation.benchmark.page import ratio
from recsys.backtest.summary import MINUS
from tests.qualification.quality.benchmarked import benchmarked, definitions, one
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, figure


def run(room: Room) -> Iterator[Row]:
    """Reads what the benchmarks measured; quality has a bar, time and memory are reported."""
    everything = definitions()
    for name, benchmark in everything.sets.items():
        if not benchmark.peers:
            continue
        rows = benchmarked(room, name)
        for table in benchmark.tables:
            here = [row for row in rows if row.placement == table.placement]
            for peer in benchmark.peers:
                own = OURS + everything.peers[peer].ours
                gap = one(here, f"{own}{MINUS}{peer}", table.placement, table.judged_by)
                high = gap.high if gap and gap.high is not None else float("-inf")
                what = f"{name} {table.placement}: {own} against {peer}"
                yield at_least(f"{what}, {table.judged_by}@{table.k}, upper bound", high, 0.0)
                yield figure(f"{what}, time of theirs", ratio(here, own, peer, FIT_SECONDS))
                yield figure(f"{what}, memory of theirs", ratio(here, own, peer, FIT_PEAK_MB))
