"""Published rows that must come out as printed: `python -m tests.qualification.published`.

Whoever reproduces what others measured, on their files and to three decimals, has the same
protocol, the same masks and the same metrics.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import typer
from rich.console import Console
from scipy.sparse import csr_array, diags_array

from recsys.assembly import FitConfig
from recsys.backtest.evaluate import evaluate
from recsys.config import validated
from recsys.data.splits import Split
from recsys.metrics.hit_rate import hit_rate_at
from recsys.metrics.hits import hit_matrix
from recsys.metrics.ndcg import ndcg_at
from recsys.metrics.recall import recall_at
from recsys.protocols.cases import cases_for
from recsys.protocols.holdout import HoldOut
from recsys.protocols.presplit import read_holdout
from recsys.protocols.single import ProtocolName, hold_out, open_log
from tests.qualification.room import ROOT, Room, head
from tests.qualification.rows import Row, near

ROUNDED = 0.0005001
"""Three decimals agree."""
BOUGHT: dict[str, Any] = {"event_weights": {"purchase": 1.0}, "half_life_days": None}
BY_BASKETS: dict[str, Any] = {"kind": "popularity", "count": "days", **BOUGHT}


@dataclass(frozen=True, slots=True)
class Published:
    """One row of a table: what makes the lists, and what was printed for them."""

    name: str
    config: FitConfig
    k: int
    printed: Mapping[str, float]
    """By metric."""


def _config(models: dict[str, Any], source: str, fill: tuple[str, ...] = ()) -> FitConfig:
    kinds = {"popularity": "popular", "repurchase": "repurchase"}
    placement = {"sources": [{"name": source, "weight": 1.0}], "fill": fill}
    return validated(
        FitConfig,
        {
            "models": models,
            "sources": {
                name: {"kind": kinds.get(model["kind"], "neighbours"), "model": name}
                for name, model in models.items()
            },
            # The hold-out's mask says what lists leave out.
            "placements": {"for_you": placement, "discover": placement},
        },
        where="published rows",
    )


POPULAR = {"popular": {"kind": "popularity", **BOUGHT}}
GRAPH = {"graph": {"kind": "graph-filter", "history_limit": 10_000, **BOUGHT}}
GOWALLA = (
    Published("popularity", _config(POPULAR, "popular"), 20, {"recall": 0.0416, "ndcg": 0.0317}),
    Published("GF-CF", _config(GRAPH, "graph"), 20, {"recall": 0.18495, "ndcg": 0.15184}),
)
POPULAR_BASKETS = _config({"popular": BY_BASKETS}, "popular")
OWN_BASKETS = _config(
    {
        "popular": BY_BASKETS,
        "own": {"kind": "repurchase", "half_life_days": None, "overdue": 0.0, "ties": "days"},
    },
    "own",
    ("popular",),
)
BASKETS = {
    "tafeng": ((0.1025, 0.0974, 0.3047), (0.1487, 0.1360, 0.4398)),
    "dc": ((0.1618, 0.0880, 0.2274), (0.4576, 0.3380, 0.5557)),
    "tms": ((0.2627, 0.1627, 0.4619), (0.4727, 0.3590, 0.6736)),
}
"""recall, ndcg and hr at 10 of popularity and of personal frequency."""
ITEM_ITEM = (0.1568, 0.1213)
"""recall and ndcg at 20 of item-item cosine on Gowalla."""
NEIGHBOURS, BLOCK = 100, 500
POP_REC = (0.0152, 0.0068)
"""hr and ndcg at 10 on Beauty."""


def run(room: Room) -> Iterator[Row]:
    """Compares every row with what was printed."""
    folder = room.shared("gowalla")
    holdout = read_holdout(folder / "train.parquet", folder / "test.parquet")
    for published in GOWALLA:
        yield from _compared(room, "gowalla", holdout, published)
    yield from _item_item(room, holdout)
    for name, printed in BASKETS.items():
        file = room.shared("baskets") / f"{name}.parquet"
        holdout = read_holdout(file, file)
        configs = {"popularity": POPULAR_BASKETS, "personal frequency": OWN_BASKETS}
        for (what, config), figures in zip(configs.items(), printed, strict=True):
            metrics = dict(zip(("recall", "ndcg", "hr"), figures, strict=True))
            yield from _compared(room, name, holdout, Published(what, config, 10, metrics))
    yield from _pop_rec(room)


def _compared(room: Room, name: str, holdout: HoldOut, published: Published) -> Iterator[Row]:
    room.step(f"{name}: {published.name}")
    rows = evaluate(holdout, published.config, ks=(published.k,), dataset=name, baselines=False)
    found = {row.metric: row.value for row in rows if row.slice == "all"}
    for metric, printed in published.printed.items():
        what = f"{name}: {published.name}, {metric}@{published.k}"
        yield near(what, found[metric], printed, ROUNDED)


def _item_item(room: Room, holdout: HoldOut) -> Iterator[Row]:
    """Item-item as the published row has it, which no recommender of ours is, so made by hand.

    Each item keeps its 100 nearest, their cosines made to add up to one, and what lies above or
    below an item's mean is weighed in place of the pairs themselves.
    """
    room.step("gowalla: item-item cosine")
    split = holdout.split
    cases = cases_for("discover", split, limit=20, seed=0)
    had = _pairs(split)
    means = np.asarray(had.mean(axis=0)).ravel()
    scale = diags_array(1 / np.sqrt(np.maximum(had.sum(axis=0), 1)))
    alike = csr_array(scale @ csr_array(had.T @ had) @ scale)
    nearest = _nearest(alike)
    baseline = means - nearest @ means
    rows = had[cases.customer_nums]
    lists = []
    for start in range(0, len(cases), BLOCK):
        block = rows[start : start + BLOCK]
        scores = (block @ nearest.T).toarray() + baseline
        scores[block.nonzero()] = -np.inf
        best = np.argpartition(-scores, 20, axis=1)[:, :20]
        order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable")
        lists.append(np.take_along_axis(best, order, 1).astype(np.int32))
    hits = hit_matrix(np.concatenate(lists), cases.truth_offsets, cases.truth_item_nums)
    recall = float(recall_at(hits, cases.truth_sizes, 20).mean())
    ndcg = float(ndcg_at(hits, cases.truth_sizes, 20).mean())
    yield near("gowalla: item-item cosine, recall@20", recall, ITEM_ITEM[0], ROUNDED)
    yield near("gowalla: item-item cosine, ndcg@20", ndcg, ITEM_ITEM[1], ROUNDED)


def _pairs(split: Split) -> csr_array:
    """Returns who had what, shape (judged customers, items): on Gowalla everybody is judged."""
    pairs = split.before.select("customer_num", "item_num").unique()
    nums = (pairs["customer_num"].to_numpy(), pairs["item_num"].to_numpy())
    shape = (len(split.customers), len(split.items))
    return csr_array((np.ones(len(pairs), dtype=np.float32), nums), shape=shape)


def _nearest(alike: csr_array) -> csr_array:
    """Returns each row's largest entries, itself left out, divided by their sum."""
    alike.setdiag(0)
    alike.eliminate_zeros()
    rows, columns, weights = [], [], []
    for row in range(alike.shape[0]):
        part = slice(alike.indptr[row], alike.indptr[row + 1])
        values, items = alike.data[part], alike.indices[part]
        best = np.argsort(-values, kind="stable")[:NEIGHBOURS]
        rows.append(np.full(len(best), row))
        columns.append(items[best])
        weights.append(values[best] / max(values[best].sum(), 1e-12))
    entries = (np.concatenate(rows), np.concatenate(columns))
    return csr_array((np.concatenate(weights), entries), shape=alike.shape)


def _pop_rec(room: Room) -> Iterator[Row]:
    """The published PopRec counts the test items as well: not a recommender, so made by hand."""
    room.step("beauty: PopRec")
    log = open_log(room.shared("beauty") / "sequences.parquet")
    split = hold_out(log, ProtocolName.LEAVE_LAST_ONE).split
    cases = cases_for("discover", split, limit=10, seed=0)
    counts = split.buyers + np.bincount(split.after["item_num"], minlength=len(split.items))
    if split.given is not None:
        counts = counts + np.bincount(split.given["item_num"], minlength=len(split.items))
    order = np.argsort(-counts, kind="stable").astype(np.int32)
    past = split.before.group_by("customer_num").agg(pl.col("item_num"))
    seen = dict(past.iter_rows())
    lists = []
    for num in cases.customer_nums.tolist():
        best = order[: 10 + len(seen[num])]
        lists.append(best[~np.isin(best, seen[num])][:10])
    hits = hit_matrix(np.stack(lists), cases.truth_offsets, cases.truth_item_nums)
    for metric, value, printed in (
        ("hr", hit_rate_at(hits, 10).mean(), POP_REC[0]),
        ("ndcg", ndcg_at(hits, cases.truth_sizes, 10).mean(), POP_REC[1]),
    ):
        yield near(f"beauty: PopRec with test items, {metric}@10", float(value), printed, ROUNDED)


def main() -> None:
    """Print every row beside what was printed; exit status 0 only if all agree."""
    console = Console()
    room = Room(head(ROOT), ROOT / "var" / "qualify", step=console.print)
    held = True
    for row in run(room):
        mark = "holds" if row.holds else "[red]differs[/]"
        console.print(f"  {row.check}: {row.value} ({row.bar}) {mark}", highlight=False)
        held &= row.holds
    raise typer.Exit(0 if held else 1)


if __name__ == "__main__":
    typer.run(main)
