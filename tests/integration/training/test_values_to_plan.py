"""From a store to a bundle, learned values and a campaign that is planned by them, as typed."""

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from recsys.bundle import current
from recsys.store.open import open_store
from recsys.store.plans import Plans
from tests.campaign_store import EFFECT, Campaign, is_drinker, store_campaign
from tests.integration.training.commands import in_process

CUSTOMERS = 2_000


class Planned(NamedTuple):
    """What a plan said of itself, and its rows."""

    manifest: dict[str, Any]
    rows: pl.DataFrame


def training(*words: object) -> str:
    said = in_process(*words)
    assert said.status == 0, said
    return said.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store after a campaign, a bundle of its log and values of its ledger."""
    made = tmp_path_factory.mktemp("campaign")
    url = f"store://{made / 'store'}"
    store_campaign(url, Campaign(time.time_ns() // 1_000, customers=CUSTOMERS))
    (made / "small.toml").write_text("[models.taste]\nembedding_size = 8\n")
    training(
        *("run", "--source", url, "--data", made / "work", "--bundles", made / "bundles"),
        *("--config", made / "small.toml"),
    )
    training("values", "--source", url, "--out", made / "values")
    return made


def plan(folder: Path, name: str, *words: object) -> Planned:
    url, out = f"store://{folder / 'store'}", folder / name
    training(
        *("plan", "--store", url, "--bundles", folder / "bundles", "--out", out),
        *("--channel", "email", "--offer", "tea-week", "--hold-out", 0, *words),
    )
    store = open_store(url)
    manifest = json.loads((out / "manifest.json").read_text())
    Plans(store).cancel(manifest["plan_id"], time.time_ns() // 1_000)
    store.close()
    return Planned(manifest, pl.read_parquet(out / "plan.parquet"))


def drinkers(rows: pl.DataFrame) -> list[bool]:
    return [is_drinker(int(name.removeprefix("customer-"))) for name in rows["customer_id"]]


def test_a_plan_goes_by_what_was_learned_of_a_lottery(folder: Path) -> None:
    """The effect is what tea drinkers spend because of the offer; others cost money alone."""
    manifest, rows = plan(folder, "learned", "--values", folder / "values")
    assert manifest["value_basis"] == ["uplift"]
    assert manifest["values_version"] == current(folder / "values").name
    of_drinkers = drinkers(rows)
    assert sum(of_drinkers) > 0.95 * CUSTOMERS / 2
    worth = rows.filter(pl.Series(of_drinkers))["expected_value"]
    assert worth.mean() == pytest.approx(EFFECT, abs=8)
    others = rows.filter(~pl.Series(of_drinkers))["expected_value"]
    assert others.sum() < 0.05 * worth.sum()


def test_without_values_affinity_sees_nobody_who_is_worth_the_cost(folder: Path) -> None:
    manifest, rows = plan(folder, "fallback")
    assert manifest["value_basis"] == ["affinity"]
    assert manifest["values_version"] == ""
    assert rows.is_empty()
