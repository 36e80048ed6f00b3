"""What stands beside the items of buy_again, and that it moves none."""

import json
from dataclasses import replace

import pytest

from recsys.assembly import FitConfig, assemble
from recsys.bundle import current
from recsys.config import validated
from recsys.errors import ConfigError
from recsys.fitting.config import load_config
from recsys.pipeline.query import Query, RecentEvent
from recsys.types import DAY_S, EventType
from tests.small_shop import CUSTOMERS, END

NOW = int(END.timestamp())


def asked(recommender, customer, now=NOW, **settings):
    query = Query("buy_again", now, customer_id=customer, limit=50, **settings)
    [answer] = recommender.recommend([query])
    return answer.items


@pytest.fixture(scope="module")
def customers(recommender):
    vocabulary = recommender.resolver.customers
    return [vocabulary.id(number) for number in range(min(len(vocabulary), CUSTOMERS))]


@pytest.fixture(scope="module")
def silent(fitted):
    """The same, of a bundle that was made before anybody forecast anything."""
    config = fitted.pipeline.config
    placement = config.placements["buy_again"].model_copy(update={"replenishment": ""})
    models = {name: model for name, model in config.models.items() if name != "replenishment"}
    changed = config.model_copy(
        update={"placements": {**config.placements, "buy_again": placement}, "models": models}
    )
    kept = {n: model for n, model in fitted.pipeline.models.items() if n != "replenishment"}
    return assemble(replace(fitted.pipeline, config=changed, models=kept), "older")


def test_the_list_is_the_one_without_forecasts(recommender, silent, customers):
    for customer in customers:
        with_, without = asked(recommender, customer), asked(silent, customer)
        assert [(i.item_id, i.score, i.rank) for i in with_] == [
            (i.item_id, i.score, i.rank) for i in without
        ]
        assert all(item.replenishment is None for item in without)
        assert {item.reason.code for item in without} <= {"bought-before"}


def test_every_item_says_when_it_is_due(recommender, customers):
    items = [item for customer in customers for item in asked(recommender, customer)]
    assert len(items) > 100
    for item in items:
        told = item.replenishment
        chances = (told.probability_7_days, told.probability_14_days, told.probability_28_days)
        assert 0 < chances[0] < chances[1] < chances[2] < 1
        if item.reason.code == "due-about":
            assert item.reason.date == told.due_time
            assert item.reason.count >= 2
        else:
            assert item.reason.code == "bought-before"
            assert item.reason.date is None
    assert {item.reason.code for item in items} == {"due-about", "bought-before"}


def test_what_was_bought_once_is_not_said_to_be_due(recommender, customers):
    once = [i for c in customers for i in asked(recommender, c) if i.reason.count == 1]
    assert once
    assert {item.reason.code for item in once} == {"bought-before"}


def test_long_overdue_is_not_due(recommender, customers):
    later = NOW + 400 * DAY_S
    for customer in customers[:10]:
        before, after = asked(recommender, customer), asked(recommender, customer, now=later)
        assert {item.reason.code for item in after} <= {"bought-before"}
        chances = {i.item_id: i.replenishment.probability_28_days for i in before}
        for item in after:
            assert item.replenishment.probability_28_days < chances[item.item_id]


def test_a_purchase_of_now_moves_the_date(recommender, customers):
    customer = customers[3]
    before = {item.item_id: item.replenishment for item in asked(recommender, customer)}
    bought = next(iter(before))
    event = RecentEvent(bought, EventType.PURCHASE, NOW + DAY_S)
    now = NOW + 2 * DAY_S
    after = asked(recommender, customer, now=now, events=(event,))
    [told] = [item.replenishment for item in after if item.item_id == bought]
    assert told.due_time > now
    assert told.due_time > before[bought].due_time


def test_other_placements_say_nothing(recommender, customers):
    for placement in ("for_you", "discover"):
        [answer] = recommender.recommend([Query(placement, NOW, customer_id=customers[0])])
        assert all(item.replenishment is None for item in answer.items)


def test_a_bundle_says_the_same_from_its_files(recommender, loaded, customers):
    for customer in customers[:5]:
        assert asked(recommender, customer) == asked(loaded, customer)


def test_a_configuration_of_before_is_still_read(bundle_root):
    config = json.loads((current(bundle_root) / "manifest.json").read_text())["config"]
    del config["models"]["replenishment"]
    for placement in config["placements"].values():
        del placement["replenishment"]
    parts = {name: config[name] for name in FitConfig.model_fields}
    assert validated(FitConfig, parts, where="old").placements["buy_again"].replenishment == ""


@pytest.mark.parametrize("name", ["gone", "repurchase"])
def test_a_placement_must_name_a_model_that_forecasts(name):
    config = load_config().model_dump(mode="json")
    config["placements"]["buy_again"]["replenishment"] = name
    with pytest.raises(ConfigError, match=r"buy_again.*of kind 'replenishment'; '\w+' is none"):
        validated(FitConfig, config, where="test")


def test_a_cart_is_completed_by_what_is_not_in_it(recommender, customers):
    items = [recommender.catalogue.items.id(number) for number in (0, 2, 40)]
    groups = recommender.catalogue.group_nums
    for customer in (*customers[:5], None):
        query = Query(
            "complete_the_basket",
            NOW,
            customer_id=customer,
            context_item_ids=tuple(items),
            limit=20,
        )
        [answer] = recommender.recommend([query])
        assert len(answer.items) == 20
        shown = {groups[item.item_num] for item in answer.items}
        assert not shown & {groups[number] for number in (0, 2, 40)}  # no variants either
        assert "often-bought-with" in {item.reason.code for item in answer.items}
