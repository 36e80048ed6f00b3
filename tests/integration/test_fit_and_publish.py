"""From a data set to a bundle and back, on shops of all sizes."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from recsys.assembly import assemble, load_recommender, save
from recsys.bundle import read_manifest, write_bundle
from recsys.data.dataset import Dataset
from recsys.errors import BundleError, ConfigError, DataError
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit, write_fitted
from recsys.pipeline.query import Query, RecentEvent
from recsys.types import EventType, Tier
from tests.small_shop import END, shop_customers, shop_dataset, shop_events, shop_items

NOW = int(END.timestamp())


def ask(recommender, placement="for_you", **details):
    return recommender.recommend([Query(placement, NOW, **details)])[0]


def test_the_same_data_make_the_same_digest(shop_config, tmp_path):
    digests = set()
    for day in range(2):
        fitted = fit(shop_dataset(), shop_config, end_time=END)
        path = write_fitted(fitted, tmp_path, now=END + timedelta(days=day))
        digests.add(read_manifest(path).digest)
    assert len(digests) == 1
    other = fit(shop_dataset(seed=8), shop_config, end_time=END)
    path = write_fitted(other, tmp_path, now=END + timedelta(days=9))
    assert read_manifest(path).digest not in digests


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_shop_with_hardly_any_event_still_gets_full_lists(count, tmp_path):
    dataset = Dataset(shop_events().head(count).lazy(), shop_items(), shop_customers(), "young")
    path = write_fitted(fit(dataset, load_config(), end_time=END), tmp_path, now=END)
    recommender = load_recommender(path)
    answer = ask(recommender, customer_id="customer-01", limit=10)
    assert len(answer.items) == 10
    assert len(ask(recommender, "similar_items", context_item_ids=("item-01",)).items) == 10


def test_only_views_are_enough(shop_config):
    views = shop_events().filter(pl.col("event_type") == "view")
    dataset = Dataset(views.lazy(), shop_items(), shop_customers(), "views")
    recommender = assemble(fit(dataset, shop_config, end_time=END).pipeline, "v")
    answer = ask(recommender, customer_id="customer-01", limit=5)
    assert answer.tier is Tier.PERSONALISED
    assert len(answer.items) == 5
    assert ask(recommender, "buy_again", customer_id="customer-01").items == ()


def test_tiers_follow_what_is_known(recommender):
    assert ask(recommender, customer_id="customer-01").tier is Tier.PERSONALISED
    assert ask(recommender, customer_id="newcomer").tier is Tier.POPULAR
    assert ask(recommender).tier is Tier.POPULAR
    views = tuple(RecentEvent(f"item-0{n}", EventType.VIEW, NOW - n) for n in (0, 2, 6))
    answer = ask(recommender, events=views, limit=10)
    assert answer.tier is Tier.SESSION
    tea = sum(int(item.item_id[-2:]) % 2 == 0 for item in answer.items)
    assert tea >= 8, "a visitor who looks at tea is offered tea"
    assert ask(recommender, "similar_items", context_item_ids=("item-00",)).tier is Tier.SESSION


def test_an_event_in_the_query_changes_the_answer(recommender):
    before = ask(recommender, "buy_again", customer_id="customer-00")
    item_id = next(
        f"item-{n:02}"
        for n in range(8, 40)
        if f"item-{n:02}" not in {item.item_id for item in before.items}
    )
    bought = RecentEvent(item_id, EventType.PURCHASE, NOW - 60)
    after = ask(recommender, "buy_again", customer_id="customer-00", events=(bought,))
    assert item_id in {item.item_id for item in after.items}
    discovered = ask(
        recommender, "discover", customer_id="customer-00", events=(bought,), limit=40
    )
    assert item_id not in {item.item_id for item in discovered.items}


def test_reasons_name_what_the_customer_did(recommender):
    answer = ask(recommender, "buy_again", customer_id="customer-01", limit=3)
    states = recommender.resolver.states
    rows = states.of(recommender.resolver.customers.number("customer-01"))
    for item in answer.items:
        mine = (rows.item_nums == item.item_num) & (rows.event_types == 4)
        assert item.reason.code in ("bought-before", "due-about")
        assert item.reason.count == rows.days[mine].sum() > 0
    together = ask(recommender, "bought_together", context_item_ids=("item-08",), limit=3)
    assert together.items[0].reason.code == "often-bought-with"
    assert together.items[0].reason.item_ids == ("item-08",)
    similar = ask(recommender, "similar_items", context_item_ids=("item-08",), limit=3)
    assert similar.items[0].reason.code in ("similar-to", "matches-your-taste")


def test_segments_must_be_attributes(shop):
    config = load_config().model_copy(update={"segment_columns": ("shoe_size",)})
    with pytest.raises(ConfigError, match=r"shoe_size.*region"):
        fit(shop, config)


def test_events_after_the_end_are_refused(shop):
    with pytest.raises(DataError, match="not before the end"):
        fit(shop, load_config(), end_time=datetime(2026, 1, 2, tzinfo=UTC))


@pytest.mark.parametrize("placement", ["for_you", "discover", "buy_again", "popular"])
def test_variants_of_few_products_do_not_shorten_a_list(placement, shop_config):
    """The best 20 of a source may all be one product; the list goes on behind them."""
    grouped = pl.when(pl.col("item_id") < "item-36").then(pl.lit("one")).otherwise("item_id")
    items = shop_items().with_columns(group_id=grouped)
    dataset = Dataset(shop_events().lazy(), items, shop_customers(), "variants")
    recommender = assemble(fit(dataset, shop_config, end_time=END).pipeline, "v")
    tight = recommender.placement_configs[placement].model_copy(update={"candidates": 1})
    recommender = replace(recommender, placement_configs={placement: tight})
    groups = recommender.catalogue.group_nums
    for number in range(0, 60, 7):
        query = Query(placement, NOW, customer_id=f"customer-{number:02}", limit=6)
        allowed = recommender.resolver.resolve(query, tight).allowed
        products = len(np.unique(groups[allowed]))
        assert len(recommender.recommend([query])[0].items) == min(6, products)


@pytest.mark.parametrize(
    "foreign",
    [
        {"config": {"models": {"taste": {"kind": "of-the-future"}}}},
        {"config": {}},
        {"files": ["states/days.npy"]},
        {"files": ["segments"]},
        {"garbled": ["catalogue.parquet"]},
    ],
)
def test_a_bundle_of_another_release_is_a_bundle_error(foreign, fitted, tmp_path):
    """A server that follows the pointer must be able to refuse it and go on."""

    def write(folder):
        save(fitted.pipeline, folder)
        for name in foreign.get("files", []):
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name in foreign.get("garbled", []):
            (folder / name).write_bytes(b"of another kind")

    path = write_bundle(
        tmp_path,
        write,
        config=foreign.get("config", fitted.pipeline.config.model_dump(mode="json")),
        data={"digest": "d", "end_time": NOW},
        metrics={},
        now=END,
    )
    with pytest.raises(BundleError, match=path.name):
        load_recommender(path)


def test_a_customer_of_whom_only_attributes_are_known_gets_what_their_segment_buys(shop):
    base = load_config()
    [use] = base.placements["popular"].sources
    wanted = base.placements["popular"].model_copy(
        update={"sources": (use.model_copy(update={"name": "popular_in_segment"}),)}
    )
    config = base.model_copy(
        update={"segment_columns": ("region",), "placements": {"segment": wanted}}
    )
    recommender = assemble(fit(shop, config, end_time=END).pipeline, "here")
    newcomer = ask(recommender, "segment", customer_id="newcomer", limit=5)
    nobody = ask(recommender, "segment", customer_id="unheard-of", limit=5)
    assert (newcomer.tier, nobody.tier) == (Tier.SEGMENT, Tier.POPULAR)
    assert {item.source for item in newcomer.items} == {"popular_in_segment"}
