"""The log of drawn places: each with its probability, and with what followed of its own item."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from evaluation.cli import app
from recsys.errors import DataError
from recsys.online.explored import EXPLORED, explored
from recsys.store.open import open_store
from recsys.store.store import Store
from tests.shown import DAY, HOUR, MINUTE, event, impression, token
from tests.stores import NOON

runner = CliRunner()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"store://{tmp_path / 'store'}")
    yield opened
    opened.close()


def test_rewards_are_those_of_the_drawn_item(store: Store) -> None:
    drawn = {"explored_rank": 2, "propensity": 0.25}
    anna = impression("one", "anna", "a b", **drawn, experiment="e", arm="x")
    ben = impression("two", "ben", "a b", at=1, **drawn)
    plain = impression("three", "cleo", "a b", at=2)
    nobody = impression("four", None, "b c", at=3, explored_rank=2, propensity=0.5)
    visitor = impression("five", "visitor/v", "a b", at=4, **drawn)
    late = impression("late", "anna", "a b", at=DAY, **drawn)
    store.log_impressions([anna, ben, plain, nobody, visitor, late])
    store.link_visitor("v", "vera")
    store.append(
        [
            event("view", "anna", "b", at=MINUTE),
            event("purchase", "anna", "b", at=HOUR, price=3.0, quantity=2.0),
            event("click", "ben", "a", at=MINUTE),  # of the list, and not of its drawn item
            event("click", "cleo", "b", at=MINUTE),
            event("click", "visitor/x", "c", at=MINUTE, attribution_token=token(store, nobody)),
            event("add-to-cart", "vera", "b", at=MINUTE),
        ]
    )
    found = explored(store, since=NOON, until=NOON + DAY, window=DAY)
    assert dict(found.schema) == EXPLORED
    rows = found.select("customer_id", "item_id", "position", "propensity").rows()
    assert rows == [
        ("anna", "b", 2, 0.25),
        ("ben", "b", 2, 0.25),
        (nobody.request_id, "c", 2, 0.5),
        ("vera", "b", 2, 0.25),
    ]
    rewards = found.select("click", "purchase", "revenue").rows()
    assert rewards == [(1, 1, 6), (0, 0, 0), (1, 0, 0), (1, 0, 0)]
    assert found.row(0, named=True)["arm"] == "x"
    assert found["request_id"].to_list()[0] == anna.request_id


def test_estimates_from_the_store_find_the_truth(store: Store, tmp_path: Path) -> None:
    """Items are drawn with known odds and clicked with known rates; another policy is judged."""
    random = np.random.default_rng(3)
    chances, rates = {"a": 0.7, "b": 0.2, "c": 0.1}, {"a": 0.1, "b": 0.3, "c": 0.6}
    names = list(chances)
    drawn = random.choice(names, size=1_500, p=list(chances.values()))
    shown = [
        impression(
            f"r{n}", f"c{n}", f"top {item}", at=n, explored_rank=2, propensity=chances[item]
        )
        for n, item in enumerate(drawn)
    ]
    store.log_impressions(shown)
    store.append(
        [
            event("click", f"c{n}", str(item), at=MINUTE)
            for n, item in enumerate(drawn)
            if random.random() < rates[item]
        ]
    )
    log, policy, result = (tmp_path / name for name in ("shown.parquet", "new.csv", "out.json"))
    url = f"store://{tmp_path / 'store'}"
    options = ["--output", str(log), "--from", "2024-01-01", "--placement", "for_you"]
    written = runner.invoke(app, ["explored", "--store", url, *options])
    assert written.exit_code == 0, written.output
    assert "1,500 places drawn, 3 items" in written.stdout
    policy.write_text("item_id,probability\na,0.2\nb,0.3\nc,0.5\n")
    judged = ["off-policy", "--log", str(log), "--policy", str(policy), "--reward", "click"]
    assert runner.invoke(app, [*judged, "--json", str(result)]).exit_code == 0
    found = json.loads(result.read_text())
    truth = 0.2 * 0.1 + 0.3 * 0.3 + 0.5 * 0.6
    for estimate in ("ips", "snips"):
        interval = found[estimate]["normal"]
        assert interval["low"] < truth < interval["high"]
    assert found["logged"]["high"] < truth
    assert found["mean_weight"]["low"] < 1 < found["mean_weight"]["high"]


def test_a_log_as_text(store: Store, tmp_path: Path) -> None:
    store.log_impressions([impression("one", None, "a b", explored_rank=1, propensity=0.125)])
    output = tmp_path / "out" / "shown.csv"
    found = runner.invoke(
        app, ["explored", "--store", f"store://{tmp_path / 'store'}", "--output", str(output)]
    )
    assert found.exit_code == 0, found.output
    assert pl.read_csv(output).select("item_id", "propensity", "click").rows() == [("a", 0.125, 0)]


def test_nothing_drawn_is_said(store: Store, tmp_path: Path) -> None:
    store.log_impressions([impression("one", "anna", "a b", explored_rank=1, propensity=0.125)])
    options = ["--output", str(tmp_path / "shown.csv"), "--placement", "gone"]
    found = runner.invoke(app, ["explored", "--store", f"store://{tmp_path / 'store'}", *options])
    assert isinstance(found.exception, DataError)
    assert "no explored place of gone" in str(found.exception)
