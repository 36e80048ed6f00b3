"""Check 5: a new user's own files, first good ones, then broken in the usual ways."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from recsys.data.dataset import Dataset
from tests.qualification.broken_files import BROKEN, HEADER, Broken, Lines
from tests.qualification.commands import Outcome
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, at_most, equal, figure, says
from tests.qualification.servers import client_of, started

CUSTOMERS, LIMIT_S = 200, 600


def run(room: Room) -> Iterator[Row]:
    """Goes from a CSV with foreign column names to an answer, then breaks the file."""
    lines = _orders(room.demo_data())
    with TemporaryDirectory(prefix="recsys-") as folder:
        yield from _first_contact(room, Path(folder), lines)
        for number, broken in enumerate(BROKEN):
            yield from _refused(room, Path(folder) / f"broken-{number}", broken, lines)


def _orders(data: Path) -> Lines:
    """Returns what some customers of the demo data bought, under other names."""
    events = Dataset.open(data).events
    chosen = events.select(pl.col("customer_id").unique()).collect().to_series().sort()
    rows = (
        events.filter(pl.col("customer_id").is_in(chosen.head(CUSTOMERS).implode()))
        .select("basket_id", "customer_id", "item_id", "event_time", "quantity", "unit_price")
        .with_columns(pl.col("event_time").dt.strftime("%Y-%m-%d %H:%M:%S"))
        .with_columns(pl.col("unit_price").round(2))
        .collect()
    )
    return rows.write_csv(include_header=False).splitlines()


def _first_contact(room: Room, folder: Path, lines: Lines) -> Iterator[Row]:
    """The README's three commands, and a list over a real port."""
    began = time.monotonic()
    file, data, bundles = folder / "orders.csv", folder / "data", folder / "bundles"
    _write(file, lines)
    words = ["-m", "training", "prepare", "--events", file, "--out", data]
    yield _took("prepare", room.must("5-prepare", *words))
    words = ["-m", "evaluation", "run", "--data", data, "--budget", "60s"]
    yield _took("evaluate", room.must("5-evaluate", *words))
    words = ["-m", "training", "run", "--data", data, "--bundles", bundles, "--budget", "60s"]
    yield _took("fit", room.must("5-fit", *words))
    log = room.folder / "logs" / "5-server.log"
    with started(room.root, bundles, log) as server, client_of(server) as client:
        customer = lines[0].split(",")[1]
        answer = client.recommend("for_you", customer_id=customer, limit=10)
        yield equal("items for a known customer", len(answer.items), 10)
        yield equal("their tier", answer.tier.name, "PERSONALISED")
    yield equal("events kept", len(pl.read_parquet(data / "events.parquet")), len(lines))
    yield at_most("from CSV to a list, seconds", time.monotonic() - began, LIMIT_S)


def _took(what: str, outcome: Outcome) -> Row:
    return figure(f"{what}, seconds", outcome.seconds)


def _write(file: Path, lines: Lines, header: str = HEADER) -> None:
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def _refused(room: Room, folder: Path, broken: Broken, lines: Lines) -> Iterator[Row]:
    """Prepares a broken file and compares what happens with what should."""
    folder.mkdir()
    file, out = folder / "orders.csv", folder / "data"
    spoilt = broken.spoil([HEADER, *lines])
    file.write_text("".join(f"{line}\n" for line in spoilt), encoding="utf-8")
    words = ["-m", "training", "prepare", "--events", file, "--out", out, *broken.options]
    outcome = room.python(f"5-{folder.name}", *words)
    yield equal(f"{broken.what}: exit status", outcome.status, broken.status)
    yield says(f"{broken.what}: says", _said(outcome.output, folder), *broken.words)
    yield equal(f"{broken.what}: tracebacks", outcome.output.count("Traceback"), 0)
    for reason in broken.reasons:
        found = [
            row for path in folder.rglob("rejects.csv") for row in path.read_text().splitlines()
        ]
        rows = sum(f",{reason}," in row for row in found)
        yield at_least(f"{broken.what}: rejects.csv: {reason}", rows, 10)


def _said(output: str, folder: Path) -> str:
    """Returns the error, or else the rejects and what is said at the end, without frames."""
    words = " ".join(output.replace(f"{folder}/", "").translate(_FRAMES).split())
    if "error:" in words:
        return words[words.index("error:") :]
    rejects = re.search(r"rejected because rows (.*) Content", words)
    last = re.search(r"(look at:|Every rejected row|Prepared data set).*", words)
    return " / ".join(found[0].removesuffix(" Content") for found in (rejects, last) if found)


_FRAMES = str.maketrans(dict.fromkeys("┏━┳┓┃┡╇┩│└─┴┘┌┐├┤┬┼", " "))
