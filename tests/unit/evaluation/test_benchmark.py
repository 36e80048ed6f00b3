"""Benchmarks: definitions, lists of other processes, files of results."""

import csv
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from evaluation.benchmark.definitions import Benchmark, Benchmarks, load_benchmarks
from evaluation.benchmark.measure import (
    BOUGHT_ONLY,
    FIT_PEAK_MB,
    FIT_SECONDS,
    OURS,
    Part,
    Run,
    by_purchases_alone,
)
from evaluation.benchmark.opening import open_benchmark
from evaluation.benchmark.page import missed, ratio, write_page
from evaluation.benchmark.peers.job import NOBODY, Job, from_table
from evaluation.benchmark.programs import ProgramError, Question, interpreter
from evaluation.benchmark.results import merge, note_read
from evaluation.benchmark.simple_lists import configuration
from evaluation.cli import app
from recsys.backtest.rows import Row, read_figures
from recsys.backtest.summary import MINUS
from recsys.choice.menu import load_menu
from recsys.config import validated
from recsys.errors import ConfigError, DataError
from recsys.fitting.config import load_config
from recsys.protocols.holdout import HoldOut
from recsys.protocols.presplit import read_holdout
from recsys.types import EventType
from tests.small_shop import shop_dataset

PURCHASES = {"half_life_days": "none", "event_weights": {"purchase": 1}}
DEFINITIONS = {
    "environments": {"here": {"steps": [["nothing==0"]]}},
    "lists": {
        "popularity": {
            "parts": [{"source": "popular", "model": {"kind": "popularity", **PURCHASES}}]
        },
        "item-item": {
            "parts": [{"source": "neighbours", "model": {"kind": "item-item", **PURCHASES}}],
            "boost": {"model": {"kind": "popularity"}, "power": 0.3},
            "fill": {"kind": "popularity"},
        },
    },
    "peers": {
        "theirs": {
            "environment": "here",
            "program": "implicit_lists",
            "options": {"model": "item-item", "K": 20},
            "ours": "item-item",
        }
    },
    "sets": {
        "tea": {
            "about": "a small shop",
            "train": "tea/train.parquet",
            "test": "tea/test.parquet",
            "bought_only": True,
            "baselines": ["popularity", "item-item"],
            "peers": ["theirs"],
            "tables": [
                {
                    "placement": "discover",
                    "title": "masked",
                    "k": 5,
                    "metrics": ["recall", "ndcg"],
                    "judged_by": "ndcg",
                    "must": {"ndcg": 0.9},
                    "printed": [{"name": "a paper", "by": "P", "figures": {"ndcg": 0.5}}],
                }
            ],
        }
    },
}


def definitions() -> Benchmarks:
    return validated(Benchmarks, DEFINITIONS, where="test")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop's pairs, split, as the folder of evaluation data."""
    shared = tmp_path_factory.mktemp("shared")
    folder = shared / "data" / "tea"
    folder.mkdir(parents=True)
    events = shop_dataset().events.filter(pl.col("event_type") == "purchase").collect()
    pairs = events.select("customer_id", "item_id").unique().sort("customer_id", "item_id")
    held = pl.int_range(pl.len()) % 5 == 0
    pairs.filter(~held).write_parquet(folder / "train.parquet")
    pairs.filter(held).write_parquet(folder / "test.parquet")
    return shared


@pytest.fixture(scope="module")
def holdout(data: Path) -> HoldOut:
    folder = data / "data" / "tea"
    return read_holdout(folder / "train.parquet", folder / "test.parquet")


@pytest.fixture(scope="module")
def rows(holdout: HoldOut) -> list[Row]:
    run = Run(
        definitions(),
        budget_seconds=2.0,
        open=lambda *_: holdout,
        python_of=lambda _: Path(sys.executable),
    )
    return run.rows("tea")


def one(rows: list[Row], configuration: str, metric: str) -> Row:
    [row] = [row for row in rows if (row.configuration, row.metric) == (configuration, metric)]
    return row


def test_every_benchmark_that_ships_can_be_read_and_its_lists_built() -> None:
    shipped = load_benchmarks()
    assert len(shipped.sets) == 10
    for name, simple in shipped.lists.items():
        placements = configuration(name, simple).placements
        assert placements["discover"].exclude == "bought"
        assert placements["for_you"].exclude == "nothing"
    must = [bar for each in shipped.sets.values() for table in each.tables for bar in table.must]
    assert len(must) == 14
    assert set(shipped.named(["all"])) == set(shipped.sets)
    assert list(shipped.named(["tms", "dc", "tms"])) == ["tms", "dc"]
    with pytest.raises(ConfigError, match="no benchmark 'nothing'"):
        shipped.named(["nothing"])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"baselines": ["unheard"]}, "'unheard' is not defined"),
        ({"peers": ["unheard"]}, "'unheard' is not defined"),
        ({"test": None}, "needs one of prepare, log, and train with test"),
    ],
)
def test_definitions_that_cannot_be(change: dict[str, object], problem: str) -> None:
    sets = {"tea": DEFINITIONS["sets"]["tea"] | change}
    with pytest.raises(ConfigError, match=problem):
        validated(Benchmarks, DEFINITIONS | {"sets": sets}, where="test")


def test_a_bar_for_a_metric_that_the_table_lacks_is_refused() -> None:
    tea = DEFINITIONS["sets"]["tea"]
    table = tea["tables"][0] | {"must": {"hr": 0.1}}
    with pytest.raises(ConfigError, match="'hr' is not one of the metrics"):
        validated(Benchmark, tea | {"tables": [table]}, where="test")


def test_a_run_measures_ours_baselines_peers_and_pairs(rows: list[Row]) -> None:
    measured = {row.configuration for row in rows if row.source == "measured"}
    own = OURS + "item-item"
    lists = {"default", BOUGHT_ONLY, "popularity", "item-item", own, "theirs"}
    assert {name for name in measured if MINUS not in name} == lists
    assert {f"default{MINUS}{name}" for name in lists - {"default"}} < measured
    assert f"{own}{MINUS}theirs" in measured
    assert {(row.k, row.slice) for row in rows if row.metric == "ndcg"} == {(5, "all")}
    assert one(rows, "a paper", "ndcg").source == "published"
    for name in (own, "theirs"):
        assert one(rows, name, FIT_PEAK_MB).value > 20
        assert one(rows, name, "ndcg").peak_mb == pytest.approx(
            one(rows, name, FIT_PEAK_MB).value, abs=0.1
        )
    assert one(rows, "popularity", "ndcg").peak_mb is None
    assert ratio(rows, own, "theirs", FIT_SECONDS) > 0
    assert np.isnan(ratio(rows, own, "nobody", FIT_SECONDS))


def test_a_process_of_ours_makes_the_lists_that_are_made_here(rows: list[Row]) -> None:
    """The same configuration in memory and in a process: every figure agrees."""
    for metric in ("recall", "ndcg"):
        here, there = (one(rows, name, metric) for name in ("item-item", f"{OURS}item-item"))
        assert (here.value, here.low, here.high) == (there.value, there.low, there.high)


def test_a_peer_never_lists_what_is_masked_and_finds_something(
    rows: list[Row], holdout: HoldOut
) -> None:
    question = Question(holdout.split, holdout.mask, ("discover",), 5)
    listed = question.ask_peer(Path(sys.executable), "implicit_lists", {"model": "item-item"})
    past = holdout.split.before.group_by("customer_num").agg("item_num")
    for customer, items in past.iter_rows():
        row = listed.customers.number(holdout.split.customers.id(customer))
        assert row is not None
        assert not set(items) & set(listed.lists["discover"][row].tolist())
    assert one(rows, "theirs", "ndcg").value > 0


def test_parts_can_be_left_out(holdout: HoldOut) -> None:
    without = frozenset({Part.BASELINES, Part.PEERS, Part.TUNED})
    run = Run(definitions(), budget_seconds=1.0, without=without, open=lambda *_: holdout)
    names = {row.configuration for row in run.rows("tea")}
    assert names == {"default", BOUGHT_ONLY, f"default{MINUS}{BOUGHT_ONLY}", "a paper"}


def test_a_program_that_fails_says_why(holdout: HoldOut) -> None:
    question = Question(holdout.split, holdout.mask, ("discover",), 5)
    with pytest.raises(ProgramError, match=r"(?s)no_such_program: exit status 1.*No module named"):
        question.ask_peer(Path(sys.executable), "no_such_program", {})


def test_an_environment_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[list[object]] = []
    monkeypatch.setattr(
        "evaluation.benchmark.programs.venv.create", lambda path, **_: path.mkdir()
    )
    monkeypatch.setattr(
        "evaluation.benchmark.programs._run", lambda command, _: made.append(command)
    )
    environment = definitions().environments["here"]
    for _ in range(2):
        assert interpreter("here", environment, tmp_path) == tmp_path / "here" / "bin" / "python"
    assert [command[-1] for command in made] == ["nothing==0"]


def test_lists_of_a_table_keep_its_order(tmp_path: Path) -> None:
    job = Job(tmp_path, customers=4, items=9, k=2, masked={}, options={})
    nums = np.array([1, 3], dtype=np.int32)
    job.write(nums, nums, nums, asked=nums)
    lists = from_table(job, np.array([3, 1, 3, 3]), np.array([7, 5, 2, 4]))
    assert lists.tolist() == [[5, NOBODY], [7, 2]]
    assert job.matrix().toarray()[3, 3] == 1
    assert Job.read(tmp_path) == job


def test_by_purchases_alone_nothing_else_weighs() -> None:
    base, menu = by_purchases_alone(load_config(), load_menu())
    models = [*base.models.values()]
    models += [each for family in menu.families.values() for each in family.variants]
    assert all(model.event_weights == {EventType.PURCHASE: 1.0} for model in models)


def test_results_are_merged_by_set_in_the_order_of_the_definitions(tmp_path: Path) -> None:
    def row(dataset: str, value: float) -> Row:
        names = {"protocol": "p", "placement": "discover", "metric": "ndcg", "k": 20}
        return Row(dataset=dataset, value=value, **names)

    file, shipped = tmp_path / "figures.json", load_benchmarks()
    merge(file, [row("dc", 0.1), row("gowalla", 0.2)], shipped)
    merged = merge(file, [row("dc", 0.3)], shipped)
    assert [(each.dataset, each.value) for each in merged] == [("gowalla", 0.2), ("dc", 0.3)]
    assert list(read_figures(file)) == merged


def test_the_page_has_marks_bars_and_peers(rows: list[Row], tmp_path: Path) -> None:
    write_page(tmp_path / "page.md", rows, definitions())
    page = (tmp_path / "page.md").read_text()
    assert "| a paper [P] |  | 0.5000 |  |  |  |" in page
    assert "| *must, default* |  | *0.9000* |" in page
    assert "| **default** | 0." in page
    assert f"| theirs | {OURS}item-item | " in page
    assert {len(line.split("|")) for line in page.splitlines() if line.startswith("| ")} == {8, 7}


def test_what_is_short_of_its_bar_is_said(rows: list[Row]) -> None:
    benchmark = definitions().sets["tea"]
    [(what, (value, bar))] = missed(benchmark, rows).items()
    assert (what, bar) == ("discover ndcg@5", 0.9)
    assert value == one(rows, "default", "ndcg").value


def test_each_read_of_a_test_part_is_noted(rows: list[Row], tmp_path: Path) -> None:
    file = tmp_path / "reads.csv"
    file.write_text("date,commit,set,figure\n")
    now = datetime(2026, 1, 2, tzinfo=UTC)
    note_read(file, "tea", definitions().sets["tea"], rows, now)
    [line] = csv.DictReader(file.read_text().splitlines())
    assert (line["date"], line["set"]) == ("2026-01-02", "tea")
    assert f"default discover ndcg@5 {one(rows, 'default', 'ndcg').value:.4f}" in line["figure"]


def test_data_are_found_through_the_environment(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_SHARED", str(data))
    assert len(open_benchmark("tea", definitions().sets["tea"]).split.items) > 10
    with pytest.raises(DataError, match="RECSYS_SHARED says where"):
        open_benchmark("gowalla", load_benchmarks().sets["gowalla"])


def test_data_are_prepared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = shop_dataset().events.collect()
    (tmp_path / "data").mkdir()
    events.write_parquet(tmp_path / "data" / "events.parquet")
    monkeypatch.setenv("RECSYS_SHARED", str(tmp_path))
    tea = dict(DEFINITIONS["sets"]["tea"])
    tea |= {"train": None, "test": None, "cutoff": "2026-03-10T00:00:00Z"}
    tea |= {"prepare": ["--events", "{data}/events.parquet"]}
    benchmark = validated(Benchmark, tea, where="test")
    first = open_benchmark("tea", benchmark, tmp_path / "work")
    (tmp_path / "data" / "events.parquet").unlink()
    again = open_benchmark("tea", benchmark, tmp_path / "work")
    assert first.split.after.rows() == again.split.after.rows()
    with pytest.raises(DataError, match="is not there"):
        open_benchmark("other", benchmark, tmp_path / "work")


def test_the_command_lists_runs_and_writes(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = CliRunner().invoke(app, ["benchmark", "--list"])
    assert said.exit_code == 0
    assert "movielens1m" in said.output
    assert CliRunner().invoke(app, ["benchmark"]).exit_code == 2
    monkeypatch.setenv("RECSYS_SHARED", str(data))
    monkeypatch.setattr("evaluation.benchmark.command.load_benchmarks", definitions)
    files = [tmp_path / name for name in ("figures.json", "page.md", "reads.csv")]
    options = ["--json", files[0], "--page", files[1], "--reads", files[2]]
    words = ["benchmark", "tea", "--budget", "1s", "--without", "peers", *map(str, options)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "short of its bar" in result.output
    assert all(file.is_file() for file in files)
