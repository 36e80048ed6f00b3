"""Answers are made again as they were, however much has changed, or it is said what is gone."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from recsys.store.store import Store
from serving.replays.past import Past
from serving.replays.replay import Replayed, replay
from tests.changing_shop import ChangingShop

FAR = 2**60


@pytest.fixture
def changing(store: Store, bundle_root: Path) -> ChangingShop:
    return ChangingShop(store, bundle_root, np.random.default_rng(5))


def past(shop: ChangingShop, root: Path | None = None) -> Past:
    return Past(shop.store, root or shop.root, load=shop.load)


def replays(shop: ChangingShop) -> list[Replayed]:
    known = past(shop)
    return [replay(known, each.request_id) for each in shop.answers]


def test_answers_over_a_changing_shop_are_made_again(changing: ChangingShop) -> None:
    for _ in range(60):
        changing.turn()
        changing.ask(4)
    told = replays(changing)
    wrong = [(each.request_id, each.problem, each.differences()) for each in told]
    assert [each for each, one in zip(wrong, told, strict=True) if not one.identical] == []
    assert {"plain", "short", "a", "b"} <= {answer.arm for answer in changing.answers}
    shown = [item for answer in changing.answers for item in answer.recommendations.items]
    assert any(item.moves for item in shown)
    assert any(item.propensity for item in shown)
    assert any(answer.basis.earlier for answer in changing.answers if answer.basis)
    assert any(answer.basis.last_link for answer in changing.answers if answer.basis)
    kinds = Counter(answer.basis.catalogue.number for answer in changing.answers if answer.basis)
    assert len(kinds) > 10


def asked_once(changing: ChangingShop) -> str:
    """Something happens, then one customer with live events asks; the request's id."""
    for _ in range(12):
        changing.act()
    changing.add()
    changing.restock()
    changing.ask(20)
    return next(
        answer.request_id
        for answer in changing.answers
        if answer.basis and answer.basis.events > 1 and answer.basis.catalogue.number
    )


def test_what_was_never_logged_or_is_no_id_is_gone(changing: ChangingShop) -> None:
    for request_id in ("0" * 32, "no id", "ab"):
        told = replay(past(changing), request_id)
        assert (told.gone, told.told, told.identical) == ("answer", None, False)
        assert "older than what the log keeps" in told.problem


def test_a_removed_bundle_is_said_to_be_gone(changing: ChangingShop, tmp_path: Path) -> None:
    request_id = asked_once(changing)
    shutil.copytree(changing.root, tmp_path / "kept")
    told = replay(Past(changing.store, tmp_path / "kept"), request_id)
    assert told.gone == "bundle"
    assert "bundle now cannot be read" in told.problem


def test_archived_or_erased_events_are_said_to_be_gone(changing: ChangingShop) -> None:
    request_id = asked_once(changing)
    last = changing.store.impression(request_id).query["last_position"]
    with changing.store.database.transaction() as session:
        session.execute("DELETE FROM events WHERE position = ?", (last,))
    told = replay(past(changing), request_id)
    assert told.gone == "events"
    assert "archived or erased" in told.problem


def test_a_trimmed_catalogue_is_said_to_be_gone(changing: ChangingShop) -> None:
    request_id = asked_once(changing)
    for _ in range(20):
        changing.restock()
        changing.add()
    assert replay(past(changing), request_id).identical
    assert changing.store.trim_catalogue(FAR, 1_000) > 0
    told = replay(past(changing), request_id)
    assert told.gone == "catalogue"
    assert "older than what the store keeps" in told.problem


def test_a_lost_or_foreign_deployment_is_said_to_be_gone(changing: ChangingShop) -> None:
    request_id = asked_once(changing)
    with changing.store.database.transaction() as session:
        session.execute("UPDATE deployments SET content = ?", ('{"of_later": 1}',))
    told = replay(past(changing), request_id)
    assert (told.gone, "says other things" in told.problem) == ("deployment", True)
    with changing.store.database.transaction() as session:
        session.execute("DELETE FROM deployments")
    assert replay(past(changing), request_id).gone == "deployment"


def test_an_answer_of_an_older_program_cannot_be_made_again(changing: ChangingShop) -> None:
    changing.ask(1)
    [answer] = changing.answers
    logged = changing.store.impression(answer.request_id)
    plain = {name: value for name, value in logged.query.items() if name != "basis"}
    changing.store.log_impressions([logged._replace(request_id="1" * 32, query=plain)])
    assert replay(past(changing), "1" * 32).gone == "basis"
    foreign = {**logged.query, "limit": "many"}
    changing.store.log_impressions([logged._replace(request_id="2" * 32, query=foreign)])
    told = replay(past(changing), "2" * 32)
    assert (told.gone, "limit" in told.problem) == ("basis", True)


def test_another_list_is_told_from_the_logged(changing: ChangingShop) -> None:
    changing.ask(20)
    answer = next(each for each in changing.answers if len(each.recommendations.items) > 2)
    logged = changing.store.impression(answer.request_id)
    turned = logged._replace(request_id="3" * 32, item_ids=list(logged.item_ids)[::-1])
    changing.store.log_impressions([turned])
    told = replay(past(changing), "3" * 32)
    assert not told.identical
    assert told.gone is None
    assert told.differences()[0].startswith("items: ")
