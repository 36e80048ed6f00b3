"""Check 1: the must table, and paired differences to the best baseline."""

from collections.abc import Iterator, Sequence

from evaluation.benchmark.definitions import Benchmark, Table
from evaluation.benchmark.measure import BOUGHT_ONLY, FIT_SECONDS, TUNED
from recsys.backtest.rows import DEFAULT_CONFIGURATION
from recsys.backtest.rows import Row as Figure
from recsys.backtest.summary import MINUS
from tests.qualification.quality.benchmarked import benchmarked, definitions, one
from tests.qualification.room import Room
from tests.qualification.rows import Row, above, at_least, at_most, figure

CERTAIN_LEADS = 7
"""Tables, of all, on which the interval to the best baseline lies above zero."""
TUNED_MINUTES = 30


def run(room: Room) -> Iterator[Row]:
    """Measures every set; each yields its figures as soon as it is done."""
    leads = 0
    for name, benchmark in definitions().sets.items():
        rows = benchmarked(room, name)
        for table in benchmark.tables:
            yield from _bars(name, benchmark, table, rows)
            lead = _best_lead(benchmark, table, rows)
            if lead is not None and lead.low is not None and lead.high is not None:
                leads += lead.low > 0
                baseline = lead.configuration.partition(MINUS)[2]
                what = f"{name} {table.placement}: default minus {baseline}"
                what += f", {table.judged_by}@{table.k} {lead.value:+.4f} [{lead.low:+.4f}, ...]"
                yield at_least(f"{what}, upper bound", lead.high, 0.0)
        if benchmark.bought_only:
            yield from _all_events(name, benchmark, rows)
        if benchmark.must_bind == TUNED:
            took = one(rows, TUNED, benchmark.tables[0].placement, FIT_SECONDS)
            minutes = took.value / 60 if took else float("inf")
            yield at_most(f"{name}: tuned fit, minutes", minutes, TUNED_MINUTES)
    yield at_least("tables with a certain lead over the best baseline", leads, CERTAIN_LEADS)


def _bars(name: str, benchmark: Benchmark, table: Table, rows: Sequence[Figure]) -> Iterator[Row]:
    for metric in table.metrics:
        for who in (DEFAULT_CONFIGURATION, TUNED):
            found = one(rows, who, table.placement, metric)
            what = f"{name} {table.placement} {who} {metric}@{table.k}"
            binds = who == benchmark.must_bind and metric in table.must
            if binds:
                value = found.value if found else float("-inf")
                yield at_least(what, value, table.must[metric])
            elif found:
                yield figure(what, found.value)


def _best_lead(benchmark: Benchmark, table: Table, rows: Sequence[Figure]) -> Figure | None:
    """Returns the paired difference of the default and the best baseline."""
    found = [one(rows, each, table.placement, table.judged_by) for each in benchmark.baselines]
    known = [row for row in found if row]
    if not known:
        return None
    best = max(known, key=lambda row: row.value).configuration
    lead = f"{DEFAULT_CONFIGURATION}{MINUS}{best}"
    return one(rows, lead, table.placement, table.judged_by)


def _all_events(name: str, benchmark: Benchmark, rows: Sequence[Figure]) -> Iterator[Row]:
    for table in benchmark.tables:
        lead = f"{DEFAULT_CONFIGURATION}{MINUS}{BOUGHT_ONLY}"
        row = one(rows, lead, table.placement, table.judged_by)
        low = row.low if row and row.low is not None else float("-inf")
        what = f"{name}: all events minus purchases alone, {table.judged_by}@{table.k}"
        yield above(f"{what}, lower bound", low, 0.0)
