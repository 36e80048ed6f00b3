"""Check 9: files that say something wrong, to a server that has taken good ones before."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from recsys.client import RecsysClient
from tests.qualification.room import Room
from tests.qualification.rows import Row, equal
from tests.qualification.servers import Running, client_of, started

GOOD = """
[rules.popular.first]
kind = "pin"
item_id = "{first}"
position = 1
"""
BETTER = GOOD + '[rules.popular.none_of]\nkind = "exclude"\nitem_ids = ["{second}"]\n'
PIN = '{{ kind = "pin", item_id = "{}", position = 1 }}\n'
BAD: Mapping[str, tuple[str, str]] = {
    "unknown placement": (
        '[rules.nowhere.x]\nkind = "exclude"\nfilter = "price > 1"\n',
        r":1: rules\.nowhere\.x: placement 'nowhere' is not one of",
    ),
    "contradictory rules": (
        (
            '[rules.popular]\na = { kind = "include", filter = "price > 1" }\n'
            'b = { kind = "exclude", filter = "price > 1" }\n'
        ),
        r":3: rules\.popular\.b: with 'a' nothing is left",
    ),
    "overlapping pins": (
        f"[rules.popular]\na = {PIN.format('1')}b = {PIN.format('2')}",
        r":3: rules\.popular\.b\.position: 'a' pins '1' to place 1, too",
    ),
    "unknown column": (
        "[rules.popular.x]\nkind = \"exclude\"\nfilter = \"brand = 'a' AND colour = 'red'\"\n",
        r":3: rules\.popular\.x\.filter: there is no column 'colour'.*at character 16",
    ),
    "hostile filter": (
        "[filters.all]\nsql = \"read_csv('/etc/passwd') = 1\"\n",
        r":2: filters\.all\.sql: functions are not allowed.*at character 0",
    ),
    "filter without its parameter": (
        '[rules.popular.x]\nkind = "exclude"\nfilter = "price > :most"\n',
        r":1: rules\.popular\.x\.parameters: 'most' has no value",
    ),
    "typing error": (
        '[rules.popular.x]\nkind = "boost"\nfilter = "price > 1"\nfactr = 2\nfactor = 2\n',
        r":4: rules\.popular\.x\.boost\.factr: there is no such key",
    ),
    "not TOML": ("[rules.popular\n", r"not valid TOML: .*line 1"),
}
OFFERS: Mapping[str, tuple[str, str]] = {
    "offer without budget": (
        (
            '[offers.tea]\ntitle = "Tea"\nkind = "percent"\ndiscount = 10\nchannels = ["email"]\n'
            "cost.per_contact = 0.1\n"
        ),
        r":\d+: .*budget",
    ),
    "eligibility naming an unknown column": (
        (
            '[offers.news]\ntitle = "News"\nkind = "content"\nchannels = ["email"]\n'
            'eligibility = "shoe_size > 40"\n'
        ),
        r":5: .*shoe_size",
    ),
}
FOLLOWED_S = 20.0


def run(room: Room) -> Iterator[Row]:
    """Gives a running server bad files, each between two good ones."""
    bundles = room.demo_bundles()
    with TemporaryDirectory() as folder:
        file, store = Path(folder) / "shop.toml", f"store://{folder}/store"
        file.write_text("", encoding="utf-8")
        log = room.folder / "logs" / "bad-input-server.log"
        with (
            started(room.root, bundles, log, deployment=file, store=store) as server,
            client_of(server) as client,
        ):
            plain = _top(client)
            file.write_text(GOOD.format(first=plain[4]), encoding="utf-8")
            held = [plain[4], *plain[:4]]
            yield equal("a good file holds", str(_until(client, held) == held), "True")
            for what, (text, reason) in BAD.items():
                room.step(what)
                yield from _refused(room, server, client, (file, held), (what, text, reason))
            file.write_text(BETTER.format(first=plain[4], second=plain[0]), encoding="utf-8")
            after = [plain[4], *plain[1:4], plain[5]]
            yield equal("the next good file holds", str(_until(client, after) == after), "True")
            for what, (text, reason) in OFFERS.items():
                offers = Path(folder) / "offers.toml"
                offers.write_text(text, encoding="utf-8")
                words = ("-m", "serving", "offers", "load", offers, "--target", server.target)
                told = room.python(f"bad-{what.split()[0]}", *words)
                yield equal(f"{what}: exit status", told.status, 2)
                yield equal(f"{what}: file, line, reason", str(_says(told.output, reason)), "True")


def _refused(
    room: Room,
    server: Running,
    client: RecsysClient,
    held: tuple[Path, list[str]],
    bad: tuple[str, str, str],
) -> Iterator[Row]:
    (file, before), (what, text, reason) = held, bad
    count = len(server.lines("deployment.refused"))
    file.write_text(text, encoding="utf-8")
    end = monotonic() + FOLLOWED_S
    while len(server.lines("deployment.refused")) == count and monotonic() < end:
        sleep(0.1)
    told = [line["error"] for line in server.lines("deployment.refused")[count:]]
    yield equal(f"{what}: file, line, reason", str(_says("".join(told), reason)), "True")
    yield equal(f"{what}: the old file serves", str(_top(client)[:5] == before), "True")
    words = ("-m", "serving", "experiment", "check", file, "--bundles", room.demo_bundles())
    checked = room.python(f"bad-{what.split()[0]}", *words)
    yield equal(f"{what}: exit status of check", checked.status, 2)


def _says(output: str, reason: str) -> bool:
    """Says whether an output names the place and the reason, however its lines are broken."""
    return re.search(reason, re.sub(r"\s+", " ", output)) is not None


def _top(client: RecsysClient) -> list[str]:
    return [item.item_id for item in client.recommend("popular", limit=6).items]


def _until(client: RecsysClient, wanted: list[str]) -> list[str]:
    """Returns the top of the list once it is what it is to be, or what it is in the end."""
    end = monotonic() + FOLLOWED_S
    while (found := _top(client)[:5]) != wanted and monotonic() < end:
        sleep(0.1)
    return found
