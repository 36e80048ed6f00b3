"""Check 8: 100,000 customers' lists as files; killed half-way and resumed, complete and once."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from recsys.data.dataset import CUSTOMERS_FILE, EVENTS_FILE, ITEMS_FILE
from recsys.store.consent import Consent
from recsys.store.customers import Customers
from recsys.store.events import LogEvent
from recsys.store.open import open_store
from tests.qualification.check_08_fit_scale import repeat
from tests.qualification.commands import own_environment
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_most, between, equal, figure

TIMES = 41
"""Copies of the demo's customers, of whom there are some 2,470."""
LATEST = 20
"""Events that each customer has."""
REFUSED, LIVE = 500, 2_000
"""Customers who refuse mail, and customers with an event since the bundle was fitted."""
PROCESSES = 2
PART = 2_500
"""Customers in one file."""
MOST_SECONDS = 1_800
MOST_MB = 2_048
WORDS = (
    *("--all", "--limit", "10", "--link", "https://shop.example/{item_id}?t={token}"),
    *("--processes", PROCESSES, "--part-size", PART),
)


def run(room: Room) -> Iterator[Row]:
    """Exports everybody, in all forms and once broken off, and looks at what is there."""
    room.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=room.folder, prefix="export-") as name:
        folder = Path(name)
        customers = _data(room, folder)
        words = ["--data", folder / "data", "--bundles", folder / "bundles"]
        room.must("offers-8-fit", "-m", "training", "run", "--no-choose", *words)
        url = f"store://{folder / 'store'}"
        _fill(url, customers)
        yield from _whole(room, folder, url, customers)
        yield from _broken_off(room, folder, url, customers)


def _data(room: Room, folder: Path) -> list[str]:
    """Writes copies of the demo's customers, each with the latest events; returns them."""
    room.step(f"make {TIMES} x the demo's customers")
    demo, base = room.demo_data(), folder / "base"
    base.mkdir()
    events = pl.read_parquet(demo / EVENTS_FILE)
    latest = events.sort("event_time", "event_id").group_by("customer_id").tail(LATEST)
    latest.write_parquet(base / EVENTS_FILE)
    for name in (CUSTOMERS_FILE, ITEMS_FILE):
        pl.read_parquet(demo / name).write_parquet(base / name)
    (folder / "data").mkdir()
    (folder / "data" / "report.json").write_text((demo / "report.json").read_text())
    repeat(base, folder / "data", TIMES)
    names = pl.scan_parquet(folder / "data" / EVENTS_FILE).select("customer_id").unique()
    return sorted(names.collect()["customer_id"])


def _fill(url: str, customers: Sequence[str]) -> None:
    """Stores who refuses mail, and something new about others."""
    store = open_store(url)
    items = ["unseen-1", "unseen-2"]
    now = int(datetime(2018, 1, 2, tzinfo=UTC).timestamp()) * 1_000_000
    kept = customers[REFUSED : REFUSED + LIVE]
    store.append(
        [
            LogEvent(None, each, None, None, items[n % 2], None, "view", now + n)
            for n, each in enumerate(kept)
        ]
    )
    for each in customers[:REFUSED]:
        Customers(store).set_consent(each, Consent(use_in_email=False))
    store.close()


def _words(folder: Path, url: str, out: Path, form: str) -> list[object]:
    places = ("--bundles", folder / "bundles", "--store", url, "--out", out, "--format", form)
    return ["-m", "serving", "export", "--placement", "for_you", *WORDS, *places]


def _whole(room: Room, folder: Path, url: str, customers: Sequence[str]) -> Iterator[Row]:
    out = folder / "csv"
    done = room.must("offers-8-whole", *_words(folder, url, out, "csv"))
    name = f"{len(customers):,} customers as CSV, {PROCESSES} processes"
    yield at_most(f"{name}: seconds", done.seconds, MOST_SECONDS)
    yield figure(f"{name}: customers a second", len(customers) / done.seconds)
    yield at_most(f"{name}: peak MiB of the biggest process", done.peak_mb, MOST_MB)
    files = json.loads((out / "_manifest.json").read_text())["files"]
    table = pl.concat([pl.read_csv(out / each, infer_schema=False) for each in files])
    yield equal(f"{name}: rows", len(table), len(customers) - REFUSED)
    yield equal(f"{name}: customers twice", int(table["customer_id"].is_duplicated().sum()), 0)
    short = table.filter(pl.col("item_10_id").is_null() | pl.col("item_1_link").is_null())
    yield equal(f"{name}: lists that are short or have no link", len(short), 0)


def _broken_off(room: Room, folder: Path, url: str, customers: Sequence[str]) -> Iterator[Row]:
    out = folder / "parquet"
    words = _words(folder, url, out, "parquet")
    room.step("export, killed half-way")
    parts = -(-len(customers) // PART)
    seconds, done, left = _killed(room, words, out.with_name("parquet.part"), parts // 2)
    yield figure("killed: after seconds", seconds)
    yield between("killed: files that were done", done, 1, parts - 1)
    yield equal("killed: processes that went on", left, 0)
    yield equal("killed: something under the export's name", str(out.exists()), "False")
    resumed = room.must("offers-8-resumed", *words)
    yield figure("resumed: seconds", resumed.seconds)
    yield at_most("resumed: peak MiB of the biggest process", resumed.peak_mb, MOST_MB)
    manifest = json.loads((out / "_manifest.json").read_text())
    again = resumed.output.partition(" files were there already")[0].rpartition(" ")[2]
    yield equal("resumed: files that were there already", again, str(done))
    table = pl.concat([pl.read_parquet(out / each) for each in manifest["files"]])
    wanted = set(customers[REFUSED:])
    yield equal("resumed: customers missing", len(wanted - set(table["customer_id"])), 0)
    yield equal("resumed: customers too many", len(set(table["customer_id"]) - wanted), 0)
    twice = int(table["customer_id"].is_duplicated().sum())
    yield equal("resumed: customers twice", twice, 0)
    yield equal("resumed: answers twice", int(table["request_id"].is_duplicated().sum()), 0)
    yield equal("resumed: counted", manifest["customers"]["written"], len(table))
    yield equal("resumed: refused", manifest["customers"]["refused"], REFUSED)
    yield from _shown(url, table)


def _killed(
    room: Room, words: Sequence[object], part: Path, enough: int
) -> tuple[float, int, int]:
    """Kills an export with -9 when so many files are done.

    Returns:
        The seconds until then, how many files were done, and how many of its processes were there
        five seconds later.
    """
    log = room.folder / "logs" / "offers-8-killed.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *map(str, words)],
            cwd=room.root,
            env=own_environment(room.root),
            stdout=output,
            stderr=output,
        )
        began = time.monotonic()
        while len(list(part.glob("_part-*.json"))) < enough and process.poll() is None:
            time.sleep(0.05)
        children = _children(process.pid)
        process.kill()
        process.wait()
    seconds = time.monotonic() - began
    done = len(list(part.glob("_part-*.json")))
    time.sleep(5)
    left = sum(Path(f"/proc/{pid}/exe").exists() for pid in children)
    return seconds, done, left


def _children(pid: int) -> list[int]:
    """Returns the processes that a process started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def _shown(url: str, table: pl.DataFrame) -> Iterator[Row]:
    """The store must know of each list of the resumed export once, and of no other."""
    store = open_store(url, role="reader")
    with store.read() as session:
        rows = session.rows("SELECT request_id, customer_id FROM impressions")
    store.close()
    logged = [(bytes(key).hex(), name) for key, name in rows]
    ids = set(table["request_id"])
    own = [each for each in logged if each[0] in ids]
    yield equal("resumed: lists that the store knows", len(own), len(table))
    whose = dict(table.select("request_id", "customer_id").iter_rows())
    wrong = sum(whose[key] != name for key, name in own)
    yield equal("resumed: lists logged as somebody else's", wrong, 0)
    # Two exports were made: the store knows of no list that is in neither.
    yield equal("lists in the store that no file has", len(logged) - 2 * len(table), 0)
