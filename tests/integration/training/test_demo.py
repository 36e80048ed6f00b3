"""The demo, on a small shop that stands where the grocer's data would."""

import json
import subprocess
import sys
from datetime import datetime

import polars as pl

from recsys.assembly import load_recommender
from recsys.bundle import current, verify
from recsys.fitting.config import load_config
from tests.small_shop import START, shop_customers, shop_events, shop_items

SHIFT = datetime(2017, 10, 10, tzinfo=START.tzinfo) - START
"""Puts the cut-off of the demo's evaluation into the shop's 90 days."""


def test_the_demo_goes_the_whole_way(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    events = shop_events().with_columns(pl.col("event_time") + SHIFT)
    events.write_parquet(data / "events.parquet")
    items = shop_items().with_columns(pl.col("created_at") + SHIFT)
    items.write_parquet(data / "items.parquet")
    shop_customers().write_parquet(data / "customers.parquet")
    (data / "report.json").write_text("{}")

    done = subprocess.run(
        [sys.executable, "-m", "training", "demo", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for said in (
        *("personal frequency", "for_you, and why", "you bought it on", "What next"),
        *("similar_items", "complete_the_basket", "buy_again, and when", "within 14 days"),
    ):
        assert said in " ".join(done.stdout.split())
    assert done.stdout.count("Customer customer-") == 3
    rows = json.loads((tmp_path / "evaluation.json").read_text())["rows"]
    assert {"default", "popularity"} <= {row["configuration"] for row in rows}
    bundle = current(tmp_path / "bundles")
    verify(bundle)
    assert set(load_recommender(bundle).placements) == set(load_config().placements)
    log = [json.loads(line) for line in (tmp_path / "server.log").read_text().splitlines()]
    finished = [line for line in log if line["event"] == "rpc.finished"]
    assert len(finished) >= 6
    assert all(line["code"] == "OK" for line in finished)


def test_the_demo_ends_where_a_step_fails(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "report.json").write_text("{}")
    done = subprocess.run(
        [sys.executable, "-m", "training", "demo", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "is not a prepared data set" in done.stderr
    assert "Serve it" not in done.stdout
