"""Linear models from a configuration file to lists, through a bundle."""

import pytest

from recsys.assembly import assemble, load_recommender
from recsys.bundle import read_manifest
from recsys.data.dataset import Dataset
from recsys.errors import ConfigError
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit, write_fitted
from recsys.pipeline.query import Query, RecentEvent
from recsys.types import EventType, Tier
from tests.small_shop import END, shop_customers, shop_dataset, shop_events, shop_items
from training.run import _found

NOW = int(END.timestamp())

CONFIG = """
[models.linear]
kind = "ease"
regularization = 5
weight_limit = 400

[models.graph]
kind = "graph-filter"
embedding_size = 4

[sources.linear]
kind = "neighbours"
model = "linear"

[sources.graph]
kind = "neighbours"
model = "graph"

[placements.by_linear]
sources = [{ name = "linear", weight = 1.0 }]

[placements.by_graph]
sources = [{ name = "graph", weight = 1.0 }]

[placements.linear_like_this]
sources = [{ name = "linear", weight = 1.0 }]
seeds = "context"
"""

QUERIES = [
    Query("by_linear", NOW, customer_id="customer-01", limit=10),
    Query("by_graph", NOW, customer_id="customer-01", limit=10),
    Query("by_linear", NOW, customer_id="newcomer", limit=10),
    Query("by_graph", NOW, events=(RecentEvent("item-02", EventType.PURCHASE, NOW - 5),)),
    Query("linear_like_this", NOW, context_item_ids=("item-04",)),
]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "linear.toml"
    path.write_text(CONFIG)
    return fit(shop_dataset(), load_config(path), end_time=END)


def test_lists_come_with_taste_and_reasons(fitted):
    answers = assemble(fitted.pipeline, "here").recommend(QUERIES)
    for answer, reason in zip(answers[:2], ("because-you-", "because-you-"), strict=True):
        assert answer.tier is Tier.PERSONALISED
        coffee = sum(int(item.item_id[-2:]) % 2 for item in answer.items)
        assert coffee >= 7, "customer-01 drinks coffee"
        assert all(item.reason.code.startswith(reason) for item in answer.items)
        assert all(item.reason.item_ids for item in answer.items)
    assert answers[2].items == (), "nothing to go on"
    assert answers[3].tier is Tier.SESSION
    assert answers[3].items
    assert {item.reason.code for item in answers[4].items} == {"similar-to"}


def test_a_bundle_answers_as_what_it_was_made_of(fitted, tmp_path):
    path = write_fitted(fitted, tmp_path, now=END)
    here = assemble(fitted.pipeline, path.name).recommend(QUERIES)
    assert load_recommender(path).recommend(QUERIES) == here
    assert [load_recommender(path).recommend([query])[0] for query in QUERIES] == here


def test_the_manifest_and_the_run_say_what_pruning_lost(fitted, tmp_path):
    path = write_fitted(fitted, tmp_path, now=END)
    report = read_manifest(path).metrics["models"]
    assert "linear" in report
    assert 0.3 < report["linear"]["kept_share_of_squares"] < 1
    assert "Model linear: weights 400, kept share of squares 0." in _found(fitted)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_shop_with_hardly_any_event_can_be_fitted(count, tmp_path):
    path = tmp_path / "linear.toml"
    path.write_text(CONFIG)
    dataset = Dataset(shop_events().head(count).lazy(), shop_items(), shop_customers(), "young")
    bundle = write_fitted(fit(dataset, load_config(path), end_time=END), tmp_path, now=END)
    answers = load_recommender(bundle).recommend(QUERIES)
    known = set(shop_events().head(count)["item_id"])
    assert {item.item_id for answer in answers for item in answer.items} <= known


def test_a_source_that_cannot_ask_a_model_is_refused(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text('[sources.graph]\nkind = "neighbours"\nmodel = "taste"\n')
    with pytest.raises(ConfigError, match="needs a model of kind 'item-item' or 'ease'"):
        load_config(path)
