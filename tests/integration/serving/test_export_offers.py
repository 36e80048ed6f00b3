"""Offers beside the lists of an export, and the mails that are merged from one."""

import email
import email.policy
import hashlib
import json
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from recsys.live.attribution import Tokens
from recsys.offers.offer import Offer
from recsys.store.contacts import Contact
from recsys.store.offers import Offers
from recsys.store.open import open_store
from recsys.store.plans import PlanNote, Plans
from recsys.store.store import Store
from recsys.store.tables.plans import contact_id
from recsys.v1 import offer_service_pb2 as pb
from serving.answering.attribution import Attribution
from serving.cli import app
from serving.export.job import Job
from serving.servicers.plan_calls import streamed

ROOT = Path(__file__).parents[3]
MERGE = ROOT / "docs" / "examples" / "mail_merge" / "merge.py"
ANNA, BEN, CARA = "customer-02", "customer-03", "customer-04"
LINK = "https://shop.example/p/{item_id}?t={token}"


def put(store: Store, offer_id: str, **more: object) -> None:
    offer = Offer.model_validate(
        {
            "offer_id": offer_id,
            "title": f"About {offer_id} & more",
            "kind": "content",
            "channels": ["email"],
            "gain_per_redemption": 5,
            "attributes": {"code": "X1"},
            **more,
        }
    )
    row = (offer.offer_id, offer.model_dump_json(), offer.voucher_stock, None)
    Offers(store).upsert([row])


pytestmark = pytest.mark.usefixtures("logging_as_it_is")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"store://{tmp_path / 'store'}"


@pytest.fixture
def words(bundle_root: Path, url: str, tmp_path: Path) -> list[str]:
    file = tmp_path / "deployment.toml"
    file.write_text("[contacts]\nhold_out = 0\n")
    base = ["export", "--placement", "for_you", "--all", "--limit", "3", "--link", LINK]
    base += ["--bundles", str(bundle_root), "--store", url, "--deployment", str(file)]
    return [*base, "--out", str(tmp_path / "mails"), "--part-size", "16"]


def run(words: list[str], *more: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, [*words, "--processes", "1", *more])
    assert done.exit_code == status, (done.output, done.exception)
    return done.output


def rows(tmp_path: Path) -> list[dict]:
    out = tmp_path / "mails"
    files = json.loads((out / "_manifest.json").read_text())["files"]
    return pl.concat([pl.read_parquet(out / name) for name in files]).to_dicts()


def test_the_next_best_offer_is_chosen_and_taken(
    words: list[str], url: str, tmp_path: Path
) -> None:
    store = open_store(url)
    put(store, "tea", voucher_stock=7)
    store.close()
    run(words, "--offers", "email")
    given = [row for row in rows(tmp_path) if row["offer"]]
    assert len(given) == 7
    assert {row["offer"]["offer_id"] for row in given} == {"tea"}
    assert json.loads(given[0]["offer"]["attributes"]) == {"code": "X1"}
    store = open_store(url)
    for row in given:
        contact = Offers(store).contact(row["offer"]["contact_id"])
        assert contact is not None
        assert (contact.customer_id, contact.channel) == (row["customer_id"], "email")
        read = Tokens(store.secret).read(row["offer"]["attribution_token"])
        assert read is not None
        assert (read.request_id, read.placement) == (contact.contact_id, "next_best_offer")
    assert Offers(store).of(["tea"])["tea"].vouchers_taken == 7
    store.close()


def test_what_is_done_over_takes_nothing_again(words: list[str], url: str, tmp_path: Path) -> None:
    store = open_store(url)
    put(store, "tea", voucher_stock=100)
    store.close()
    run(words, "--offers", "email")
    first = {row["customer_id"]: row["offer"]["contact_id"] for row in rows(tmp_path)}
    # As if it had been killed after the ledger was written, and before the part was in its place.
    out, part = tmp_path / "mails", tmp_path / "mails.part"
    manifest = json.loads((out / "_manifest.json").read_text())
    settings = manifest["settings"]
    out.rename(part)
    (part / "_manifest.json").unlink()
    ids = sorted(first)
    pl.DataFrame({"customer_id": ids}).write_parquet(part / "_customers.parquet")
    store = open_store(url)
    deployment = hashlib.sha256((tmp_path / "deployment.toml").read_bytes()).hexdigest()
    job = Job(
        wish=settings,
        export_id=manifest["export_id"],
        bundle_version=manifest["bundle_version"],
        query_time=int(datetime.fromisoformat(manifest["query_time"]).timestamp()),
        deployment=deployment,
        store_id=store.id,
        erasures=0,
        count=len(ids),
        repeated=0,
    )
    store.close()
    (part / "_job.json").write_text(job.model_dump_json())
    run(words, "--offers", "email")
    again = {row["customer_id"]: row["offer"]["contact_id"] for row in rows(tmp_path)}
    assert again == first
    store = open_store(url)
    assert Offers(store).of(["tea"])["tea"].vouchers_taken == len(first)
    store.close()


def test_offers_of_a_plan_are_joined(words: list[str], url: str, tmp_path: Path) -> None:
    store = open_store(url)
    put(store, "tea")
    put(store, "coffee")
    plans, now = Plans(store), int(time.time() * 1_000_000)
    note = PlanNote("spring", now, now, 0, 0.0, 0.0, finished=False, details="{}")
    plans.begin(note)
    planned = [
        Contact(contact_id("spring", 1), ANNA, "tea", "email", now, plan_id="spring", value=2.5),
        Contact(
            contact_id("spring", 2), BEN, "tea", "email", now, plan_id="spring", held_out=True
        ),
        Contact(contact_id("spring", 3), CARA, "coffee", "web", now, plan_id="spring"),
    ]
    purposes = {"email": "use_in_email", "web": "recommend_on_site"}
    assert plans.add(planned, seen=0, purposes=purposes) == []
    plans.finish("spring", row_count=3, expected_value=2.5, gap=0.0)
    attribution = Attribution(store, log=None)
    attribution.start()
    [streamed_rows] = streamed(plans, attribution, pb.StreamPlanRequest(plan_id="spring"))
    store.close()
    run(words, "--plan", "spring")
    found = {row["customer_id"]: row["offer"] for row in rows(tmp_path) if row["offer"]}
    assert set(found) == {ANNA}  # Ben is held out, and Cara's offer is for another channel
    assert found[ANNA]["contact_id"] == contact_id("spring", 1)
    assert (found[ANNA]["title"], found[ANNA]["value"]) == ("About tea & more", 2.5)
    token = found[ANNA]["attribution_token"]
    assert token == streamed_rows.rows[0].attribution_token != ""
    run(words, "--plan", "spring", "--format", "csv")
    told = json.loads((tmp_path / "mails" / "_manifest.json").read_text())
    table = pl.concat(
        [pl.read_csv(tmp_path / "mails" / name, infer_schema=False) for name in told["files"]]
    )
    assert table.filter(pl.col("offer_id").is_not_null())["customer_id"].to_list() == [ANNA]
    assert told["customers"]["offers"] == 1


def test_what_is_not_there_is_told(words: list[str], url: str) -> None:
    open_store(url).close()
    assert "no finished plan 'none'" in run(words, "--plan", "none", status=2)
    assert "there are none" in run(words, "--offers", "email", status=2)
    assert "exclude each other" in run(words, "--offers", "email", "--plan", "a", status=2)


def test_mails_are_merged_as_the_guide_says(words: list[str], url: str, tmp_path: Path) -> None:
    store = open_store(url)
    put(store, "tea", title="<Tea> & $more", attributes={}, end_time="2030-01-01T00:00:00Z")
    store.close()
    run(words, "--format", "jsonl", "--offers", "email")
    addresses = tmp_path / "addresses.csv"
    addresses.write_text(f"customer_id,name,email\n{ANNA},Anna <3,anna@example.org\nx,X,x@x.org\n")
    outbox = tmp_path / "outbox"
    command = [sys.executable, str(MERGE), str(tmp_path / "mails"), str(addresses), str(outbox)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "1 mails\n"
    [path] = outbox.iterdir()
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert mail["To"] == "anna@example.org"
    page = mail.get_body(("html",)).get_content()
    assert "Hello Anna &lt;3," in page
    assert "&lt;Tea&gt; &amp; &#36;more" in page
    assert page.count("<tr>") == 3
    assert page.count("https://shop.example/p/item-") == 3
    assert "$" not in page
    assert "<!--" not in page
