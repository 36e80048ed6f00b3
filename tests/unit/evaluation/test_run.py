"""The command, from a prepared folder to tables and a file of figures."""

import runpy
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from evaluation import subjects
from evaluation.cli import app
from recsys.assembly import FitConfig
from recsys.backtest.baselines import baselines
from recsys.backtest.measures import METRICS
from recsys.backtest.rows import Row, read_figures
from recsys.bundle import activate
from recsys.data.dataset import CUSTOMERS_FILE, EVENTS_FILE, ITEMS_FILE, Dataset
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit, write_fitted
from recsys.protocols.truth import PROTOCOLS

CUTOFF = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def prepared(shop: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    shop.events.collect().write_parquet(folder / EVENTS_FILE)
    shop.items.write_parquet(folder / ITEMS_FILE)
    shop.customers.write_parquet(folder / CUSTOMERS_FILE)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration that fits quickly."""
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text("[models.taste]\nembedding_size = 8\n")
    return path


@pytest.fixture(scope="module")
def past_bundles(
    shop: Dataset, shop_config: FitConfig, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A bundle root whose current bundle knows nothing from the cutoff on."""
    root = tmp_path_factory.mktemp("bundles")
    fitted = fit(shop.before(CUTOFF), shop_config, end_time=CUTOFF)
    activate(root, write_fitted(fitted, root, now=CUTOFF).name)
    return root


@dataclass(frozen=True)
class Outcome:
    code: object
    out: str
    err: str


@pytest.fixture
def as_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Runs the program as the shell would."""

    def call(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["evaluation", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            runpy.run_module("evaluation", run_name="__main__")
        return Outcome(stopped.value.code, *capsys.readouterr())

    return call


def evaluate(*options: str | Path) -> str:
    """Runs the command to its end, without a choice, and returns what it printed."""
    result = CliRunner().invoke(app, ["run", "--no-choose", *map(str, options)])
    assert result.exit_code == 0, result.output
    return result.output


def figures(folder: Path, *options: str | Path) -> tuple[Row, ...]:
    """Runs the command and returns the figures that it wrote."""
    evaluate(*options, "--json", folder / "figures.json")
    return read_figures(folder / "figures.json")


def test_every_placement_is_measured_beside_the_baselines(
    prepared: Path, small: Path, tmp_path: Path
) -> None:
    rows = figures(
        tmp_path, "--data", prepared, "--config", small, "--cutoff", "2026-03-01", "--k", "3,5"
    )
    measured = {(row.configuration, row.placement) for row in rows}
    for placement in PROTOCOLS:
        assert ("default", placement) in measured
        assert ("popularity", placement) in measured
    for name, config in baselines().items():
        assert {place for who, place in measured if who == name} == set(config.placements)
        assert {place for who, place in measured if who == f"default-minus-{name}"} == set(
            config.placements
        )
    assert {row.k for row in rows} == {3, 5}
    assert {(row.dataset, row.variant) for row in rows} == {(prepared.name, "cutoff=2026-03-01")}


def test_own_frequency_beats_popularity_where_people_repeat(
    prepared: Path, small: Path, tmp_path: Path
) -> None:
    rows = figures(
        tmp_path, "--data", prepared, "--config", small, "--placements", "for_you", "--k", "5"
    )
    ndcg = {row.configuration: row for row in rows if row.metric == "ndcg" and row.slice == "all"}
    assert ndcg["default"].value > ndcg["popularity"].value
    low = ndcg["default-minus-popularity"].low
    assert low is not None
    assert low > 0
    assert ndcg["personal-frequency"].value > ndcg["popularity"].value


def test_the_tables_show_ours_first_and_say_what_the_marks_mean(
    prepared: Path, small: Path
) -> None:
    options = ("--data", prepared, "--config", small, "--placements", "for_you,popular")
    printed = evaluate(*options, "--k", "2,5", "--slices", "--dataset-name", "tea")
    assert "Cut at 2026-03-04 00:00 UTC" in printed
    assert "for_you: 5" in printed
    assert "popular: 5" in printed
    assert "ndcg@5" in printed
    assert "ndcg@2" not in printed
    assert "by slice" in printed
    assert "▼" in printed
    assert "peak MiB" in printed
    assert printed.index("default") < printed.index("popularity")
    assert "ndcg@2" in evaluate(*options, "--k", "2,5", "--every-k")


def test_every_metric_is_printed_when_asked_for(prepared: Path, small: Path) -> None:
    options = ("--data", prepared, "--config", small, "--placements", "for_you", "--k", "5")
    assert "serendipity@5" not in evaluate(*options)
    printed = evaluate(*options, "--all-metrics")
    for metric in METRICS:
        # A long name takes two lines.
        assert all(part in printed for part in f"{metric}@5".rsplit("_", 1)), metric


def test_a_bundle_is_judged_on_what_came_after_it(
    prepared: Path, past_bundles: Path, tmp_path: Path
) -> None:
    (bundle,) = (path for path in past_bundles.iterdir() if path.is_dir())
    options = ("--data", prepared, "--placements", "for_you", "--k", "5")
    of_root = figures(tmp_path, *options, "--bundle", past_bundles)
    of_bundle = figures(tmp_path, *options, "--bundle", bundle)
    timeless = {"seconds": None, "peak_mb": None}
    assert [row.model_copy(update=timeless) for row in of_root] == [
        row.model_copy(update=timeless) for row in of_bundle
    ]
    assert {row.variant for row in of_root} == {"cutoff=2026-03-01"}
    assert {row.configuration for row in of_root} >= {"default", "popularity"}


def test_the_same_seed_gives_the_same_figures(
    prepared: Path, past_bundles: Path, tmp_path: Path
) -> None:
    options = ("--data", prepared, "--bundle", past_bundles, "--placements", "bought_together")
    one, two, other = (
        [(row.value, row.low, row.high) for row in figures(tmp_path, *options, "--seed", seed)]
        for seed in ("1", "1", "2")
    )
    assert one == two
    assert one != other


def test_rare_items_and_times_of_day_stand_in_the_variant(
    prepared: Path, small: Path, tmp_path: Path
) -> None:
    rows = figures(
        tmp_path,
        *("--data", prepared, "--config", small, "--placements", "popular", "--k", "5"),
        *("--cutoff", "2026-03-01T12:30:00", "--min-item-events", "3"),
    )
    assert {row.variant for row in rows} == {"cutoff=2026-03-01T12:30:00Z min_item_events=3"}


def test_a_bundle_that_has_seen_everything_cannot_be_judged(
    prepared: Path, bundle_root: Path, as_program: Callable[..., Outcome]
) -> None:
    done = as_program("run", "--data", prepared, "--bundle", bundle_root)
    assert done.code == 1
    assert "hold no later event" in done.err
    assert "--config FILE --test-days 28" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--k", "0"], "numbers from 1"),
        (["--k", "5,ten"], "numbers from 1"),
        (["--k", ""], "numbers from 1"),
        (["--k", "501"], "numbers from 1 to 500"),
        (["--placements", "homepage"], "not one of"),
        (["--test-days", "0"], "test-days"),
        (["--cutoff", "yesterday"], "cutoff"),
        (["--cutoff", "2026-03-01", "--test-days", "3"], "either"),
        (["--bundle", "x", "--test-days", "3"], "leave out"),
        (["--protocol", "holdout"], "temporal"),
        (["--train", "a.csv"], "either --data or --train"),
        (["--folds", "3"], "--folds goes with --protocol rolling-origin"),
        (["--protocol", "rolling-origin", "--cutoff", "2026-03-01"], "leave out --cutoff"),
        (["--bundle", "x", "--protocol", "next-basket"], "no other --protocol"),
        (["--mask", "everything"], "none"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(options: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["run", "--data", "nowhere", *options])
    assert result.exit_code == 2
    assert said in result.output


@pytest.fixture
def single_items(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop without baskets, and a default configuration without the placement `popular`."""
    for name in (ITEMS_FILE, CUSTOMERS_FILE):
        (tmp_path / name).write_bytes((prepared / name).read_bytes())
    events = pl.read_parquet(prepared / EVENTS_FILE)
    alone = events.with_columns(basket_id=pl.col("event_id"))
    alone.write_parquet(tmp_path / EVENTS_FILE)
    config = load_config().model_dump(mode="json")
    del config["placements"]["popular"]
    monkeypatch.setattr(subjects, "load_config", lambda _: FitConfig.model_validate(config))
    return tmp_path


def test_what_cannot_be_measured_is_left_out_and_said(
    single_items: Path, as_program: Callable[..., Outcome]
) -> None:
    done = as_program("run", "--no-choose", "--data", single_items, "--k", "5")
    assert done.code == 0
    assert "left out: bought_together: no customer has a right answer" in done.out
    assert "for_you: " in done.out
    assert "popular: " not in done.out


@pytest.mark.parametrize(
    ("asked", "said"),
    [("popular", "no placement 'popular'"), ("bought_together", "no customer has a right answer")],
)
def test_what_was_asked_for_and_cannot_be_measured_is_an_error(
    single_items: Path, as_program: Callable[..., Outcome], asked: str, said: str
) -> None:
    done = as_program("run", "--no-choose", "--data", single_items, "--placements", asked)
    assert done.code == 1
    assert said in done.err


def test_nothing_prepared_says_how_to_prepare(as_program: Callable[..., Outcome]) -> None:
    done = as_program("run", "--data", "nowhere")
    assert done.code == 1
    assert "recsys prepare" in done.err


def test_the_program_says_where_to_read_more(as_program: Callable[..., Outcome]) -> None:
    done = as_program("--help")
    assert done.code == 0
    assert "docs/evaluation.md" in done.out


def test_help_names_every_option() -> None:
    result = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "100"})
    assert result.exit_code == 0
    for option in ("--data", "--bundle", "--cutoff", "--min-item-events", "--slices", "--json"):
        assert option in result.output
