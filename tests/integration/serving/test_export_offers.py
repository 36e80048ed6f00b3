"""Offers beside the lists of an export, and the mails that are merged from one."""

import email
import email.policy
import hashlib
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from recsys.live.attribution import Tokens
from recsys.offers.attributes import AttributeKind
from recsys.offers.offer import Offer
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.store.contacts import Contact
from recsys.store.offers import Offers
from recsys.store.open import open_store
from recsys.store.plans import PlanNote, Plans
from recsys.store.store import Store
from recsys.store.tables.plans import contact_id
from recsys.v1 import offer_service_pb2 as pb
from serving.answering.attribution import Attribution
from serving.cli import app
from serving.export import lead
from serving.export.audience import of_all
from serving.export.job import LAYOUT, Job
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


def held_out(tmp_path: Path) -> list[dict]:
    out = tmp_path / "mails"
    names = json.loads((out / "_manifest.json").read_text())["held_out_files"].values()
    found = []
    for name in sorted(names):
        path = out / name
        if path.suffix == ".jsonl":
            found += [json.loads(line) for line in path.read_text().splitlines()]
        else:
            read = pl.read_csv if path.suffix == ".csv" else pl.read_parquet
            found += read(path).to_dicts()
    return found


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
        layout=LAYOUT,
        attributes={"code": AttributeKind.TEXT},
    )
    store.close()
    older = job.model_dump_json(exclude={"layout"})
    (part / "_job.json").write_text(older)
    assert "rules or program: --fresh" in run(words, "--offers", "email", status=2)
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
    everybody = {row["customer_id"]: row["assignment"] for row in rows(tmp_path)}
    assert BEN not in everybody
    assert (everybody[ANNA], everybody[CARA]) == ("offer", "none")
    [apart] = held_out(tmp_path)
    assert apart == {
        "customer_id": BEN,
        "assignment": "held-out",
        "held_out_of": "tea",
        "channel": "email",
        "contact_id": contact_id("spring", 2),
    }
    store = open_store(url, role="reader")
    with store.read() as session:
        shown = session.rows("SELECT customer_id FROM impressions")
    store.close()
    assert (BEN,) not in shown
    assert (ANNA,) in shown
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


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_held_out_customers_are_in_no_file_that_is_sent(
    words: list[str], url: str, tmp_path: Path, form: str
) -> None:
    store = open_store(url)
    put(store, "tea")
    store.close()
    (tmp_path / "deployment.toml").write_text("[contacts]\nhold_out = 0.5\n")
    said = run(words, "--offers", "email", "--format", form)
    out = tmp_path / "mails"
    told = json.loads((out / "_manifest.json").read_text())
    sent = "".join((out / name).read_bytes().decode("latin-1") for name in told["files"])
    apart = [row["customer_id"] for row in held_out(tmp_path)]
    assert len(apart) == told["customers"]["held_out"] > 10
    assert f"{len(apart)} held out, apart in _held-out-*" in said
    assert [name for name in apart if name in sent] == []
    counts = [told["files"][name]["customers"] for name in told["files"]]
    assert sum(counts) == told["customers"]["written"] == told["customers"]["offers"]
    assert {path.name for path in out.iterdir()} == {
        *told["files"],
        *told["held_out_files"].values(),
        "_manifest.json",
    }
    store = open_store(url, role="reader")
    ledger = {name: Offers(store).contacts(name, 9) for name in apart}
    store.close()
    assert all(each.held_out for [each] in ledger.values())


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_lost_file_of_held_out_customers_is_made_again(
    bundle_root: Path, url: str, tmp_path: Path, damage: str
) -> None:
    store = open_store(url)
    put(store, "tea")
    store.close()
    file = tmp_path / "deployment.toml"
    file.write_text("[contacts]\nhold_out = 0.5\n")
    settings = lead.ServingSettings(bundles=bundle_root, store=url, deployment=file)
    wish = lead.Wish(placement="for_you", customers="all", part_size=20, offers="email")
    out = tmp_path / "mails"

    def stop(_: str, done: int, __: int | None = None) -> None:
        if done >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lead.export(wish, settings, out, of_all, processes=1, progress=stop)
    apart = tmp_path / "mails.part" / "_held-out-00000.parquet"
    before = pl.read_parquet(apart)
    if damage == "gone":
        apart.unlink()
    else:
        apart.write_bytes(apart.read_bytes()[:-7] + b"garbage")
    assert lead.export(wish, settings, out, of_all, processes=1).resumed == 1
    assert pl.read_parquet(out / "_held-out-00000.parquet").equals(before)
    everybody = {row["customer_id"] for row in (*rows(tmp_path), *held_out(tmp_path))}
    told = json.loads((out / "_manifest.json").read_text())["customers"]
    assert len(everybody) == told["written"] + told["held_out"] == told["asked"]


def test_held_out_customers_can_be_listed_without_their_offer(
    words: list[str], url: str, tmp_path: Path
) -> None:
    store = open_store(url)
    put(store, "tea")
    store.close()
    (tmp_path / "deployment.toml").write_text("[contacts]\nhold_out = 0.5\n")
    said = run(words, "--offers", "email", "--held-out", "listed")
    found = rows(tmp_path)
    kept = [row for row in found if row["assignment"] == "held-out"]
    assert len(kept) > 10
    assert f"{len(kept)} held out, listed without offers" in said
    assert all(row["offer"] is None and row["items"] for row in kept)
    assert held_out(tmp_path) == []
    assert "held_out" in run(words, "--offers", "email", "--held-out", "gone", status=2)


def test_attributes_are_columns_and_numbers_are_plain(
    words: list[str], url: str, tmp_path: Path
) -> None:
    store = open_store(url)
    attributes = {
        "code": "X1",
        "points": 12.0,
        "share": 0.1 + 0.2,
        "vip": True,
        "pictures": ["a.png", 2.0],
        "mixed": 3,
    }
    put(store, "tea", kind="amount", discount=12.0, attributes=attributes, priority=1)
    other = {"code": "Y", "mixed": "three"}
    put(store, "coffee", discount=0.1 + 0.2, kind="amount", attributes=other)
    put(store, "banner", channels=["web"], attributes={"size": 3})
    store.close()
    names = ["code", "mixed", "pictures", "points", "share", "vip"]
    run(words, "--offers", "email", "--fresh")
    offer = rows(tmp_path)[0]["offer"]
    assert [name for name in offer if name.startswith("attribute_")] == [
        f"attribute_{name}" for name in names
    ]
    assert [offer[f"attribute_{name}"] for name in names] == [
        *("X1", "3", '["a.png", 2]', 12.0, 0.3, True)
    ]
    assert offer["discount"] == 12.0
    run(words, "--offers", "email", "--format", "csv")
    told = json.loads((tmp_path / "mails" / "_manifest.json").read_text())
    name, *_ = told["files"]
    table = pl.read_csv(tmp_path / "mails" / name, infer_schema=False)
    [line, *_] = table.to_dicts()
    assert [line[f"offer_attribute_{name}"] for name in names] == [
        *("X1", "3", '["a.png", 2]', "12", "0.3", "true")
    ]
    assert line["offer_discount"] == "12"
    prices = {line[f"item_{place}_price"] for line in table.to_dicts() for place in (1, 2, 3)}
    assert {price for price in prices if price and not price.isdigit()} == set()
    run(words, "--offers", "email", "--format", "jsonl")
    text = (tmp_path / "mails" / "part-00000.jsonl").read_text()
    assert '"discount":12,' in text
    assert '"attribute_points":12,"attribute_share":0.3,"attribute_vip":true' in text
    told_attributes = json.loads(text.splitlines()[0])["offer"]["attributes"]
    assert told_attributes.startswith('{"code":"X1","points":12,"share":0.3,')


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_lists_say_when_items_are_due(
    words: list[str], url: str, tmp_path: Path, form: str, loaded: Recommender
) -> None:
    open_store(url).close()
    again = ["buy_again" if word == "for_you" else word for word in words]
    run(again, "--format", form)
    out = tmp_path / "mails"
    told = json.loads((out / "_manifest.json").read_text())
    moment = int(datetime.fromisoformat(told["query_time"]).timestamp())
    name, *_ = told["files"]
    if form == "csv":
        [line, *_] = pl.read_csv(out / name, infer_schema=False).to_dicts()
        first = {key[7:]: line[key] for key in line if key.startswith("item_1_")}
    elif form == "jsonl":
        line = json.loads((out / name).read_text().splitlines()[0])
        first = line["items"][0]
    else:
        line = pl.read_parquet(out / name).to_dicts()[0]
        first = line["items"][0]
    query = Query("buy_again", moment, customer_id=line["customer_id"], limit=3)
    [answer] = loaded.recommend([query])
    expected = answer.items[0].replenishment
    assert expected is not None
    assert str(first["due_date"]) == str(datetime.fromtimestamp(expected.due_time, UTC).date())
    for days in (7, 14, 28):
        chance = getattr(expected, f"probability_{days}_days")
        assert float(first[f"probability_{days}_days"]) == pytest.approx(chance, rel=1e-6)


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
