"""Data that are split already, and protocols, from the command line."""

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from evaluation.cli import app
from recsys.backtest.rows import Row, read_figures
from tests.small_shop import shop_dataset

CONFIG = """
[models.taste]
embedding_size = 8
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def bought() -> pl.DataFrame:
    events = shop_dataset().events.collect()
    return events.filter(pl.col("event_type") == "purchase")


def run(folder: Path, *options: str | Path) -> tuple[str, tuple[Row, ...]]:
    figures = folder / "figures.json"
    words = ["run", "--no-choose", *map(str, options), "--k", "5", "--json", str(figures)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return result.output, read_figures(figures)


def test_pairs_that_somebody_has_split(tmp_path: Path, small: Path, bought: pl.DataFrame) -> None:
    pairs = bought.select("customer_id", "item_id").unique().sort("customer_id", "item_id")
    held = pl.int_range(pl.len()) % 5 == 0
    pairs.filter(~held).write_csv(tmp_path / "train.csv")
    pairs.filter(held).write_csv(tmp_path / "test.csv")
    parts = ("--train", tmp_path / "train.csv", "--test", tmp_path / "test.csv")
    said, rows = run(tmp_path, *parts, "--config", small)
    assert "pre-split (pairs mask=bought)" in said
    assert {row.placement for row in rows} == {"discover"}
    assert {row.dataset for row in rows} == {tmp_path.name}
    _, rows = run(tmp_path, *parts, "--config", small, "--mask", "none", "--dataset-name", "tea")
    assert {row.placement for row in rows} == {"for_you"}
    assert {row.dataset for row in rows} == {"tea"}
    _, rows = run(tmp_path, *parts, "--config", small, "--placements", "for_you,discover")
    assert {row.placement for row in rows} == {"for_you", "discover"}


def test_one_file_with_a_split_column(tmp_path: Path, small: Path, bought: pl.DataFrame) -> None:
    first = pl.col("customer_id").rank("dense") % 3 == 0
    file = tmp_path / "shop.parquet"
    bought.select(
        "customer_id",
        "item_id",
        basket_no=pl.col("event_time").rank("dense").over("customer_id"),
        split=pl.when(first).then(pl.lit("test")).otherwise(pl.lit("train")),
    ).write_parquet(file)
    _, rows = run(tmp_path, "--train", file, "--test", file, "--config", small)
    assert {(row.dataset, row.variant) for row in rows} == {("shop", "baskets mask=none")}
    assert {row.customers for row in rows if row.metric == "recall"} >= {20}
    named = (f"{file}::split=train", f"{file}::split=test")
    _, again = run(tmp_path, "--train", named[0], "--test", named[1], "--config", small)
    assert [row.value for row in again] == [row.value for row in rows]


@pytest.mark.parametrize(
    ("protocol", "placement"),
    [("leave-last-one", "discover"), ("next-basket", "for_you"), ("random", "discover")],
)
def test_a_file_that_nobody_has_split(
    tmp_path: Path, small: Path, bought: pl.DataFrame, protocol: str, placement: str
) -> None:
    file = tmp_path / "log.csv"
    bought.select("customer_id", "item_id", "event_type", "event_time").write_csv(file)
    said, rows = run(tmp_path, "--data", file, "--protocol", protocol, "--config", small)
    assert f"{protocol} (events" in said
    assert {(row.protocol, row.placement) for row in rows} == {(protocol, placement)}


def test_several_cut_offs_and_their_mean(
    tmp_path: Path, small: Path, bought: pl.DataFrame
) -> None:
    file = tmp_path / "log.parquet"
    bought.select("customer_id", "item_id", "event_time").write_parquet(file)
    words = ("--data", file, "--protocol", "rolling-origin", "--test-days", "14", "--folds", "2")
    said, rows = run(tmp_path, *words, "--config", small, "--placements", "for_you")
    assert said.count("Cut at") == 2
    assert "at each cut-off" in said
    assert [row.variant for row in rows][-1] == "mean of 2 cut-offs"
    assert len({row.variant for row in rows}) == 3


def test_a_wrong_row_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("customer_id,item_id\nann,tea\n")
    (tmp_path / "test.csv").write_text("customer_id,item_id\nann,\n")
    words = ["run", "--train", str(tmp_path / "train.csv"), "--test", str(tmp_path / "test.csv")]
    result = CliRunner().invoke(app, words)
    assert str(result.exception).endswith("test.csv: row 1: item_id: is empty: ''")
