"""Check 2: the same models of other libraries: quality, time and memory.

Models that are the same differ by chance: by where they start and how they break ties. Of forty
intervals of 95 % one or two would miss 0 on either side, so the bar is on intervals that hold all
at once (Bonferroni); the single ones are shown beside them.
"""

from collections.abc import Iterator
from statistics import NormalDist

from evaluation.benchmark.measure import FIT_PEAK_MB, FIT_SECONDS, OURS
from evaluation.benchmark.page import ratio
from recsys.backtest.rows import Row as Figure
from recsys.backtest.summary import MINUS
from tests.qualification.quality.benchmarked import benchmarked, definitions, one
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, figure

SURE = 0.95


def run(room: Room) -> Iterator[Row]:
    """Reads what the benchmarks measured; quality has a bar, time and memory are reported."""
    everything = definitions()
    comparisons = sum(len(each.peers) * len(each.tables) for each in everything.sets.values())
    for name, benchmark in everything.sets.items():
        if not benchmark.peers:
            continue
        rows = benchmarked(room, name)
        for table in benchmark.tables:
            here = [row for row in rows if row.placement == table.placement]
            for peer in benchmark.peers:
                own = OURS + everything.peers[peer].ours
                gap = one(here, f"{own}{MINUS}{peer}", table.placement, table.judged_by)
                what = f"{name} {table.placement}: {own} against {peer}"
                metric = f"{table.judged_by}@{table.k}"
                value, single, joint = _bounds(gap, comparisons)
                yield figure(f"{what}, {metric}, difference", value)
                yield figure(f"{what}, {metric}, upper bound alone", single)
                yield at_least(f"{what}, {metric}, upper bound", joint, 0.0)
                yield figure(f"{what}, time of theirs", ratio(here, own, peer, FIT_SECONDS))
                yield figure(f"{what}, memory of theirs", ratio(here, own, peer, FIT_PEAK_MB))


def _bounds(gap: Figure | None, comparisons: int) -> tuple[float, float, float]:
    """Returns a difference, its upper bound, and that of intervals that all hold together."""
    if gap is None or gap.high is None:
        return (float("-inf"),) * 3
    normal, left = NormalDist(), (1 - SURE) / 2
    wider = normal.inv_cdf(1 - left / comparisons) / normal.inv_cdf(1 - left)
    return gap.value, gap.high, gap.value + wider * (gap.high - gap.value)
