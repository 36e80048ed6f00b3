"""A campaign from its plan to its result, as typed: planned, exported, sent, bought, compared."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from recsys.offers.offer import Offer
from recsys.store.contacts import ContactState
from recsys.store.ledger import ContactUpdate
from recsys.store.offers import Offers
from recsys.store.open import open_store
from serving.cli import app as serving
from tests.campaign_store import Campaign, store_campaign
from tests.campaign_trial import bought
from tests.integration.test_uplift_report import evaluation
from tests.integration.training.commands import in_process
from tests.stores import DAY_US, NOON

CUSTOMERS = 1_500
CONTACT_TIME = NOON + 70 * DAY_US
USUAL, LIFT = 0.2, 0.25
SPRING = Offer.model_validate(
    {
        "offer_id": "spring",
        "title": "Spring is here",
        "kind": "amount",
        "discount": 12.0,
        "channels": ["email"],
        "cost": {"per_contact": 0.1, "per_redemption": 2},
        "budget": 1e6,
        "gain_per_redemption": 1_000,
        "attributes": {"code": "S1"},
    }
)

pytestmark = pytest.mark.usefixtures("logging_as_it_is")


def training(*words: object) -> None:
    said = in_process(*words)
    assert said.status == 0, said


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a past, an offer, and a bundle of its log."""
    made = tmp_path_factory.mktemp("whole")
    url = f"store://{made / 'store'}"
    store_campaign(url, Campaign(NOON + 60 * DAY_US, customers=CUSTOMERS))
    store = open_store(url)
    Offers(store).upsert([("spring", SPRING.model_dump_json(), None, 10**12)])
    store.close()
    (made / "small.toml").write_text("[models.taste]\nembedding_size = 8\n")
    training(
        *("run", "--source", url, "--data", made / "work", "--bundles", made / "bundles"),
        *("--config", made / "small.toml"),
    )
    return made


def export(folder: Path, plan_id: str) -> tuple[list[dict], list[dict]]:
    """Returns the rows to send, and those who are held out."""
    out = folder / "mails"
    words = ["export", "--placement", "for_you", "--all", "--limit", "2", "--format", "jsonl"]
    words += ["--bundles", folder / "bundles", "--store", f"store://{folder / 'store'}"]
    words += ["--plan", plan_id, "--out", out, "--processes", "1"]
    done = CliRunner().invoke(serving, list(map(str, words)))
    assert done.exit_code == 0, (done.output, done.exception)
    told = json.loads((out / "_manifest.json").read_text())
    return _lines(out, told["files"]), _lines(out, told["held_out_files"].values())


def _lines(out: Path, names: Sequence[str]) -> list[dict]:
    texts = [(out / name).read_text() for name in names]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def live(folder: Path, sent: Sequence[dict], quiet: Sequence[dict]) -> None:
    """Sends the mails of the files, and lets customers buy, more of those who got one."""
    chance = random.Random(4)  # noqa: S311  not a secret
    events, updates = [], []
    for row in [*sent, *quiet]:
        offer = row.get("offer")
        likely = USUAL + (LIFT if offer else 0.0)
        if offer:
            at = CONTACT_TIME + DAY_US // 24
            updates.append(ContactUpdate(offer["contact_id"], ContactState.SENT, at))
        if chance.random() < likely:
            events.append(bought(row["customer_id"], CONTACT_TIME + DAY_US, 20.0))
            if offer:
                state = ContactState.REDEEMED
                updates.append(ContactUpdate(offer["contact_id"], state, at + DAY_US))
        events.append(bought(row["customer_id"], CONTACT_TIME + 8 * DAY_US, 500.0))
    store = open_store(f"store://{folder / 'store'}")
    store.append(events)
    Offers(store).record(updates)
    store.close()


def test_a_campaign_is_seen_to_its_end(folder: Path) -> None:
    url, out = f"store://{folder / 'store'}", folder / "plan"
    training(
        *("plan", "--store", url, "--bundles", folder / "bundles", "--out", out),
        *("--channel", "email", "--offer", "spring", "--hold-out", 0.3, "--window-days", 7),
        *("--contact-time", "2024-03-11T12:00:00"),
    )
    manifest = json.loads((out / "manifest.json").read_text())
    planned = pl.read_parquet(out / "plan.parquet")
    apart = pl.read_parquet(out / "held_out.parquet")
    sent, quiet = export(folder, manifest["plan_id"])
    assert {row["customer_id"] for row in quiet} == set(apart["customer_id"])
    offered = [row for row in sent if row["assignment"] == "offer"]
    assert {row["customer_id"] for row in offered} == set(planned["customer_id"])
    assert {row["offer"]["attribute_code"] for row in offered} == {"S1"}
    live(folder, sent, quiet)
    file = folder / "result.json"
    status, said, complaint = evaluation(
        "campaign", "--store", url, "--plan", manifest["plan_id"], "--json", file
    )
    assert status == 0, complaint
    assert "within 7 days" in said
    told = json.loads(file.read_text())
    assert told["verdict"] == "comparable", said
    assert told["contacted"]["customers"] == len(planned)
    assert told["held_out"]["customers"] == len(apart)
    assert told["deliveries"]["sent"] == len(planned)
    effects = {each["metric"]: each for each in told["effects"]}
    for metric, truth in (("conversion", LIFT), ("revenue", LIFT * 20)):
        difference = effects[metric]["difference"]
        assert 0 < difference["low"] < truth < difference["high"]
        assert effects[metric]["verdict"] == "more"
    cost = effects["cost"]["contacted"]["value"]
    assert cost == pytest.approx(0.1 + 2 * effects["conversion"]["contacted"]["value"])
    assert effects["cost"]["held_out"]["value"] == 0.0
    assert told["caveats"] == []
