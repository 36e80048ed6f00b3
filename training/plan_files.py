"""The folder of a plan: contacts and held-out customers as Parquet or CSV, and a manifest.

While it is made it is called `OUT.part` and holds a draft: what was planned, before the store was
asked for it. A plan that was broken off there is taken up again with the same draft.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl

from recsys.data.durable import replace_folder, sync
from recsys.data.plain_numbers import csv_table, json_value, money
from recsys.errors import DataError
from recsys.offers.attributes import attribute_columns, attribute_types, kinds_of
from recsys.offers.offer import Offer

Format = Literal["parquet", "csv"]
DRAFT, DRAFT_FACTS = "draft.parquet", "draft.json"
MANIFEST = "manifest.json"
FORMAT_VERSION = 2
COLUMNS = (
    "row",
    "customer_id",
    "channel",
    "offer_id",
    "hold_out",
    "expected_value",
    "probability",
    "expected_cost",
    "contact_id",
)
"""Of the file of contacts, which is the list to send: nobody in it is held out. What the offer is
follows: `OFFER` and its attributes."""
OFFER: dict[str, pl.DataType] = {
    "offer_title": pl.String(),
    "offer_kind": pl.String(),
    "offer_discount": pl.Float64(),
    "offer_end_time": pl.String(),
}
HELD_OUT_COLUMNS = ("row", "customer_id", "channel", "hold_out", "held_out_of", "contact_id")
"""Of the file of those who are held out. It has no column `offer_id`, so that no program that
does not know of them writes to them."""


def part_of(out: Path) -> Path:
    """Returns the folder in which a plan is made."""
    return out.with_name(out.name + ".part")


def write_draft(out: Path, rows: pl.DataFrame, facts: Mapping[str, Any]) -> None:
    """Keeps what was planned; the facts come last and say that it is complete."""
    part = part_of(out)
    part.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(part / DRAFT)
    sync(part / DRAFT)
    _write(part / DRAFT_FACTS, facts)


def read_draft(out: Path) -> tuple[pl.DataFrame, dict[str, Any]] | None:
    """Returns the draft of a plan that was broken off; None: there is none.

    Raises:
        DataError: it cannot be read.
    """
    part = part_of(out)
    try:
        facts = json.loads((part / DRAFT_FACTS).read_text(encoding="utf-8"))
        return pl.read_parquet(part / DRAFT), facts
    except FileNotFoundError:
        return None
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        message = f"{part}: the draft cannot be read; remove the folder and plan again: {error}"
        raise DataError(message, folder=str(part)) from error


def write_plan(
    out: Path,
    rows: pl.DataFrame,
    refused: Sequence[str],
    offers: Sequence[Offer],
    *,
    facts: Mapping[str, Any],
    form: Format,
) -> dict[str, Any]:
    """Writes the finished plan in one step and returns its manifest.

    Args:
        out: folder; replaced when it is complete.
        rows: of the draft.
        refused: contact ids that the store could not have.
        offers: those that the rows name.
        facts: for the manifest.
        form: of the file.
    """
    part = part_of(out)
    kept = rows.filter(~pl.col("contact_id").is_in(list(refused)))
    is_held_out = pl.col("hold_out")
    contacts = (
        kept.filter(~is_held_out)
        .select(COLUMNS)
        .join(_offer_table(offers), on="offer_id", how="left", maintain_order="left")
    )
    held_out = kept.filter(is_held_out).rename({"offer_id": "held_out_of"})
    name, apart = f"plan.{form}", f"held_out.{form}"
    manifest = {
        "format_version": FORMAT_VERSION,
        **facts,
        "file": name,
        "rows": len(kept),
        "held_out": len(held_out),
        "refused": len(refused),
        "sha256": _written(part / name, contacts, form),
        "held_out_file": apart,
        "held_out_sha256": _written(part / apart, held_out.select(HELD_OUT_COLUMNS), form),
    }
    _write(part / MANIFEST, manifest)
    for left in (DRAFT, DRAFT_FACTS):
        (part / left).unlink(missing_ok=True)
    replace_folder(part, out)
    return manifest


def _offer_table(offers: Sequence[Offer]) -> pl.DataFrame:
    """Returns what offers are, a row for each, by `offer_id`."""
    kinds = kinds_of(offers)
    columns = {f"offer_{name}": dtype for name, dtype in attribute_types(kinds).items()}
    rows = [
        (
            each.offer_id,
            each.title,
            each.kind.value,
            money(each.discount),
            None if each.end_time is None else each.end_time.isoformat(),
            *attribute_columns(each, kinds).values(),
        )
        for each in offers
    ]
    schema = {"offer_id": pl.String(), **OFFER, **columns}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _written(path: Path, rows: pl.DataFrame, form: Format) -> str:
    """Writes a file and returns its checksum."""
    if form == "parquet":
        rows.write_parquet(path)
    else:
        csv_table(rows).write_csv(path)
    sync(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(path: Path, content: Mapping[str, Any]) -> None:
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(json_value(content), indent=1) + "\n", encoding="utf-8")
    sync(new)
    new.replace(path)
    sync(path.parent)
