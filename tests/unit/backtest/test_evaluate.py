from pathlib import Path

import pytest

from recsys.backtest.baselines import baselines
from recsys.backtest.evaluate import evaluate
from recsys.errors import ConfigError
from recsys.fitting.config import load_config
from recsys.protocols.mask import Mask
from recsys.protocols.presplit import read_holdout
from recsys.protocols.temporal import rolling_origin
from tests.small_shop import shop_dataset

CUSTOMERS = 30


def files(folder: Path) -> tuple[Path, Path]:
    """Two tastes: everybody bought all items of theirs but one, which the test part holds."""
    train, test = ["customer_id,item_id"], ["customer_id,item_id"]
    for customer in range(CUSTOMERS):
        own = [f"{'tea' if customer % 2 else 'cup'}-{number}" for number in range(6)]
        train += [f"c{customer},{item}" for item in own if item != own[customer % 6]]
        test.append(f"c{customer},{own[customer % 6]}")
    paths = folder / "train.csv", folder / "test.csv"
    for path, lines in zip(paths, (train, test), strict=True):
        path.write_text("\n".join(lines) + "\n")
    return paths


def test_three_lines_of_a_notebook(tmp_path: Path) -> None:
    holdout = read_holdout(*files(tmp_path))
    rows = evaluate(holdout, ks=(1, 3), dataset="tastes")
    assert {row.placement for row in rows} == {"discover"}
    assert {row.protocol for row in rows} == {"pre-split"}
    assert {row.variant for row in rows} == {"pairs mask=bought"}
    assert {row.configuration for row in rows} == {
        "default",
        "popularity",
        "default-minus-popularity",
    }
    (hits,) = [
        row.value for row in rows if (row.configuration, row.metric, row.k) == ("default", "hr", 1)
    ]
    assert hits > 0.9, "one item of their taste is all they lack"


def test_a_mask_of_nothing_asks_for_anything(tmp_path: Path) -> None:
    holdout = read_holdout(*files(tmp_path), mask=Mask.NONE)
    rows = evaluate(holdout, baselines()["personal-frequency"], ks=(5,), baselines=False)
    assert {row.placement for row in rows} == {"for_you"}
    (hits,) = [row.value for row in rows if row.metric == "hr"]
    assert hits == 0, "what they have is all that is shown"


def test_the_mask_reaches_every_contender(tmp_path: Path) -> None:
    holdout = read_holdout(*files(tmp_path), mask=Mask.BOUGHT)
    rows = evaluate(holdout, placements=("for_you",), ks=(5,))
    repeats = {row.configuration: row.value for row in rows if row.metric == "repeat_share"}
    assert repeats.keys() >= {"default", "popularity", "personal-frequency"}
    assert set(repeats.values()) == {0.0}


def test_a_placement_that_the_configuration_lacks_is_refused(tmp_path: Path) -> None:
    config = load_config()
    only = config.model_copy(update={"placements": {"for_you": config.placements["for_you"]}})
    with pytest.raises(ConfigError, match="has no placement 'discover'; it has for_you"):
        evaluate(read_holdout(*files(tmp_path)), only)


def test_several_cut_offs_come_with_their_mean() -> None:
    folds = rolling_origin(shop_dataset(), test_days=14, folds=2)
    rows = evaluate(folds, baselines()["popularity"], placements=("for_you",), ks=(5,))
    variants = list(dict.fromkeys(row.variant for row in rows))
    assert variants == [*(fold.variant for fold in folds), "mean of 2 cut-offs"]
