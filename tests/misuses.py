"""Slips of callers and operators, each really made, with what is said to each.

`docs/errors.md` shows them as a table; `tests/integration/test_misuses.py` holds the two equal,
and writes the table anew where the environment has WRITE_MISUSES=1.
"""

import io
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from recsys.client import PageSlot, RecsysClient, ShopEvent
from recsys.errors import RecsysError
from recsys.store.folder import WriterLock
from tests.shops import day
from tests.small_shop import shop_events, shop_items

Call = Callable[[RecsysClient], Any]
SEEN: dict[str, Any] = {"event_type": "view", "customer_id": "c-1", "item_id": "tea-1"}
AT = {"event_time": datetime(2026, 3, 1, tzinfo=UTC), "event_id": "e-1"}
NAIVE = day(3).replace(tzinfo=None)
AWAY = "127.0.0.1:1"


@dataclass(frozen=True, slots=True)
class Slip:
    """Something that somebody does wrong in a call of the client."""

    shown: str
    """As it would be written."""
    call: Call


CALLS = (
    Slip(
        'recommend("for_you", custmer_id="c-1")',
        lambda c: c.recommend("for_you", custmer_id="c-1"),
    ),
    Slip(
        'recommend("for_you", page_size=5)',
        lambda c: c.recommend("for_you", page_size=5),
    ),
    Slip(
        'recommend("for_you", customer_id=17850)',
        lambda c: c.recommend("for_you", customer_id=17850),
    ),
    Slip(
        'recommend("for_you", exclude_item_ids="tea-1")',
        lambda c: c.recommend("for_you", exclude_item_ids="tea-1"),
    ),
    Slip(
        'recommend("for_you", item_fields="title")',
        lambda c: c.recommend("for_you", item_fields="title"),
    ),
    Slip('recommend("for_you", limit=-1)', lambda c: c.recommend("for_you", limit=-1)),
    Slip(
        'recommend("for_you", query_time=datetime(2026, 1, 4))',
        lambda c: c.recommend("for_you", query_time=NAIVE),
    ),
    Slip('recommend("")', lambda c: c.recommend("")),
    Slip('recommend("for_yu")', lambda c: c.recommend("for_yu")),
    Slip('recommend("for_you", purpose="mail")', lambda c: c.recommend("for_you", purpose="mail")),
    Slip(
        'recommend("for_you", filter="colour = 1")',
        lambda c: c.recommend("for_you", filter="colour = 1"),
    ),
    Slip('recommend("for_you", timeout_s=0)', lambda c: c.recommend("for_you", timeout_s=0)),
    Slip(
        'recommend_page([PageSlot("for_you", limit=-1)])',
        lambda c: c.recommend_page([PageSlot("for_you", limit=-1)]),
    ),
    Slip(
        'write_events([{"event_type": "view"}])',
        lambda c: c.write_events([{"event_type": "view"}]),
    ),
    Slip(
        'write_events(ShopEvent(event_type="view", ...))',
        lambda c: c.write_events(ShopEvent(**SEEN, **AT)),
    ),
    Slip(
        'write_events([ShopEvent(..., quantity=float("nan"))])',
        lambda c: c.write_events([ShopEvent(**SEEN, **AT, quantity=float("nan"))]),
    ),
    Slip(
        'write_events([ShopEvent(event_type="store_visit", ...)])',
        lambda c: c.write_events([ShopEvent(**(SEEN | {"event_type": "store_visit"}), **AT)]),
    ),
    Slip(
        'write_events([ShopEvent(event_type="Order Completed", customer_id="c-1")])',
        lambda c: c.write_events(
            [ShopEvent(event_type="Order Completed", customer_id="c-1", **AT)]
        ),
    ),
    Slip("ShopEvent(custmer_id=...)", lambda _: ShopEvent(event_type="view", custmer_id="c-1")),
    Slip(
        'upsert_items([{"item_id": "tea-1", "price": "9,99"}])',
        lambda c: c.upsert_items([{"item_id": "tea-1", "price": "9,99"}]),
    ),
    Slip(
        'upsert_items([{"item_id": "tea-1", "created_at": "2026-01-01"}])',
        lambda c: c.upsert_items([{"item_id": "tea-1", "created_at": "2026-01-01"}]),
    ),
    Slip("erase_customer()", lambda c: c.erase_customer()),
    Slip('RecsysClient("localhost:50051")', lambda _: RecsysClient("localhost:50051")),
    Slip(
        'RecsysClient(["http://localhost:50051"])',
        lambda _: RecsysClient(["http://localhost:50051"]),
    ),
    Slip("a server that is not up", lambda _: away().recommend("for_you")),
)
"""Made with a client of a real server that has the small shop and a store."""

COMMANDS = (
    "training prepare --events nothing.csv --out out",
    "training prepare --events picture.csv --out out",
    "training prepare --events parquet.csv --out out",
    "training prepare --events events.csv --out notes.txt/out",
    "training prepare --events events.csv --mapping settings.yaml --out out",
    "training run --data nothing --bundles bundles",
    "training run --data data --bundles notes.txt",
    "training run --data data --bundles bundles --config latin.toml",
    "training run --data data --bundles bundles --config folder",
    "training run --data data --bundles bundles --config key.toml",
    "training run --data data --bundles bundles --config own.toml",
    "training run --data data --bundles bundles --budget -5s",
    "training bundles list --bundles folder",
    "training store info store://folder",
    "evaluation run --train events.csv --test nothing.csv",
    "evaluation run --data data --k 0",
    "evaluation run --data data --placements for_yu",
    "evaluation run --data data --cutoff 2026-13-01",
    "evaluation run --data data --json notes.txt/figures.json",
    "evaluation compare --data data --config default --metric ndgc",
    "serving run",
    "serving run --bundles bundles --config serving.toml",
    "serving run --bundles bundles --deployment deployment.toml",
    "serving writer (a store that another process writes to)",
    "serving offers list --target 127.0.0.1:1",
)
"""Run in a folder with the files that `room` makes."""


def away() -> RecsysClient:
    """Returns a client of a server that is not there."""
    return RecsysClient([AWAY], timeout_s=5)


def room(folder: Path) -> None:
    """Fills a folder with good and bad files, and a prepared data set."""
    shop_events().write_csv(folder / "events.csv")
    shop_events().write_parquet(folder / "parquet.csv")
    shop_items().select("item_id", "title", "price").write_csv(folder / "items.csv")
    (folder / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (folder / "notes.txt").write_text("hello\n")
    (folder / "folder").mkdir()
    (folder / "latin.toml").write_bytes("# café\n".encode("latin-1"))
    (folder / "settings.yaml").write_text("events:\n  delimiter: ','\n")
    (folder / "key.toml").write_text('[models.popularity]\nkind = "popularity"\nhalf_life = 3\n')
    (folder / "own.toml").write_text('[sources]\nmine = { kind = "own_sources:Mine" }\n')
    (folder / "own_sources.py").write_text("import math\n\nmath.sqroot(2)\n")
    (folder / "serving.toml").write_text("proceses = 2\n")
    (folder / "deployment.toml").write_text("[experimnts.a]\n")
    prepare = "training prepare --events events.csv --items items.csv --out data"
    assert command(prepare) == ""


def call(slip: Slip, client: RecsysClient) -> str:
    """Returns the class and the text of what a call raises."""
    try:
        slip.call(client)
    except RecsysError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def command(words: str) -> str:
    """Returns the line with which a command ends, empty if all went well."""
    if words.startswith("serving writer"):
        return _locked()
    program, *arguments = words.split()
    with (
        redirect_stdout(io.StringIO()),
        redirect_stderr(io.StringIO()) as complaint,
        patch.object(sys, "argv", [program, *arguments]),
        patch.dict("os.environ", {"COLUMNS": "400", "NO_COLOR": "1"}),
    ):
        try:
            _main(program)()
        except SystemExit as end:
            status = int(end.code or 0)
        else:
            status = 0
    text = complaint.getvalue().strip()
    last = re.split(r"^(?=error: )", text, flags=re.MULTILINE | re.IGNORECASE)[-1]
    return f"{' '.join(last.split())} (exit {status})" if status else ""


def _main(program: str) -> Callable[[], object]:
    """Returns what a program runs; each is imported where it is needed."""
    if program == "training":
        from training.cli import main  # noqa: PLC0415

        return main
    if program == "evaluation":
        from evaluation.cli import main as evaluate  # noqa: PLC0415

        return evaluate
    from serving.cli import app  # noqa: PLC0415

    return lambda: app(prog_name="python -m serving")


def _locked() -> str:
    """Returns what a second writer of a store says."""
    from recsys.store.open import open_store  # noqa: PLC0415

    folder = Path("locked")
    folder.mkdir()
    lock = WriterLock.take(folder)
    assert lock is not None
    try:
        with patch("recsys.store.open.TAKE_OVER_S", 0.0):
            open_store(f"store://{folder}", role="writer")
    except RecsysError as error:
        text = re.sub(r"process \d+ \(.*\)", "process 4711 (python -m serving run)", str(error))
        return f"error: {text} (exit 1)"
    finally:
        lock.release()
    return ""


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Returns rows as a table of Markdown."""
    lines = ["| what is done | what is said |", "| --- | --- |"]
    for done, told in rows:
        cell = told.replace("|", "\\|").replace("<", "&lt;")
        lines.append(f"| `{done}` | {cell} |")
    return "\n".join(lines)
