"""The verb `compare`, from a prepared folder to tables, figures and a list of customers."""

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from evaluation.cli import app
from evaluation.configurations import configurations
from recsys.backtest.rows import read_figures
from recsys.data.dataset import Dataset
from recsys.errors import ConfigError
from tests.shop_folder import write_shop

TWO = ("--config", "popularity", "--config", "personal-frequency")


@pytest.fixture(scope="module")
def prepared(shop: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shop(shop, tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text("[models.taste]\nembedding_size = 8\n")
    return path


def compare(*options: str | Path) -> str:
    result = CliRunner().invoke(app, ["compare", *map(str, options)], env={"COLUMNS": "100"})
    assert result.exit_code == 0, result.output
    return result.output


def test_every_two_are_compared_and_files_are_named_after_their_stem(
    prepared: Path, mine: Path, tmp_path: Path
) -> None:
    figures, customers = tmp_path / "out" / "figures.json", tmp_path / "new" / "who.csv"
    printed = compare(
        *("--data", prepared, "--config", mine, *TWO, "--placements", "for_you,discover"),
        *("--k", "3,5", "--min-customers", "5", "--json", figures, "--customers", customers),
    )
    rows = read_figures(figures)
    names = {row.configuration for row in rows if row.placement == "for_you"}
    assert names == {
        *("mine", "popularity", "personal-frequency"),
        *("mine-minus-popularity", "mine-minus-personal-frequency"),
        "popularity-minus-personal-frequency",
    }
    assert {row.slice for row in rows} >= {"all", "region=north", "volume=heavy"}
    tested = [row for row in rows if row.p_holm is not None]
    assert {(row.metric, row.k) for row in tested} == {("ndcg", 5)}
    worse = [row for row in tested if row.configuration == "mine-minus-popularity"]
    assert next(row for row in worse if row.slice == "all").p_holm <= 0.05
    assert "for_you: ndcg@5, every two configurations" in printed
    assert "slices: mine minus popularity" in printed
    assert "more than luck" in printed
    assert "most to gain or lose" in printed
    # `personal-frequency` has no `discover`: two are left.
    assert "discover: ndcg@5, every two configurations" in printed
    table = pl.read_csv(customers)
    assert set(table["placement"]) == {"for_you", "discover"}
    of_you = table.filter(placement="for_you")
    assert of_you["customer_id"].n_unique() == len(of_you)
    leads = of_you["mine"] - of_you["popularity"]
    assert leads.to_list() == pytest.approx(of_you["mine-minus-popularity"].to_list())


def test_the_metric_and_the_slices_can_be_chosen(prepared: Path) -> None:
    options = ("--data", prepared, *TWO, "--placements", "for_you", "--k", "5")
    printed = compare(*options, "--metric", "recall", "--slices", "--min-customers", "5")
    assert "for_you: recall@5, every two configurations" in printed
    assert "by slice" in printed
    assert "region=north" in printed
    assert "by slice" not in compare(*options)


def test_a_placement_that_only_one_has_is_shown_without_tests(prepared: Path) -> None:
    printed = compare("--data", prepared, *TWO, "--placements", "popular", "--k", "5")
    assert "popular: 5" in printed
    assert "every two" not in printed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--config", "default"], "two or more"),
        (["--config", "default", "--config", "default"], "two configurations are named"),
        (["--config", "default", "--config", "popularity", "--metric", "fun"], "not one of"),
        (["--config", "default", "--config", "popularity", "--k", "0"], "numbers from 1"),
        (["--config", "default", "--config", "popularity", "--protocol", "rolling-origin"], "one"),
        ([], "config"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(options: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["compare", "--data", "nowhere", *options])
    assert result.exit_code == 2
    assert said in result.output


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: there is no such file"):
        configurations(["default", "gone.toml"])


@pytest.mark.extra(name="report")
def test_data_that_somebody_else_has_split_are_compared_too(tmp_path: Path) -> None:
    """Everybody has two of three items in train and the third in test."""
    items = ["tea", "milk", "jam"]
    rows = [(f"c{n}", items[(n + shift) % 3], shift) for n in range(30) for shift in range(3)]
    table = pl.DataFrame(rows, schema=["customer_id", "item_id", "shift"], orient="row")
    for name, kept in (("train", pl.col("shift") < 2), ("test", pl.col("shift") == 2)):
        table.filter(kept).drop("shift").write_parquet(tmp_path / f"{name}.parquet")
    report = tmp_path / "report.html"
    printed = compare(
        *("--train", tmp_path / "train.parquet", "--test", tmp_path / "test.parquet"),
        *(*TWO, "--k", "1,2", "--report", report, "--placements", "for_you"),
    )
    assert "for_you: ndcg@2, every two configurations" in printed
    assert "popularity reaches ndcg@2" in report.read_text(encoding="utf-8")
