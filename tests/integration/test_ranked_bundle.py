"""A placement with a ranker: rows to learn from, rows to answer with, and bundles."""

import json
import shutil
from dataclasses import replace
from datetime import datetime, timedelta

import lightgbm
import numpy as np
import pytest

from recsys.assembly import assemble, load_recommender
from recsys.bundle import read_manifest
from recsys.data.splits import known_at
from recsys.errors import BundleError
from recsys.fitting.first_stage import Steps, fit_first_stage
from recsys.fitting.fit import Fitted, fit, write_fitted
from recsys.fitting.rankers import rows_at
from recsys.pipeline import features
from recsys.pipeline.features import item_table, schema_hash
from recsys.pipeline.query import Query, RecentEvent
from recsys.pipeline.ranker import ranker_rows
from recsys.types import EventType
from tests.ranked_shop import large_shop, ranked_config
from tests.small_shop import END

CUT_OFF = END - timedelta(days=30)


@pytest.fixture(scope="module")
def ranked_fit():
    return fit(large_shop(3), ranked_config(), end_time=END)


@pytest.fixture(scope="module")
def path(ranked_fit, tmp_path_factory):
    return write_fitted(ranked_fit, tmp_path_factory.mktemp("bundles"), now=END)


def written_at(dataset, config, moment: datetime, root):
    """Returns the recommender of a bundle made of what was known at a moment, read from disk."""
    first = fit_first_stage(known_at(dataset, moment), config, end_time=moment, steps=Steps())
    fitted = Fitted(first.pipeline, dataset.digest, first.event_count, {}, {}, {})
    return load_recommender(write_fitted(fitted, root, now=moment))


def test_rows_to_learn_from_are_rows_to_answer_with_bit_for_bit(tmp_path):
    dataset, config = large_shop(13), ranked_config(candidates=30)
    now, end = int(CUT_OFF.timestamp()), int(END.timestamp())
    learnt = rows_at(dataset, config, now, end, ["for_you", "discover"])
    loaded = written_at(dataset, config, CUT_OFF, tmp_path)
    table = item_table(loaded.resolver.states, loaded.catalogue)
    compared = 0
    for name, rows in learnt.items():
        ranker = config.placements[name].ranker
        starts = np.concatenate([[0], np.cumsum(rows.sizes)])
        for place, customer_id in enumerate(rows.customer_ids):
            part = slice(starts[place], starts[place + 1])
            query = Query(name, now, customer_id=customer_id, limit=10)
            request, pool, ranked = loaded.first_stage(query)
            best, served = ranker_rows(ranker, request, ranked, pool, table)
            assert loaded.catalogue.items.ids(best.item_nums) == list(rows.item_ids[part])
            assert served.tobytes() == rows.features[part].tobytes()
            compared += 1
    assert compared >= 1_000


def queries(dataset, now: int, count: int) -> list[Query]:
    """Known and unknown customers, with and without events of their own, of all lengths."""
    random = np.random.default_rng(3)
    known = dataset.events.collect()["customer_id"].unique().sort().to_list()
    found = []
    for number in range(count):
        customer = known[int(random.integers(len(known)))] if number % 5 else f"new-{number}"
        kinds = (EventType.PURCHASE, EventType.VIEW)
        events = tuple(
            RecentEvent(f"item-{int(random.integers(48)):02}", kinds[place % 2], now - 60 * place)
            for place in range(int(random.integers(0, 4)))
        )
        placement = ("for_you", "discover")[number % 2]
        limit = int(random.choice([1, 10, 48]))
        found.append(Query(placement, now, customer_id=customer, limit=limit, events=events))
    return found


def test_a_bundle_with_a_ranker_gives_the_lists_that_were_there_in_memory(ranked_fit, path):
    assert set(ranked_fit.pipeline.rankers) == {"for_you", "discover"}
    loaded, memory = load_recommender(path), assemble(ranked_fit.pipeline, "memory")
    assert loaded.item_table.tobytes() == memory.item_table.tobytes()
    asked = queries(large_shop(3), int(END.timestamp()), 200)
    for one, other in zip(loaded.recommend(asked), memory.recommend(asked), strict=True):
        assert one.items == other.items
        assert [item.rank for item in one.items] == list(range(1, len(one.items) + 1))
        scores = [item.score for item in one.items]
        assert scores == sorted(scores, reverse=True)


def test_a_ranker_changes_lists_and_keeps_what_may_be_shown(ranked_fit):
    ranked = assemble(ranked_fit.pipeline, "ranked")
    plain = replace(ranked, rankers={})
    asked = queries(large_shop(3), int(END.timestamp()), 60)
    pairs = list(zip(ranked.recommend(asked), plain.recommend(asked), strict=True))
    assert any(one.items != other.items for one, other in pairs)
    for one, other in pairs:
        assert len(one.items) == len(other.items)
        assert len({item.item_id for item in one.items}) == len(one.items)


def test_the_manifest_says_what_the_ranker_was_fitted_on(ranked_fit, path):
    rankers = ranked_fit.pipeline.rankers
    assert read_manifest(path).features == {
        name: schema_hash(ranker.names) for name, ranker in rankers.items()
    }
    placements = ranked_fit.pipeline.config.placements
    assert rankers["for_you"].names == placements["for_you"].ranker_features()


def test_a_ranker_for_other_features_is_refused(path, monkeypatch):
    monkeypatch.setattr(features, "PAIR_FEATURES", (*features.PAIR_FEATURES, "bought_weekday"))
    with pytest.raises(BundleError, match=r"other features .*\(bought_weekday\); fit a new") as it:
        load_recommender(path)
    assert it.value.metadata["placement"] in {"for_you", "discover"}


def test_a_manifest_with_another_schema_is_refused(path, tmp_path):
    copy = copied(path, tmp_path)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["features"]["discover"] = "0" * 64
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="ranker of 'discover' was fitted on other features"):
        load_recommender(copy)


def test_trees_of_another_release_are_refused(ranked_fit, tmp_path):
    ranker = ranked_fit.pipeline.rankers["for_you"]
    for text, says in (
        ("forest\nversion=v99\n", "trees cannot be read"),
        (narrow_trees(), "its trees have 2 features"),
    ):
        broken = replace(ranker, text=text)
        pipeline = replace(ranked_fit.pipeline, rankers={"for_you": broken})
        path = write_fitted(replace(ranked_fit, pipeline=pipeline), tmp_path, now=END)
        with pytest.raises(BundleError, match=says):
            load_recommender(path)


def narrow_trees() -> str:
    rows = lightgbm.Dataset(np.arange(80.0).reshape(40, 2), label=np.arange(40.0))
    return lightgbm.train({"verbosity": -1, "min_data_in_leaf": 5}, rows, 2).model_to_string()


def test_a_ranker_that_found_no_rows_leaves_the_blend(tmp_path):
    """One cut-off, a year before the shop opened."""
    config = ranked_config(cut_offs=1, horizon_days=365)
    fitted = fit(large_shop(1), config, end_time=END)
    assert fitted.pipeline.rankers == {}
    path = write_fitted(fitted, tmp_path, now=END)
    assert read_manifest(path).features == {}
    assert load_recommender(path).rankers == {}


def test_equal_data_make_equal_bundles(ranked_fit, path, tmp_path):
    again = fit(large_shop(3), ranked_config(), end_time=END)
    assert again.pipeline.rankers["for_you"].text == ranked_fit.pipeline.rankers["for_you"].text
    other = write_fitted(again, tmp_path, now=END + timedelta(days=1))
    assert read_manifest(other).digest == read_manifest(path).digest


def copied(path, folder):
    return shutil.copytree(path, folder / path.name)
