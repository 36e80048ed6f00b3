"""Lists of many customers as files: a server's, whole, once, for those who want them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from recsys.client import Consent, RecsysClient, ShopEvent
from recsys.live.attribution import Tokens
from recsys.store.open import open_store
from recsys.store.tables import impressions
from serving.cli import app
from serving.export import lead
from serving.export.audience import of_all
from serving.export.folder import Folder
from serving.processes.served_store import served_store
from serving.settings import ServingSettings
from tests.integration.serving.shop_server import NOW, shop_client
from tests.small_shop import CUSTOMERS

EVERYBODY = [f"customer-{number:02}" for number in range(CUSTOMERS)] + ["newcomer"]
ROOT = Path(__file__).parents[3]
ANNA, BEN, CARA = "customer-02", "customer-03", "customer-04"
LINK = "https://shop.example/p/{item_id}?c={customer_id}&r={rank}&t={token}"


pytestmark = pytest.mark.usefixtures("logging_as_it_is")


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"store://{tmp_path / 'store'}"
    open_store(url).close()
    return url


@pytest.fixture
def client(bundle_root: Path, url: str) -> Iterator[RecsysClient]:
    """Of a server that owns the store; the command writes through it."""
    settings = ServingSettings(bundles=bundle_root, store=url)
    with served_store(settings) as store, shop_client(bundle_root, store) as client:
        yield client


class Exports:
    """Runs the command."""

    def __init__(self, bundles: Path, url: str, out: Path) -> None:
        self.bundles, self.url, self.out = bundles, url, out

    def words(self, *more: str, placement: str = "for_you", processes: int = 1) -> list[str]:
        base = ["export", "--placement", placement, "--bundles", str(self.bundles)]
        base += ["--store", self.url] if self.url else []
        return [*base, "--out", str(self.out), "--processes", str(processes), *more]

    def run(self, *more: str, status: int = 0, **changes) -> str:
        done = CliRunner().invoke(app, self.words(*more, **changes))
        assert done.exit_code == status, (done.output, done.exception)
        return done.output

    @property
    def manifest(self) -> dict:
        return json.loads((self.out / "_manifest.json").read_text())

    def rows(self) -> list[dict]:
        files = [self.out / name for name in self.manifest["files"]]
        return pl.concat([pl.read_parquet(file) for file in files]).to_dicts()


@pytest.fixture
def exports(bundle_root: Path, url: str, tmp_path: Path) -> Exports:
    return Exports(bundle_root, url, tmp_path / "mails")


def shown(url: str) -> dict:
    store = open_store(url, role="reader")
    with store.read() as session:
        found = impressions.latest(session, 10_000)
    store.close()
    return {each.request_id: each for each in found}


def test_an_export_is_what_a_server_answers(
    exports: Exports, client: RecsysClient, url: str
) -> None:
    bought = datetime.fromtimestamp(NOW - 600, UTC)
    client.write_events(
        [ShopEvent(event_type="view", customer_id=ANNA, item_id="item-21", event_time=bought)]
    )
    exports.run("--all", "--limit", "5", "--link", LINK, "--fields", "title,price,category")
    told = exports.manifest
    rows = exports.rows()
    assert len(rows) == told["customers"]["written"] == len(EVERYBODY)
    assert len({row["customer_id"] for row in rows}) == len(EVERYBODY)
    moment = datetime.fromisoformat(told["query_time"])
    by_id = {row["customer_id"]: row for row in rows}
    for customer_id in (ANNA, BEN, CARA):
        answer = client.recommend(
            "for_you",
            customer_id=customer_id,
            limit=5,
            query_time=moment,
            purpose="email",
            item_fields=["title", "price", "category"],
        )
        row = by_id[customer_id]
        assert [item["item_id"] for item in row["items"]] == [
            item.item_id for item in answer.items
        ]
        assert [item["reason"] for item in row["items"]] == [
            item.reason.code for item in answer.items
        ]
        for item, listed in zip(row["items"], answer.items, strict=True):
            assert item["score"] == pytest.approx(listed.score, rel=1e-6)
            named = {name: item[name] for name in listed.details}
            assert named == dict(listed.details)
            assert item["link"] == (
                f"https://shop.example/p/{item['item_id']}?c={customer_id}&r={item['rank']}"
                f"&t={row['attribution_token']}"
            )
    store = open_store(url, role="reader")
    read = Tokens(store.secret).read(by_id[ANNA]["attribution_token"])
    store.close()
    assert read is not None
    assert (read.request_id, read.placement) == (by_id[ANNA]["request_id"], "for_you")


def test_the_store_knows_what_everybody_got(exports: Exports, url: str) -> None:
    exports.run("--all", "--limit", "3", "--part-size", "7")
    logged = shown(url)
    rows = exports.rows()
    assert set(logged) == {row["request_id"] for row in rows}
    for row in rows:
        row_shown = logged[row["request_id"]]
        assert row_shown.customer_id == row["customer_id"]
        assert row_shown.item_ids == [item["item_id"] for item in row["items"]]
    assert len(exports.manifest["files"]) == -(-len(EVERYBODY) // 7)
    exports.run("--all", "--limit", "3", "--no-impressions")
    assert set(shown(url)) == set(logged)


def test_who_refused_and_who_was_erased_gets_none(exports: Exports, client: RecsysClient) -> None:
    client.set_consent(ANNA, Consent(use_in_email=False))
    client.erase_customer(BEN)
    exports.run("--all")
    names = {row["customer_id"] for row in exports.rows()}
    assert not names & {ANNA, BEN}
    told = exports.manifest["customers"]
    assert (told["refused"], told["erased"], told["written"]) == (1, 1, len(EVERYBODY) - 2)
    exports.run("--all", "--on-site")
    assert ANNA in {row["customer_id"] for row in exports.rows()}


def test_customers_of_a_file_come_in_its_order_and_once(exports: Exports, tmp_path: Path) -> None:
    plain = tmp_path / "ids.txt"
    plain.write_text(f"{CARA}\n\nsomebody new\n{ANNA}\n{CARA}\n")
    exports.run("--customers", str(plain))
    assert [row["customer_id"] for row in exports.rows()] == [CARA, "somebody new", ANNA]
    assert exports.manifest["customers"]["repeated"] == 1
    table = tmp_path / "ids.csv"
    table.write_text(f"region,customer_id\nnorth,{ANNA}\nsouth,007\n")
    exports.run("--customers", str(table))
    assert [row["customer_id"] for row in exports.rows()] == [ANNA, "007"]
    pl.DataFrame({"customer_id": [BEN]}).write_parquet(tmp_path / "ids.parquet")
    exports.run("--customers", str(tmp_path / "ids.parquet"), placement="buy_again")
    assert [row["customer_id"] for row in exports.rows()] == [BEN]


def test_a_segment_is_its_label(exports: Exports) -> None:
    exports.run("--segment", "region=south")
    found = {row["customer_id"] for row in exports.rows()}
    assert found == {f"customer-{number:02}" for number in range(0, 50, 3)}
    text = exports.run("--segment", "region=west", status=2)
    assert "region=north" in text


def test_those_whom_the_store_alone_knows_are_customers(
    exports: Exports, client: RecsysClient
) -> None:
    seen = datetime.fromtimestamp(NOW - 600, UTC)
    client.write_events(
        [
            ShopEvent(event_type="view", item_id="item-02", event_time=seen, **who)
            for who in ({"customer_id": "new one"}, {"visitor_id": "v1"}, {"visitor_id": "v2"})
        ]
    )
    client.identify_customer("v2", "found")
    exports.run("--all")
    names = [row["customer_id"] for row in exports.rows()]
    assert {"new one", "found"} < set(names)
    assert names == sorted(names)
    assert not any(name.startswith("visitor/") for name in names)


def test_empty_lists_are_left_out(exports: Exports, tmp_path: Path) -> None:
    plain = tmp_path / "ids.txt"
    plain.write_text(f"{ANNA}\nnobody\n")
    exports.run("--customers", str(plain), placement="buy_again")
    assert [row["customer_id"] for row in exports.rows()] == [ANNA]
    assert exports.manifest["customers"]["empty"] == 1


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_other_forms_say_the_same(exports: Exports, form: str) -> None:
    words = ["--segment", "region=north", "--limit", "4", "--fields", "title,category,created_at"]
    exports.run(*words, "--no-impressions")
    rows = exports.rows()
    exports.run(*words, "--no-impressions", "--format", form, "--part-size", "9")
    files = [exports.out / name for name in exports.manifest["files"]]
    assert [file.suffix for file in files] == [f".{form}"] * len(files)
    assert len(files) == -(-len(rows) // 9)
    if form == "jsonl":
        told = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        for row, line in zip(rows, told, strict=True):
            assert row["customer_id"] == line["customer_id"]
            for item, same in zip(row["items"], line["items"], strict=True):
                assert item["item_id"] == same["item_id"]
                assert item["title"] == same["title"]
                assert item["category"] == same["category"]
    else:
        told = pl.concat([pl.read_csv(file, infer_schema=False) for file in files]).to_dicts()
        for row, line in zip(rows, told, strict=True):
            assert row["customer_id"] == line["customer_id"]
            for place in range(4):
                item = row["items"][place] if place < len(row["items"]) else None
                assert line[f"item_{place + 1}_id"] == (item and item["item_id"])
                if item and item["category"]:
                    assert line[f"item_{place + 1}_category"] == " > ".join(item["category"])
                    assert line[f"item_{place + 1}_created_at"].startswith("2026-01-01T00:00:00")


def test_several_processes_make_the_same_files(exports: Exports) -> None:
    words = ["--all", "--part-size", "16", "--no-impressions"]
    exports.run(*words)
    alone = exports.rows()
    exports.run(*words, processes=2)
    together = exports.rows()
    plain = [
        [(row["customer_id"], [item["item_id"] for item in row["items"]]) for row in rows]
        for rows in (alone, together)
    ]
    assert plain[0] == plain[1]


def test_one_that_was_killed_goes_on(exports: Exports, url: str) -> None:
    words = [sys.executable, "-m", "serving", *exports.words("--all", "--part-size", "2")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    part = exports.out.with_name("mails.part")
    killed = 0
    while killed < 1 and not exports.out.exists():
        before = len(list(part.glob("_part-*.json")))
        process = subprocess.Popen(words, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while (
            len(list(part.glob("_part-*.json"))) < before + 3
            and process.poll() is None
            and time.monotonic() < deadline
        ):
            time.sleep(0.002)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
    assert killed
    assert not exports.out.exists()
    begun = json.loads((part / "_job.json").read_text())
    text = exports.run("--all", "--part-size", "2")
    assert "files were there already" in text
    told, rows = exports.manifest, exports.rows()
    assert told["export_id"] == begun["export_id"]
    assert datetime.fromisoformat(told["query_time"]).timestamp() == begun["query_time"]
    assert sorted(row["customer_id"] for row in rows) == EVERYBODY
    logged = shown(url)
    assert set(logged) == {row["request_id"] for row in rows}
    assert not part.exists()
    assert sorted(path.name for path in exports.out.iterdir()) == sorted(
        ["_manifest.json", *told["files"]]
    )
    assert not list(exports.out.parent.glob("*.lock"))


def test_what_was_begun_is_not_mixed_with_another(exports: Exports) -> None:
    exports.run("--all", "--part-size", "30")
    part = exports.out.with_name("mails.part")
    exports.out.rename(part)  # as if the last step had not been taken
    (part / "_job.json").write_text("{}")
    exports.run("--all", "--part-size", "30")  # what cannot be read is begun anew
    assert exports.manifest["customers"]["written"] == len(EVERYBODY)


def test_a_damaged_part_is_made_again(exports: Exports) -> None:
    taken = []

    def stop(_: str, done: int, __: int | None = None) -> None:
        taken.append(done)
        if done >= 20:
            raise KeyboardInterrupt

    settings = lead.ServingSettings(bundles=exports.bundles, store=exports.url)
    wish = lead.Wish(placement="for_you", customers="all", part_size=10)
    with pytest.raises(KeyboardInterrupt):
        lead.export(wish, settings, exports.out, of_all, processes=1, progress=stop)
    part = exports.out.with_name("mails.part")
    damaged = part / "part-00000.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-7] + b"garbage")
    other = wish.model_copy(update={"limit": 3})
    with pytest.raises(lead.ConfigError, match="--fresh begins anew"):
        lead.export(other, settings, exports.out, of_all, processes=1)
    made = lead.export(wish, settings, exports.out, of_all, processes=1)
    assert made.resumed == 1
    assert len(exports.rows()) == len(EVERYBODY)


def test_an_erasure_in_between_begins_anew(exports: Exports, url: str) -> None:
    erased = []

    def erase(_: str, done: int, __: int | None = None) -> None:
        if done == 30 and not erased:
            erased.append(ANNA)
            store = open_store(url)
            with shop_client(exports.bundles, store) as client:
                client.erase_customer(ANNA)
            store.close()

    settings = lead.ServingSettings(bundles=exports.bundles, store=url)
    wish = lead.Wish(placement="for_you", customers="all", part_size=10)
    made = lead.export(wish, settings, exports.out, of_all, processes=1, progress=erase)
    assert erased
    assert made.manifest["customers"]["erased"] == 1
    assert ANNA not in {row["customer_id"] for row in exports.rows()}


def test_what_is_wrong_is_told_before_any_work(exports: Exports, tmp_path: Path) -> None:
    plain = tmp_path / "ids.txt"
    plain.write_text("visitor/1\n")
    assert "say who" in exports.run(status=2)
    assert "say who" in exports.run("--all", "--segment", "a", status=2)
    assert "customer 1" in exports.run("--customers", str(plain), status=2)
    assert "format" in exports.run("--all", "--format", "xml", status=2)
    assert "no such placement" in exports.run("--all", placement="no such placement", status=2)
    assert "at character 0" in exports.run("--all", "--filter", "nothing < 3", status=2)
    assert "item_fields[1]" in exports.run("--all", "--fields", "title,nothing", status=2)
    assert "{name}" in exports.run("--all", "--link", "https://x/{name}", status=2)
    assert "{item_id}" in exports.run("--all", "--link", "https://x/{item_id.__class__}", status=2)
    assert "limit" in exports.run("--all", "--limit", "0", status=2)
    exports.out.mkdir()
    (exports.out / "precious").write_text("x")
    assert "is no export" in exports.run("--all", status=1)
    assert (exports.out / "precious").exists()
    assert not exports.out.with_name("mails.part").exists()


def test_without_a_store_there_are_no_tokens(bundle_root: Path, tmp_path: Path) -> None:
    exports = Exports(bundle_root, "", tmp_path / "mails")
    exports.run("--all", "--limit", "2")
    rows = exports.rows()
    assert len(rows) == len(EVERYBODY)
    assert {row["attribution_token"] for row in rows} == {""}


def test_two_into_one_folder_do_not_mix(exports: Exports) -> None:
    with Folder(exports.out).held():
        assert "at work" in exports.run("--all", status=2)
    exports.run("--all")
