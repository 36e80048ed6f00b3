"""Who redeems, judged on later offers, as a person types it."""

import io
import json
import random
import sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest

from evaluation.cli import main
from tests.integration.training.commands import in_process

START = datetime(2026, 1, 1, tzinfo=UTC)
CUSTOMERS = 250
OFFERS = """
[offers.o{number}]
kind = "percent"
discount = 10.0
channels = ["email"]
scope = {{ item_ids = ["{item}"] }}
start_time = {start:%Y-%m-%dT00:00:00Z}
end_time = {end:%Y-%m-%dT00:00:00Z}
"""


def evaluation(*words: object) -> tuple[int, str, str]:
    with (
        redirect_stdout(io.StringIO()) as output,
        redirect_stderr(io.StringIO()) as complaint,
        patch.object(sys, "argv", ["evaluation", *map(str, words)]),
        patch.dict("os.environ", {"COLUMNS": "200"}),
    ):
        try:
            main()
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
    return status, output.getvalue(), complaint.getvalue()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five monthly offers, tea and coffee in turn; drinkers redeem their own drink's."""
    folder = tmp_path_factory.mktemp("propensity")
    chance = random.Random(1)  # noqa: S311  not a secret
    events, contacts, offers = [], [], ""
    for customer in range(CUSTOMERS):
        for day in sorted(chance.sample(range(180), 12)):
            item = ("tea", "coffee")[customer % 2]
            events.append((str(customer), item, START + timedelta(days=day, hours=9)))
    for number in range(5):
        start = START + timedelta(days=20 + 30 * number)
        drink = number % 2
        offers += OFFERS.format(
            number=number,
            item=("tea", "coffee")[drink],
            start=start,
            end=start + timedelta(days=20),
        )
        for customer in range(CUSTOMERS):
            used = chance.random() < (0.4 if customer % 2 == drink else 0.03)
            redeemed = start + timedelta(days=2) if used else None
            contacts.append((str(customer), f"o{number}", start, redeemed))
    names = ("customer_id", "item_id", "event_time")
    table = pl.DataFrame(events, schema=names, orient="row").with_columns(
        event_type=pl.lit("purchase"), quantity=1.0, unit_price=3.0
    )
    table.write_parquet(folder / "events.parquet")
    names = ("customer_id", "offer_id", "time", "redeemed_time")
    pl.DataFrame(contacts, schema=names, orient="row", infer_schema_length=None).write_parquet(
        folder / "contacts.parquet"
    )
    (folder / "offers.toml").write_text(offers)
    said = in_process("prepare", "--events", folder / "events.parquet", "--out", folder / "data")
    assert said.status == 0, said
    return folder


def options(shop: Path) -> tuple[object, ...]:
    return (
        *("propensity", "--data", shop / "data", "--contacts", shop / "contacts.parquet"),
        *("--offers", shop / "offers.toml"),
    )


def test_later_offers_are_forecast_better_than_by_baselines(shop: Path) -> None:
    file = shop / "out" / "figures.json"
    status, said, complaint = evaluation(*options(shop), "--cut", "2026-04-15", "--json", file)
    assert status == 0, complaint
    found = json.loads(file.read_text())
    assert found["offers"] == {"learned_from": 3, "judged_on": 2}
    assert found["contacts"] == {"learned_from": 3 * CUSTOMERS, "judged_on": 2 * CUSTOMERS}
    assert found["figures"]["propensity"]["auc"]["figure"]["value"] > 0.75
    for name in ("recency of purchases", "frequency of purchases"):
        assert found["figures"][name]["auc"]["our_lead"]["low"] > 0
    assert found["calibration"]["calibration_error"] < 0.1
    assert "Learned from 750 contacts of 3 offers" in said


def test_offers_that_had_not_ended_are_not_learned_from(shop: Path) -> None:
    file = shop / "early.json"
    assert evaluation(*options(shop), "--cut", "2026-04-05", "--json", file)[0] == 0
    found = json.loads(file.read_text())
    # The third offer had begun and not ended: it is on neither side.
    assert found["offers"] == {"learned_from": 2, "judged_on": 2}


@pytest.mark.parametrize(
    ("cut", "complains"),
    [("2025-01-01", "0 of 0 contacts before the cut"), ("2027-01-01", "0 of 0 after it")],
)
def test_a_cut_with_nothing_on_one_side_is_refused(shop: Path, cut: str, complains: str) -> None:
    status, _, complaint = evaluation(*options(shop), "--cut", cut)
    assert status == 1
    assert complains in complaint


def test_contacts_of_offers_that_are_not_there_are_refused(shop: Path) -> None:
    text = (shop / "offers.toml").read_text()
    (shop / "fewer.toml").write_text(text[: text.index("[offers.o4]")])
    words = [
        shop / "fewer.toml" if each == shop / "offers.toml" else each for each in options(shop)
    ]
    status, _, complaint = evaluation(*words, "--cut", "2026-04-15")
    assert status == 1
    assert "the offers lack 'o4'" in complaint


def test_a_table_without_a_column_is_refused(shop: Path) -> None:
    pl.read_parquet(shop / "contacts.parquet").drop("time").write_csv(shop / "bad.csv")
    words = [
        shop / "bad.csv" if each == shop / "contacts.parquet" else each for each in options(shop)
    ]
    status, _, complaint = evaluation(*words, "--cut", "2026-04-15")
    assert status == 1
    assert "there is no column 'time'" in complaint
