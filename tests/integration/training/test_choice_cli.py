"""`training run` chooses, writes down what it chose, and publishes it."""

import json
import re

import pytest

from recsys.assembly import load_recommender
from recsys.bundle import current, read_manifest
from recsys.fitting.config import load_config
from recsys.pipeline.query import Query
from tests.integration.training.commands import training
from tests.shop_folder import write_shop
from tests.small_shop import END, shop_dataset

MENU = """
[families.repurchase]
kind = "repurchase"
variants = [{ kind = "repurchase" }, { kind = "repurchase", half_life_days = 30 }]

[families.popular]
kind = "popular"
role = "both"
variants = [{ kind = "popularity" }, { kind = "popularity", half_life_days = "none" }]

[families.alike]
kind = "neighbours"
variants = [{ kind = "item-item" }]

[ranker]
horizon_days = 15
cut_offs = 2
trees = 10
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_shop(shop_dataset(), tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def menu(tmp_path_factory):
    file = tmp_path_factory.mktemp("menu") / "menu.toml"
    file.write_text(MENU)
    return file


def test_what_is_chosen_is_told_kept_and_served(data, menu, tmp_path):
    root, saved = tmp_path / "bundles", tmp_path / "new folder" / "chosen.toml"
    common = ("run", "--data", data, "--bundles", root)
    told = training(*common, "--menu", menu, "--budget", "10m", "--save-config", saved)
    for words in (
        "for_you: chosen on 51 customers",
        "discover: chosen on",
        "the nearest alternatives",
        "rank with trees",
        "A part must bring 0.1%",
        "is current",
    ):
        assert words in re.sub(r"\s+", " ", told), told
    manifest = read_manifest(current(root))
    choice = manifest.metrics["choice"]
    assert choice["placements"]["for_you"]["customers"] == 51
    assert set(choice["rankers"]) == {"for_you", "discover"}
    used = {name for name, trial in choice["rankers"].items() if trial["used"]}
    assert set(manifest.features) == used
    config = load_config(saved)
    assert json.loads(json.dumps(config.model_dump(mode="json"))) == manifest.config
    recommender = load_recommender(current(root))
    query = Query("for_you", int(END.timestamp()), "customer-01", limit=5)
    [first] = recommender.recommend([query])
    assert len(first.items) == 5

    # The saved configuration, fitted as it is, is the very same bundle.
    told = training(*common, "--config", saved)
    assert "chosen on" not in told
    again = read_manifest(current(root))
    assert again.digest == manifest.digest
    assert "choice" not in again.metrics


def test_without_a_choice_the_default_is_fitted(data, tmp_path):
    root = tmp_path / "bundles"
    told = training("run", "--data", data, "--bundles", root, "--no-choose")
    assert "chosen" not in told
    assert read_manifest(current(root)).config == load_config().model_dump(mode="json")


def test_a_configuration_can_be_the_start_of_a_choice(data, menu, tmp_path):
    root, mine = tmp_path / "bundles", tmp_path / "mine.toml"
    mine.write_text('[placements.for_you]\nfill = ["popular"]\n')
    told = training(
        *("run", "--data", data, "--bundles", root, "--config", mine, "--choose"),
        *("--menu", menu, "--budget", "1s"),
    )
    assert "for_you: chosen on" in told
    assert read_manifest(current(root)).config["placements"]["for_you"]["fill"] == ["popular"]


def test_mistakes_end_before_anything_is_fitted(data, menu, tmp_path):
    root = tmp_path / "bundles"
    common = ("run", "--data", data, "--bundles", root)
    assert "is not a time such as" in training(*common, "--budget", "soon", ok=False)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(menu.read_text().replace("item-item", "itemitem"))
    said = training(*common, "--menu", wrong, ok=False)
    assert "wrong.toml" in said
    assert "itemitem" in said
    assert "no such file" in training(*common, "--menu", tmp_path / "none.toml", ok=False)
    assert not root.exists()
