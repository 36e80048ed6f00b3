"""The usual ways in which a retailer's file is wrong, and what a load must say about each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

HEADER = "Order No,Customer Number,SKU,Order Date,Qty,Price per Unit"
Lines = list[str]
"""The header and the rows of a CSV file."""

CUSTOMER, TIME, QUANTITY = 1, 3, 4


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that is wrong in one way, and what `prepare` must do and say about it."""

    what: str
    spoil: Callable[[Lines], Lines]
    status: int
    words: Sequence[str]
    """The essential words of what is printed."""
    options: Sequence[str] = ()
    reasons: Sequence[str] = ()
    """Reasons that rows of `rejects.csv` must have."""


def with_cell(line: str, place: int, text: str) -> str:
    cells = line.split(",")
    cells[place] = text
    return ",".join(cells)


def _some_rows(lines: Lines) -> Lines:
    """Spoils ten rows in each of five ways, far fewer than are too many."""
    lines = list(lines)
    for first in range(1, 51, 5):
        lines[first] = with_cell(lines[first], TIME, "yesterday")
        lines[first + 1] = with_cell(lines[first + 1], CUSTOMER, "")
        lines[first + 2] += ",one more"
        lines[first + 3] = with_cell(lines[first + 3], QUANTITY, "two")
        lines[first + 4] = with_cell(lines[first + 4], QUANTITY, "-1")
    return lines


def _every_third_row(lines: Lines) -> Lines:
    return [
        with_cell(line, TIME, "yesterday") if place % 3 == 1 else line
        for place, line in enumerate(lines)
    ]


def _zones(lines: Lines) -> Lines:
    """Leaves every third time without a zone, and gives the others two different ones."""
    zones = ("", "Z", "+02:00")
    return [lines[0]] + [
        with_cell(line, TIME, line.split(",")[TIME] + zones[place % 3])
        for place, line in enumerate(lines[1:])
    ]


def _without_customers(lines: Lines) -> Lines:
    cells = [line.split(",") for line in lines]
    return [",".join([*row[:CUSTOMER], *row[CUSTOMER + 1 :]]) for row in cells]


def _cut_by(sign: str) -> Callable[[Lines], Lines]:
    return lambda lines: [line.replace(",", sign) for line in lines]


BROKEN = (
    Broken(
        "some broken rows",
        _some_rows,
        0,
        ("rejected because", "event_time: bad time", "Every rejected row", "rejects.csv"),
        reasons=(
            "event_time,bad time",
            "customer_id,missing id",
            "wrong number of fields (not 6)",
            "quantity,bad number",
            "quantity,negative quantity",
        ),
    ),
    Broken(
        "every third row broken",
        _every_third_row,
        1,
        ("error: events:", "rows were rejected, more than 5.0%", "bad time", "rejects.csv"),
        reasons=("event_time,bad time",),
    ),
    Broken("semicolons, nothing said", _cut_by(";"), 0, ("Prepared data set",)),
    Broken(
        "wrong delimiter given",
        list,
        1,
        ("error:", "orders.csv", "found one column", "is the delimiter ','?"),
        options=("--delimiter", ";"),
    ),
    Broken(
        "unusual delimiter, nothing said",
        _cut_by("^"),
        1,
        ("error:", "orders.csv", "found one column", "another delimiter", "delimiter = "),
    ),
    Broken(
        "mixed time zones",
        _zones,
        0,
        ("look at:", "times name their zone and", "do not: the latter were taken as UTC"),
    ),
    Broken(
        "no customer column",
        _without_customers,
        1,
        ("error:", "orders.csv", "no column was recognised as customer_id", "[events.columns]"),
    ),
    Broken("empty file", lambda _: [], 1, ("error:", "orders.csv: is empty")),
    Broken("header only", lambda lines: lines[:1], 1, ("error:", "no event is left")),
)
