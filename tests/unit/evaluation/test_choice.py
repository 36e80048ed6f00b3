"""`evaluation run` chooses a configuration unless one is given."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from evaluation.cli import app
from recsys.backtest.rows import DEFAULT_CONFIGURATION, WHOLE_POPULATION, read_figures
from recsys.data.dataset import Dataset
from recsys.fitting.config import load_config
from tests.shop_folder import write_shop
from tests.small_shop import END, shop_dataset

MENU = """
[families.popular]
kind = "popular"
role = "both"
variants = [{ kind = "popularity" }, { kind = "popularity", half_life_days = "none" }]

[families.repurchase]
kind = "repurchase"
variants = [{ kind = "repurchase" }]

[families.same_customers]
kind = "neighbours"
variants = [{ kind = "item-item" }]
"""


@pytest.fixture
def menu(tmp_path: Path) -> Path:
    file = tmp_path / "menu.toml"
    file.write_text(MENU, encoding="utf-8")
    return file


def shop(folder: Path, name: str, dataset: Dataset) -> Path:
    (folder / name).mkdir()
    return write_shop(dataset, folder / name)


def call(*options: str | Path) -> str:
    result = CliRunner().invoke(app, ["run", *map(str, options)])
    assert result.exit_code == 0, result.output
    return result.output


def test_what_is_chosen_is_shown_measured_and_written(tmp_path: Path, menu: Path) -> None:
    written, figures = tmp_path / "chosen.toml", tmp_path / "figures.json"
    data = shop(tmp_path, "data", shop_dataset())
    common = ("--data", data, "--placements", "for_you", "--k", "10")
    said = call(
        *common, "--menu", menu, "--budget", "5s", "--save-config", written, "--json", figures
    )
    assert "for_you: chosen on" in said
    assert "the nearest alternatives" in said
    chosen = load_config(written)
    assert chosen.placements["for_you"].sources
    rest = {name: made for name, made in load_config().placements.items() if name != "for_you"}
    kept = {name: made for name, made in chosen.placements.items() if name != "for_you"}
    assert kept == rest, "a bundle trained with the file lacks no placement"
    again = tmp_path / "again.json"
    call(*common, "--config", written, "--json", again)
    ours = [
        {
            (row.metric, row.k): row.value
            for row in read_figures(file)
            if row.configuration == DEFAULT_CONFIGURATION and row.slice == WHOLE_POPULATION
        }
        for file in (figures, again)
    ]
    assert ours[0]
    assert ours[0] == ours[1], "the written configuration is the one that was measured"


def test_a_choice_sees_nothing_of_the_test_side(tmp_path: Path, menu: Path) -> None:
    """The same choice, whatever was bought after the cutoff."""
    whole = shop_dataset()
    cutoff = END - timedelta(days=14)
    later = whole.events.filter(pl.col("event_time") >= cutoff).collect()
    others = later.with_columns(item_id=pl.col("item_id").shuffle(seed=3))
    changed = replace(
        whole, events=pl.concat([whole.before(cutoff).events.collect(), others]).lazy()
    )
    texts = []
    for name, dataset in (("as-it-was", whole), ("changed", changed)):
        written = tmp_path / f"{name}.toml"
        call(
            *("--data", shop(tmp_path, name, dataset), "--cutoff", f"{cutoff:%Y-%m-%d}"),
            *("--placements", "for_you", "--menu", menu, "--budget", "5s"),
            *("--save-config", written),
        )
        texts.append(written.read_text("utf-8"))
    assert texts[0] == texts[1]
