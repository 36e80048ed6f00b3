"""The verb `forecasts`, from a prepared data set to a table."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evaluation.cli import app
from recsys.data.dataset import Dataset
from tests.shop_folder import write_shop


@pytest.fixture(scope="module")
def prepared(shop: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shop(shop, tmp_path_factory.mktemp("shop"))


def test_figures_are_printed_and_written(prepared: Path, tmp_path: Path) -> None:
    file = tmp_path / "new" / "told.json"
    words = ["forecasts", "--data", str(prepared), "--cutoff", "2026-03-01", "--limit", "5"]
    result = CliRunner().invoke(app, [*words, "--json", str(file)])
    assert result.exit_code == 0, result.output
    assert "told at 2026-03-01 00:00 UTC" in result.output
    told = json.loads(file.read_text())
    assert [(row["which"], row["days"]) for row in told] == [
        (which, days) for which in ("all", "shown") for days in (7, 14, 28)
    ]
    for row in told:
        assert row["pairs"] == sum(row["bins"]["rows"]) > 0
        assert 0 < row["expected"] < 1


def test_one_cut_is_enough(prepared: Path) -> None:
    words = ["--cutoff", "2026-03-01", "--test-days", "7"]
    result = CliRunner().invoke(app, ["forecasts", "--data", str(prepared), *words])
    assert result.exit_code == 2
    assert "either --cutoff or" in result.output
