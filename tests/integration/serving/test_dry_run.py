"""What another deployment file would have done to logged lists is told by the lists themselves."""

import json
from math import log2
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from recsys.live.deployment import Deployment
from recsys.store.store import Store
from serving.cli import app
from serving.replays.dry_run import DryRun, compare, dry_run
from serving.replays.past import Past
from tests.changing_shop import ChangingShop

NO_ITEM_3 = {"rules": {"for_you": {"gone": {"kind": "exclude", "item_ids": ["item-03"]}}}}


@pytest.fixture
def changing(store: Store, bundle_root: Path) -> ChangingShop:
    shop = ChangingShop(store, bundle_root, np.random.default_rng(9))
    for _ in range(6):
        shop.act()
        shop.restock()
        shop.ask(12)
    return shop


def tried(changing: ChangingShop, said: dict[str, object]) -> DryRun:
    past = Past(changing.store, changing.root, load=changing.load)
    logged = changing.store.latest_impressions(1_000)
    return dry_run(past, logged, Deployment.model_validate(said))


def test_a_file_that_changes_nothing_costs_nothing(changing: ChangingShop) -> None:
    found = tried(changing, {})
    assert found.answers == len(changing.answers) == 72
    assert (found.changed, found.added, found.removed, found.moved) == (0, 0, 0, 0)
    assert found.relevance_lost == pytest.approx(0)
    told = found.document()
    assert told["mean_price"]["with"] == told["mean_price"]["without"] > 0
    assert all(each["with"] == each["without"] for each in told["categories"])


def test_what_a_rule_does_is_counted_and_costs(changing: ChangingShop) -> None:
    shown = [
        answer
        for answer in changing.answers
        if answer.query.placement == "for_you"
        and any(item.item_id == "item-03" for item in answer.recommendations.items)
    ]
    found = tried(changing, NO_ITEM_3)
    assert shown
    assert found.changed == found.removed == len(shown)
    assert found.relevance_lost is not None
    assert found.relevance_lost > 0
    past = Past(changing.store, changing.root, load=changing.load)
    moment = past.moment(past.logged(shown[0].request_id))
    one = compare(moment, Deployment.model_validate(NO_ITEM_3))
    items = shown[0].recommendations.items
    assert [item.item_id for item in one.without] == [item.item_id for item in items]
    assert "item-03" not in [item.item_id for item in one.given]
    before = sum(item.score / log2(item.rank + 1) for item in items)
    worth = {item.item_id: item.score for item in items}
    assert one.kept is not None
    least = sum(worth.get(item.item_id, 0) / log2(item.rank + 1) for item in one.given) / before
    assert least - 1e-5 <= one.kept < 1


def test_pins_are_moves_of_their_rule(changing: ChangingShop) -> None:
    pin = {"kind": "pin", "item_id": "item-20", "position": 1}
    found = tried(changing, {"rules": {"popular": {"top": pin}}})
    assert found.rules["top"] > 0
    example = found.document()["examples"][0]
    assert example["places"][0]["with"] == "item-20"
    assert example["places"][0]["rules"] == ["top"]


def test_what_is_gone_is_counted_apart(changing: ChangingShop) -> None:
    changing.store.trim_catalogue(2**60, 10_000)
    changing.restock()
    changing.store.trim_catalogue(2**60, 10_000)
    found = tried(changing, NO_ITEM_3)
    assert found.skipped["catalogue"] > 0
    assert found.answers + found.skipped.total() == 72


def test_the_command_reads_the_log_of_a_store(
    changing: ChangingShop, store_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "new.toml"
    file.write_text('[rules.for_you.gone]\nkind = "exclude"\nitem_ids = ["item-03"]\n')
    named = ["--store", store_url, "--bundles", str(changing.root)]
    said = CliRunner().invoke(app, ["dry-run", "--deployment", str(file), *named])
    assert said.exit_code == 0
    assert "not to be answered again" in said.output  # no bundle here has the made-up name
    said = CliRunner().invoke(
        app, ["dry-run", "--deployment", str(file), "--last", "5", "--json", *named]
    )
    assert json.loads(said.stdout)["skipped"] == {"bundle": 5}
    file.write_text('[rules.for_you.gone]\nkind = "exclud"\n')
    said = CliRunner().invoke(app, ["dry-run", "--deployment", str(file), *named])
    assert said.exit_code == 2
    said = CliRunner().invoke(app, ["replay", "--last", "3", "--json", *named])
    assert said.exit_code == 1
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    assert [line["gone"] for line in lines] == ["bundle"] * 3
    said = CliRunner().invoke(app, ["replay", "0" * 32, *named])
    assert "gone: answer" in said.output
