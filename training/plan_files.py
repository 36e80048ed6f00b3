"""The folder of a plan: its rows as Parquet or CSV, and a manifest with their checksum.

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
from recsys.errors import DataError

Format = Literal["parquet", "csv"]
DRAFT, DRAFT_FACTS = "draft.parquet", "draft.json"
MANIFEST = "manifest.json"
FORMAT_VERSION = 1
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
"""Of the finished file. `offer_id` is empty for those who are held out, so that no program that
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
    out: Path, rows: pl.DataFrame, refused: Sequence[str], facts: Mapping[str, Any], form: Format
) -> dict[str, Any]:
    """Writes the finished plan in one step and returns its manifest.

    Args:
        out: folder; replaced when it is complete.
        rows: of the draft.
        refused: contact ids that the store could not have.
        facts: for the manifest.
        form: of the file.
    """
    part = part_of(out)
    kept = rows.filter(~pl.col("contact_id").is_in(list(refused)))
    shown = kept.with_columns(
        offer_id=pl.when(pl.col("hold_out")).then(pl.lit("")).otherwise(pl.col("offer_id"))
    ).select(COLUMNS)
    name = f"plan.{form}"
    if form == "parquet":
        shown.write_parquet(part / name)
    else:
        shown.write_csv(part / name)
    sync(part / name)
    manifest = {
        "format_version": FORMAT_VERSION,
        **facts,
        "file": name,
        "rows": len(kept),
        "held_out": int(kept["hold_out"].sum()),
        "refused": len(refused),
        "sha256": hashlib.sha256((part / name).read_bytes()).hexdigest(),
    }
    _write(part / MANIFEST, manifest)
    for left in (DRAFT, DRAFT_FACTS):
        (part / left).unlink(missing_ok=True)
    replace_folder(part, out)
    return manifest


def _write(path: Path, content: Mapping[str, Any]) -> None:
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    sync(new)
    new.replace(path)
    sync(path.parent)
