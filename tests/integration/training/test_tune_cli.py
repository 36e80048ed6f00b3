"""`training tune` from the command line: to a file that can be fitted, through a kill."""

import subprocess
import sys

import pytest

from recsys.bundle import current
from recsys.fitting.config import load_config
from tests.integration.training.commands import training
from tests.integration.training.test_choice_cli import MENU
from tests.shop_folder import write_shop
from tests.small_shop import shop_dataset

pytestmark = pytest.mark.extra(name="tune")
TRIALS = 4


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_shop(shop_dataset(), tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def menu(tmp_path_factory):
    file = tmp_path_factory.mktemp("menu") / "menu.toml"
    file.write_text(MENU)
    return file


@pytest.fixture(scope="module")
def words(data, menu):
    def words(folder) -> list[str]:
        common = ("tune", "--data", data, "--menu", menu, "--trials", TRIALS, "--budget", "10m")
        places = ("--study", folder, "--out", f"{folder}.toml")
        return [str(word) for word in (*common, *places)]

    return words


@pytest.fixture(scope="module")
def whole(words, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "study"
    return folder, training(*words(folder))


def settings(told: str) -> list[str]:
    return [line.partition(" (best")[0] for line in told.splitlines() if "(best: " in line]


def test_a_study_writes_a_configuration_that_can_be_fitted(whole, data, tmp_path):
    folder, told = whole
    assert len(settings(told)) == TRIALS
    for said in (
        "Tuned on 51 customers",
        "ndcg@20",
        "4 settings tried",
        "optimistic",
        "--test-days",
    ):
        assert said in " ".join(told.split()), told
    file = folder.with_suffix(".toml")
    lines = file.read_text().splitlines()
    assert lines[0].startswith("# Made by recsys ")
    assert "recsys tune --data" in lines[1]
    assert lines[2].startswith("# Settings tried: 4")
    assert any(line.startswith("#   for_you: ndcg@20 0.") for line in lines)
    assert load_config(file).placements.keys() == load_config().placements.keys()
    training("run", "--data", data, "--bundles", tmp_path, "--config", file)
    assert current(tmp_path)


def test_a_killed_study_loses_one_setting_at_most(whole, words, tmp_path):
    folder = tmp_path / "study"
    command = [sys.executable, "-m", "training", *words(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        before: list[str] = []
        for line in process.stdout or ():
            before += settings(line)
            if len(before) == 2:
                break
        process.kill()
    after = settings(training(*words(folder)))
    # The kill may come when a third is written down already, and not told any more.
    assert len(after) in {1, 2}
    assert before + settings(whole[1])[2 : TRIALS - len(after)] + after == settings(whole[1])
    ours, other = (load_config(each.with_suffix(".toml")) for each in (folder, whole[0]))
    assert ours == other


def test_data_that_are_split_already_are_tuned_inside_train(tmp_path, menu):
    for part, first, last in (("train", 0, 6), ("test", 6, 9)):
        items = range(first, last)
        pairs = [f"c{who},i{who % 2 * 10 + item}" for who in range(60) for item in items]
        (tmp_path / f"{part}.csv").write_text("\n".join(["customer_id,item_id", *pairs]))
    told = training(
        *("tune", "--train", tmp_path / "train.csv", "--test", tmp_path / "test.csv"),
        *("--menu", menu, "--study", tmp_path / "study", "--out", tmp_path / "out.toml"),
        *("--trials", 1),
    )
    assert len(settings(told)) == 1
    assert "discover" in told
    assert "for_you" not in told
    assert "--test-days" not in told


def test_mistakes_end_before_anything_is_fitted(words, tmp_path):
    common = words(tmp_path / "study")
    assert "'home' is not one of" in training(*common, "--placements", "home", ok=False)
    config = tmp_path / "mine.toml"
    config.write_text('extends = "nothing"\n[models]\n[sources]\n[placements]\n')
    said = training(*common, "--config", config, "--placements", "for_you", ok=False)
    assert "the configuration has no 'for_you'" in said
    rolling = training(*common, "--protocol", "rolling-origin", "--test-days", 10, ok=False)
    assert "several cut-offs" in rolling
    assert "is not a time" in training(*common, "--budget", "soon", ok=False)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("customer_id,item_id\na,b\n")
    said = training(
        *("tune", "--data", pairs, "--study", tmp_path / "s", "--out", tmp_path / "o"), ok=False
    )
    assert "no times to split by" in said
    assert not (tmp_path / "study").exists()
