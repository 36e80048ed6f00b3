"""Checks of quality on made-up figures: what holds, what fails, and what is only reported."""

from pathlib import Path

import pytest

from evaluation.benchmark.definitions import Benchmarks
from evaluation.benchmark.measure import FIT_PEAK_MB, FIT_SECONDS, OURS
from recsys.backtest.rows import Row as Figure
from recsys.backtest.rows import write_figures
from recsys.config import validated
from tests.qualification.quality import benchmarked, peers, table
from tests.qualification.room import Room
from tests.qualification.rows import Row

LIST = {"parts": [{"source": "popular", "model": {"kind": "popularity"}}]}
ONE = {
    "about": "a shop",
    "train": "a",
    "test": "b",
    "baselines": ["simple", "simpler"],
    "peers": ["theirs"],
    "bought_only": True,
    "tables": [
        {
            "placement": "discover",
            "title": "masked",
            "k": 20,
            "metrics": ["recall", "ndcg"],
            "judged_by": "ndcg",
            "must": {"ndcg": 0.3},
        }
    ],
}
DEFINITIONS = {
    "environments": {"there": {"steps": [["nothing==0"]]}},
    "lists": {"simple": LIST, "simpler": LIST},
    "peers": {"theirs": {"environment": "there", "program": "none", "ours": "simple"}},
    "sets": {"tea": ONE},
}


def figure(configuration: str, metric: str, value: float, width: float | None = None) -> Figure:
    bounds = {} if width is None else {"low": value - width, "high": value + width}
    names = {"dataset": "tea", "protocol": "p", "placement": "discover"}
    k = None if metric in (FIT_SECONDS, FIT_PEAK_MB) else 20
    return Figure(configuration=configuration, metric=metric, value=value, k=k, **names, **bounds)


def figures(*, default: float, lead: float, all_events: float, pair: float) -> list[Figure]:
    own = f"{OURS}simple"
    return [
        figure("default", "ndcg", default),
        figure("default", "recall", 0.5),
        figure("simple", "ndcg", 0.2),
        figure("simpler", "ndcg", 0.1),
        figure("default-minus-simple", "ndcg", lead, 0.01),
        figure("default-minus-simpler", "ndcg", -1.0, 0.01),
        figure("default-minus-default-by-purchases-alone", "ndcg", all_events, 0.01),
        figure(f"{own}-minus-theirs", "ndcg", pair, 0.01),
        *(figure(name, FIT_SECONDS, took) for name, took in ((own, 3.0), ("theirs", 2.0))),
        *(figure(name, FIT_PEAK_MB, took) for name, took in ((own, 50.0), ("theirs", 100.0))),
    ]


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    defined = validated(Benchmarks, DEFINITIONS, where="test")
    for module in (benchmarked, peers, table):
        monkeypatch.setattr(module, "definitions", lambda: defined)
    return Room(commit="abc", folder=tmp_path)


def measured(room: Room, rows: list[Figure]) -> None:
    write_figures(room.of_commit("benchmarks") / "tea.json", rows)


def by_name(rows: list[Row], part: str) -> Row:
    [row] = [row for row in rows if part in row.check]
    return row


def by_bound(room: Room) -> Row:
    [row] = [row for row in peers.run(room) if row.check.endswith("ndcg@20, upper bound")]
    return row


def test_good_figures_hold_but_one_table_is_not_enough(room: Room) -> None:
    measured(room, figures(default=0.31, lead=0.05, all_events=0.02, pair=0.0))
    rows = list(table.run(room))
    assert [row.check for row in rows if not row.holds] == [
        "tables with a certain lead over the best baseline"
    ]
    assert by_name(rows, "default minus simple,").value == pytest.approx(0.06)
    assert by_name(rows, "default recall@20").bar is None
    pairs = list(peers.run(room))
    assert all(row.holds for row in pairs)
    assert by_name(pairs, "time of theirs").value == 1.5
    assert by_name(pairs, "memory of theirs").value == 0.5


def test_bad_figures_fail(room: Room) -> None:
    measured(room, figures(default=0.29, lead=-0.05, all_events=0.005, pair=-0.02))
    rows = list(table.run(room))
    assert all(not row.holds for row in rows if row.bar is not None)
    assert not by_bound(room).holds


def test_many_comparisons_are_held_together(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    # Alone it would be certain: -0.012 with 0.01 to either side.
    measured(room, figures(default=0.31, lead=0.05, all_events=0.02, pair=-0.012))
    assert not by_bound(room).holds
    many = {
        **DEFINITIONS,
        "sets": {"tea": {**DEFINITIONS["sets"]["tea"], "peers": ["theirs"] * 40}},
    }
    defined = validated(Benchmarks, many, where="test")
    monkeypatch.setattr(peers, "definitions", lambda: defined)
    bounds = [row for row in peers.run(room) if row.check.endswith("ndcg@20, upper bound")]
    assert len(bounds) == 40
    assert all(row.holds for row in bounds)


def test_figures_of_another_commit_are_measured_again(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(room, figures(default=0.31, lead=0.05, all_events=0.02, pair=0.0))
    asked: list[str] = []

    def must(self: Room, name: str, *words: object) -> None:
        del self
        asked.append(name)
        write_figures(Path(str(words[words.index("--json") + 1])), [figure("default", "ndcg", 1)])

    monkeypatch.setattr(Room, "must", must)
    assert len(benchmarked.benchmarked(room, "tea")) > 1
    later = Room(commit="def", folder=room.folder)
    assert len(benchmarked.benchmarked(later, "tea")) == 1
    assert benchmarked.benchmarked(later, "tea")[0].value == 1
    assert asked == ["benchmark-tea"]
