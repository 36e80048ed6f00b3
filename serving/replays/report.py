"""Replays and dry runs as a person reads them, and as documents."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from recsys.pipeline.query import Recommendations
from serving.replays.dry_run import DryRun
from serving.replays.replay import Replayed

SHOWN_ALONE = 5
"""Requests whose lists are shown; of more only those that differ or are gone."""
CATEGORIES = 10
"""Categories in a table, those that change most."""


def show(console: Console, told: Sequence[Replayed]) -> None:
    """Prints what became of requests."""
    for each in told:
        if each.gone:
            console.print(f"{each.request_id}  gone: {each.gone}: {each.problem}", markup=False)
        elif not each.identical:
            console.print(f"{each.request_id}  another list", markup=False)
            for line in each.differences():
                console.print(f"  {line}", markup=False)
        elif len(told) <= SHOWN_ALONE:
            console.print(f"{each.request_id}  identical", markup=False)
        if len(told) <= SHOWN_ALONE and each.told is not None:
            console.print(_list(each.told))
    counts = Counter(each.gone or ("identical" if each.identical else "another") for each in told)
    parts = (f"{count:,} {name}" for name, count in counts.most_common())
    console.print(f"{len(told):,} answers: {', '.join(parts) or 'none'}", highlight=False)


def to_document(told: Replayed) -> dict[str, Any]:
    """Returns what became of a request in the words of JSON."""
    items = [] if told.told is None else [item.item_id for item in told.told.items]
    return {
        "request_id": told.request_id,
        "identical": told.identical,
        "gone": told.gone,
        "problem": told.problem,
        "differences": told.differences(),
        "item_ids": items,
    }


def show_dry_run(console: Console, found: DryRun) -> None:
    """Prints what a deployment file would have changed."""
    figures = Table(box=None, show_header=False)
    for name, value in _figures(found):
        figures.add_row(name, value)
    console.print(figures, highlight=False)
    told = found.document()
    if told["rules"] or told["relaxed_rules"]:
        rules = Table("rule", "items moved", "lists in which it gave way", box=box.SIMPLE)
        for name in {**told["rules"], **told["relaxed_rules"]}:
            given = told["relaxed_rules"].get(name, 0)
            rules.add_row(name, f"{told['rules'].get(name, 0):,}", f"{given:,}")
        console.print(rules)
    changed = [each for each in told["categories"] if each["without"] != each["with"]]
    if changed:
        table = Table("category", "without", "with", box=box.SIMPLE)
        for each in changed[:CATEGORIES]:
            name = each["category"] or "(none)"
            table.add_row(name, f"{each['without']:,}", f"{each['with']:,}")
        console.print(table)


def _figures(found: DryRun) -> list[tuple[str, str]]:
    told, lost = found.document(), found.relevance_lost
    share = f" ({found.changed / found.answers:.1%})" if found.answers else ""
    skipped = ", ".join(f"{count:,} {part}" for part, count in found.skipped.most_common())
    return [
        ("answers", f"{found.answers:,}"),
        ("not to be answered again", skipped or "0"),
        ("lists that change", f"{found.changed:,}{share}"),
        ("items added", f"{found.added:,}"),
        ("items removed", f"{found.removed:,} of {found.places:,}"),
        ("items moved", f"{found.moved:,}"),
        ("predicted relevance lost", "-" if lost is None else f"{lost:.2%}"),
        ("mean price", _both(told["mean_price"])),
        ("mean margin", _both(told["mean_margin"])),
    ]


def _both(sides: dict[str, float | None]) -> str:
    without, given = ("-" if each is None else f"{each:,.2f}" for each in sides.values())
    return f"{without} -> {given}"


def _list(told: Recommendations) -> Table:
    table = Table("rank", "item", "score", "source", "reason", box=box.SIMPLE)
    for item in told.items:
        score = f"{item.score:.6g}"
        table.add_row(str(item.rank), item.item_id, score, item.source, item.reason.code)
    return table
