"""Merges an export (--format jsonl) and a table of addresses into mails, one .eml file each.

    python docs/examples/mail_merge/merge.py EXPORT ADDRESSES.csv OUTBOX

ADDRESSES.csv has the columns customer_id, name and email: the engine knows no addresses. Only the
standard library is used, so that the script can go to where the mails are sent from.
"""

# ruff: noqa: INP001  it is a script, and no package
import csv
import html
import json
import re
import sys
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("mail.html")
REASONS = {
    "bought-before": "You bought this before",
    "because-you-bought": "Because of what you bought",
    "because-you-viewed": "Because of what you looked at",
    "due-about": "Time for a new one?",
    "matches-your-taste": "Chosen by customers with your taste",
    "popular-in-segment": "Popular with customers like you",
    "popular": "Popular right now",
}
"""Codes of docs/placements.md in the shop's own words; nothing is said for any other."""


def rows(export: Path) -> Iterator[dict]:
    """Yields the rows of a whole export; an export that is not finished has no manifest."""
    manifest = json.loads((export / "_manifest.json").read_text(encoding="utf-8"))
    for name in manifest["files"]:
        for line in (export / name).read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def merged(template: str, row: Mapping, name: str) -> str:
    """Returns the mail of one customer as HTML; every value is escaped."""
    items = [
        {
            "rank": item["rank"],
            "title": item["title"] or item["item_id"],
            "link": item["link"],
            "price": "" if item["price"] is None else f"{item['price']:.2f}",
            "why": REASONS.get(item["reason"], ""),
        }
        for item in row["items"]
    ]
    text = _repeated(template, "item", items)
    offers = [
        {"title": offer["title"], "until": (offer["end_time"] or "")[:10]}
        for offer in [row.get("offer")]
        if offer
    ]
    text = _repeated(text, "offer", offers)
    return Template(text).substitute(name=_escaped(name))


def _escaped(value: object) -> str:
    """Returns text that HTML shows as it is and that no template takes for a field."""
    return html.escape(str(value)).replace("$", "&#36;")


def _repeated(template: str, block: str, values: list) -> str:
    """Returns the template with one copy of a block for each of some values."""

    def copies(found: re.Match) -> str:
        return "".join(
            Template(found[1]).safe_substitute(
                {key: _escaped(value) for key, value in each.items()}
            )
            for each in values
        )

    return re.sub(f"<!-- {block} -->\n(.*?)<!-- /{block} -->\n", copies, template, flags=re.DOTALL)


def main(export: Path, addresses: Path, outbox: Path) -> int:
    """Writes the mails of all customers who have an address; returns how many."""
    with addresses.open(encoding="utf-8", newline="") as file:
        known = {row["customer_id"]: row for row in csv.DictReader(file)}
    outbox.mkdir(parents=True, exist_ok=True)
    template = TEMPLATE.read_text(encoding="utf-8")
    written = 0
    for row in rows(export):
        address = known.get(row["customer_id"])
        if address is None:
            continue
        mail = EmailMessage()
        mail["To"] = address["email"]
        mail["From"] = "Shop <mail@shop.example>"
        mail["Subject"] = f"{address['name']}, picked for you"
        mail["X-Request-Id"] = row["request_id"]
        titles = [f"{item['rank']}. {item['title']}: {item['link']}" for item in row["items"]]
        mail.set_content("\n".join([f"Hello {address['name']},", "", *titles]))
        mail.add_alternative(merged(template, row, address["name"]), subtype="html")
        (outbox / f"{row['request_id']}.eml").write_bytes(bytes(mail))
        written += 1
    return written


if __name__ == "__main__":
    print(f"{main(*map(Path, sys.argv[1:4]))} mails")  # noqa: T201  it is a command
