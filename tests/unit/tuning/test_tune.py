"""Tuning on the small shop: a study of a few settings that takes seconds."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recsys.backtest.significance import Interval
from recsys.choice.gather import Variant
from recsys.choice.menu import Menu
from recsys.choice.second_stage import Trial
from recsys.config import validated
from recsys.errors import ConfigError, DataError
from recsys.fitting.config import load_config
from recsys.models.item_item import ItemItem
from recsys.pipeline.recommender import Recommender
from recsys.protocols.mask import Mask
from recsys.protocols.temporal import latest, temporal
from recsys.tuning import models, rankers
from recsys.tuning.bench import Bench
from recsys.tuning.job import Job, News
from recsys.tuning.spaces import Spaces, load_spaces
from recsys.tuning.tune import tune
from recsys.tuning.verdict import Tuned
from tests.small_shop import START, shop_dataset
from tests.unit.choice.menus import SMALL

pytestmark = pytest.mark.extra(name="tune")
PLENTY = 600.0
ALS = {"kind": "als", "embedding_size": 4}
TASTE = validated(
    Menu, {"families": {"taste": {"kind": "vectors", "variants": [ALS]}}}, where="test"
)
SIZES = validated(
    Spaces, {"models": {"als": {"embedding_size": {"low": 4, "high": 6}}}}, where="test"
)


def job(**changes: object) -> Job:
    usual = {
        "split": latest(shop_dataset()),
        "base": load_config(),
        "menu": validated(Menu, SMALL, where="test"),
        "spaces": load_spaces(),
        "placements": ("for_you",),
    }
    return Job(**{**usual, **changes})


@pytest.fixture(scope="module")
def news() -> list[News]:
    return []


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def tuned(study, news) -> Tuned:
    return tune(job(), study, seconds=PLENTY, trials=6, watch=news.append)


def test_settings_are_tried_and_told(tuned, news, study):
    assert tuned.done == 6
    assert [each.done for each in news] == [1, 2, 3, 4, 5, 6]
    lines = {each.tried.partition(":")[0] for each in news}
    assert {"repurchase/repurchase", "popular/popularity"} <= lines
    figures = [each.best["for_you"] for each in news]
    assert figures == sorted(figures)
    assert all(0 < each.seconds_left <= PLENTY for each in news)
    menu = json.loads((study / "start.json").read_text())["for_you"]["figure"]
    assert figures[0] >= menu


def test_the_verdict_is_of_the_recommender_that_serves(tuned, news, study):
    verdict = tuned.verdicts["for_you"]
    assert verdict.customers == 51
    assert verdict.after == pytest.approx(news[-1].best["for_you"], rel=0.02)
    menu = json.loads((study / "start.json").read_text())["for_you"]["figure"]
    assert verdict.before == pytest.approx(menu, rel=0.02)
    assert verdict.gain.value == pytest.approx(verdict.after - verdict.before)
    assert verdict.gain.low <= verdict.gain.value <= verdict.gain.high


def test_what_is_not_tuned_stays_as_it_was(tuned):
    base = load_config()
    assert tuned.config.placements["for_you"].sources != base.placements["for_you"].sources
    for name in ("discover", "buy_again", "similar_items", "bought_together", "popular"):
        assert tuned.config.placements[name] == base.placements[name]


def test_a_study_that_is_done_says_the_same_again_without_a_fit(tuned, study, monkeypatch):
    """Nothing is fitted but the two configurations of the verdict."""
    fits: list[object] = []
    monkeypatch.setattr("recsys.tuning.bench.Bench.fit", lambda _, variant: fits.append(variant))
    again = tune(job(), study, seconds=PLENTY, trials=6)
    assert fits == []
    assert again == tuned


def test_a_study_in_two_parts_is_the_whole_one(tuned, news, tmp_path):
    heard: list[News] = []
    for trials in (2, 6):
        found = tune(job(), tmp_path, seconds=PLENTY, trials=trials, watch=heard.append)
    assert [each.tried for each in heard] == [each.tried for each in news]
    assert found == tuned


def test_only_what_may_still_be_used_is_kept(tuned, study):
    kept = {folder.name for folder in (study / "columns").iterdir()}
    names = {use.name for use in tuned.config.placements["for_you"].sources}
    assert len(kept) <= 5 + 6
    assert len(names) <= len(kept)


@pytest.mark.usefixtures("tuned")
def test_a_folder_is_of_one_job(study):
    with pytest.raises(ConfigError, match="holds a study with another seed; give another --study"):
        tune(job(seed=1), study, seconds=PLENTY, trials=6)
    with pytest.raises(ConfigError, match="another mask"):
        tune(job(mask=Mask.BOUGHT), study, seconds=PLENTY, trials=6)
    few = validated(Spaces, {}, where="test")
    with pytest.raises(ConfigError, match="another file of ranges"):
        tune(job(spaces=few), study, seconds=PLENTY, trials=6)


def test_without_time_the_menus_first_is_the_result(tmp_path):
    found = tune(job(), tmp_path, seconds=1e-6)
    assert found.done == 0
    assert found.verdicts["for_you"].gain == Interval(0, 0, 0)
    assert found.verdicts["for_you"].after > 0


def test_what_there_was_no_time_for_is_tried_by_the_next_run(tmp_path):
    first = tune(job(), tmp_path, seconds=1e-6)
    assert len(list((tmp_path / "columns").iterdir())) == 1
    heard: list[News] = []
    second = tune(job(), tmp_path, seconds=PLENTY, trials=1, watch=heard.append)
    assert len(list((tmp_path / "columns").iterdir())) >= 5
    assert second.verdicts["for_you"].before == first.verdicts["for_you"].after
    assert second.verdicts["for_you"].gain.value > 0, "more of the menu is better"


def test_what_is_far_below_by_itself_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "FAR_BELOW", 5.0)
    heard: list[News] = []
    found = tune(job(), tmp_path, seconds=PLENTY, trials=3, watch=heard.append)
    assert found.given_up == 3
    assert all(each.tried.endswith("by itself far below the best") for each in heard)
    assert found.verdicts["for_you"].gain.value == 0


def test_what_would_take_too_long_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "LONGEST", 0.0)
    heard: list[News] = []
    tune(job(), tmp_path, seconds=PLENTY, trials=1, watch=heard.append)
    assert "it would take about" in heard[0].tried


def test_with_more_time_it_is_tried_after_all(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "LONGEST", 0.0)
    tune(job(spaces=SIZES, menu=TASTE), tmp_path, seconds=PLENTY, trials=3)
    monkeypatch.setattr(models, "LONGEST", 1.0)
    heard: list[News] = []
    wanted = job(spaces=SIZES, menu=TASTE)
    tune(wanted, tmp_path, seconds=PLENTY, trials=6, watch=heard.append)
    assert heard
    assert not any("it would take" in each.tried for each in heard)


def test_no_setting_is_ever_fitted_twice(tmp_path, monkeypatch):
    fit, fits = Bench.fit, []

    def counted(self: Bench, variant: Variant) -> Recommender:
        fits.append(variant.algorithm)
        return fit(self, variant)

    monkeypatch.setattr(Bench, "fit", counted)
    found = tune(job(spaces=SIZES, menu=TASTE), tmp_path, seconds=PLENTY, trials=8)
    assert found.done == 8
    sizes = [algorithm.embedding_size for algorithm in fits]
    assert sorted(sizes) == sorted(set(sizes))
    assert set(sizes) <= {4, 5, 6}
    assert found.verdicts["for_you"].after > 0


def test_what_cannot_be_fitted_is_left_alone(tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        message = "the solver ran out of memory"
        raise DataError(message)

    monkeypatch.setattr(ItemItem, "fit", broken)
    heard: list[News] = []
    wanted = job(placements=("discover",))
    found = tune(wanted, tmp_path, seconds=PLENTY, trials=4, watch=heard.append)
    assert found.done == 4
    assert not any("alike" in each.tried for each in heard)


def test_a_setting_that_cannot_be_fitted_closes_its_line(tmp_path, monkeypatch):
    fit = ItemItem.fit

    def picky(self: ItemItem, data: object) -> object:
        if self.shrinkage:
            message = "no such shrinkage"
            raise DataError(message)
        return fit(self, data)

    monkeypatch.setattr(ItemItem, "fit", picky)
    only = {"alike": SMALL["families"]["alike"], "popular": SMALL["families"]["popular"]}
    menu = validated(Menu, {"families": only}, where="test")
    heard: list[News] = []
    wanted = job(menu=menu, placements=("discover",))
    tune(wanted, tmp_path, seconds=PLENTY, trials=5, watch=heard.append)
    failed = [each.tried for each in heard if "no such shrinkage" in each.tried]
    assert len(failed) == 1


def test_nothing_that_finds_anything_is_a_data_error(tmp_path):
    wide = {**SMALL["families"]["alike"], "least_items": 1_000}
    menu = validated(Menu, {"families": {"alike": wide}}, where="test")
    with pytest.raises(DataError, match="no model on the menu finds anything right"):
        tune(job(menu=menu), tmp_path, seconds=PLENTY)


def test_a_ranker_is_tried_last_and_used_only_where_it_surely_wins(tmp_path, monkeypatch):
    """What people of the small shop choose is drawn: trees have nothing to learn there."""
    ranker = {"horizon_days": 15, "trees": 40, "cut_offs": 2, "customers": 100}
    menu = validated(Menu, {**SMALL, "ranker": ranker}, where="test")
    heard: list[News] = []
    found = tune(job(menu=menu), tmp_path, seconds=PLENTY, trials=4, watch=heard.append)
    assert [each.tried.partition(":")[0] for each in heard][3] == "ranker"
    assert "trees 40" in heard[3].tried, "the menu's own comes first"
    assert found.config.placements["for_you"].ranker is None

    sure = {"for_you": Trial(0.2, Interval(0.02, 0.01, 0.03))}
    monkeypatch.setattr(rankers, "try_rankers", lambda *_, **__: sure)
    again = tune(job(menu=menu), tmp_path, seconds=PLENTY, trials=7, watch=heard.append)
    used = again.config.placements["for_you"].ranker
    assert used is not None
    assert used.horizon_days == 15


def test_a_ranker_without_rows_is_given_up_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(rankers, "try_rankers", lambda *_, **__: {})
    menu = validated(Menu, {**SMALL, "ranker": {}}, where="test")
    heard: list[News] = []
    found = tune(job(menu=menu), tmp_path, seconds=PLENTY, trials=8, watch=heard.append)
    assert [each.tried for each in heard if "ranker" in each.tried] == [heard[-1].tried]
    assert heard[-1].tried.endswith("no past cut-off has rows to learn from")
    assert found.done == 7


def test_what_is_measured_later_never_matters(tmp_path):
    """Events after the inner split's end are other ones: the tuned configuration is the same."""
    moment = START.replace(month=3, day=10)
    found = []
    for seed in (1, 2):
        random = np.random.default_rng(seed)
        shop = shop_dataset()
        events = shop.events.collect()
        late = events.select(pl.col("event_time") >= moment).to_series()
        drawn = pl.Series(random.choice(shop.items["item_id"].to_numpy(), size=len(events)))
        other = events.with_columns(item_id=pl.when(late).then(drawn).otherwise("item_id"))
        held = temporal(replace(shop, events=other.lazy()), cutoff=moment)
        folder = tmp_path / str(seed)
        wanted = job(split=held.inner(held.split))
        found.append(tune(wanted, folder, seconds=PLENTY, trials=2))
    assert found[0] == found[1]
