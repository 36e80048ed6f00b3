"""Check 2: our lists and the published figures on The Complete Journey."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from recsys.backtest.rows import WHOLE_POPULATION, read_figures
from recsys.backtest.rows import Row as Figure
from tests.qualification.raw_baselines import Baselines
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, figure, near

CUTOFF, MIN_ITEM_EVENTS, K = "2017-12-04", 5, 20
TOLERANCE = 0.002
OURS = {"for_you": 0.364, "discover": 0.045}
METRICS = ("precision", "recall", "ndcg")
BASELINES = {
    ("popularity", "for_you"): (0.1041, 0.0536, 0.1405),
    ("popularity", "discover"): (0.0302, 0.0278, 0.0375),
    ("personal-frequency", "for_you"): (None, None, 0.3486),
    ("personal-frequency-120d", "for_you"): (None, None, 0.3639),
}
RAW = {
    ("ALS 64", "all"): (0.1604, 0.0947, 0.1988),
    ("ALS 64", "new only"): (0.0323, 0.0309, 0.0429),
    ("item-item cosine", "all"): (0.1657, 0.0974, 0.2061),
    ("popularity of 28 days", "new only"): (None, None, 0.0427),
}


def run(room: Room) -> Iterator[Row]:
    """Evaluates as the README says, then once more without any of our models."""
    data, figures = room.demo_data(), room.folder / "complete_journey.json"
    outcome = room.must(
        "2-evaluate",
        *("-m", "evaluation", "run", "--no-choose", "--data", data, "--cutoff", CUTOFF),
        *("--min-item-events", MIN_ITEM_EVENTS, "--placements", ",".join(OURS), "--k", K),
        *("--dataset-name", "complete-journey", "--json", figures),
    )
    found = read_figures(figures)
    for placement, bar in OURS.items():
        ours = _one(found, "default", placement, "ndcg")
        yield at_least(f"{placement} ndcg@{K}", ours.value, bar)
        yield figure(f"{placement} customers", ours.customers or 0)
        for metric in METRICS[:2]:
            value = _one(found, "default", placement, metric).value
            yield figure(f"{placement} {metric}@{K}", value)
    for (name, placement), published in BASELINES.items():
        values = [_one(found, name, placement, metric).value for metric in METRICS]
        yield from _reproduced(f"{name}, {placement}", values, published)
    yield figure("evaluation, seconds", outcome.seconds)
    yield figure("evaluation, peak MiB", outcome.peak_mb)
    yield from _raw(room, data)


def _raw(room: Room, data: Path) -> Iterator[Row]:
    room.step("baselines without our models")
    baselines = Baselines.of(data, CUTOFF, MIN_ITEM_EVENTS)
    for name, scores in baselines.all_scores(room.step):
        for kind in ("all", "new only"):
            if (name, kind) in RAW:
                values = baselines.judged(scores, K, new_only=kind == "new only")
                yield from _reproduced(f"{name}, {kind}", values, RAW[name, kind])


def _reproduced(
    what: str, values: Sequence[float], published: Sequence[float | None]
) -> Iterator[Row]:
    for metric, value, target in zip(METRICS, values, published, strict=True):
        if target is not None:
            yield near(f"{what}: {metric}@{K}", value, target, TOLERANCE)


def _one(found: Sequence[Figure], configuration: str, placement: str, metric: str) -> Figure:
    wanted = (configuration, placement, metric, K, WHOLE_POPULATION)
    [row] = [
        row
        for row in found
        if (row.configuration, row.placement, row.metric, row.k, row.slice) == wanted
    ]
    return row
