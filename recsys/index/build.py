"""Choosing, building, measuring and loading an index."""

from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np

from recsys.config import StrictModel
from recsys.index.config import IndexConfig
from recsys.index.exact import ExactIndex, vectors_file
from recsys.index.faiss_file import read_faiss
from recsys.index.flat import FlatIndex
from recsys.index.hnsw import HnswIndex
from recsys.index.protocol import IndexKind, VectorIndex
from recsys.index.recall import recall_at
from recsys.types import BoolArray, FloatArray, NumArray

FILTER_SHARE = 0.25
"""Share of the rows that the filter keeps under which recall is measured: hard for a graph, yet
wide enough that the graph and not a scan answers."""


class IndexReport(StrictModel):
    """What was built and how well it finds; saved in the manifest."""

    kind: IndexKind
    """The index that was built."""
    rows: int
    """Items in the index."""
    dim: int
    """Length of a vector."""
    recall_k: int
    """Length of the lists that recall was measured on."""
    queries: int
    """Trained queries that recall was measured on; 0: there were none."""
    recall: float | None
    """Recall against exact search; None without queries or rows."""
    filtered_recall: float | None
    """The same under a random filter that keeps a quarter of the rows."""
    refused_recall: float | None = None
    """The lower recall of the hnsw index that `auto` refused; None: none was."""


@dataclass(frozen=True, slots=True, eq=False)
class BuiltIndex:
    """An index and its report."""

    index: VectorIndex
    report: IndexReport


def build_index(
    vectors: FloatArray, item_nums: NumArray, queries: FloatArray, config: IndexConfig
) -> BuiltIndex:
    """Builds the index that `config` asks for and measures it against exact search.

    Args:
        vectors: item vectors, shape (rows, dim) float32, finite.
        item_nums: item number of each row, shape (rows,) int32, ascending.
        queries: trained query vectors (any, dim) float32, of which some are measured with.
        config: kind and care of the index.

    Raises:
        ValueError: shapes that do not fit, numbers out of order, or a vector not finite.
    """
    kind = _kind(config, len(item_nums))
    built = _built(kind, vectors, item_nums, queries, config)
    recalls = (built.report.recall, built.report.filtered_recall)
    worst = min((recall for recall in recalls if recall is not None), default=1.0)
    if config.kind != "auto" or worst >= config.min_recall:
        return built
    flat = _built(IndexKind.FLAT, vectors, item_nums, queries, config)
    return BuiltIndex(flat.index, flat.report.model_copy(update={"refused_recall": worst}))


def load_index(folder: Path, name: str, *, mmap: bool = True) -> VectorIndex:
    """Reads the index `name` of `folder`, whatever its kind; verify the checksums before.

    With `mmap`, vectors stay in the page cache, where the processes that serve a bundle share
    them; the files must not change while the index lives.

    Raises:
        BundleError: there is no such index, or its files do not fit each other.
    """
    if vectors_file(folder, name).exists():
        return ExactIndex.load(folder, name, mmap=mmap)
    index, item_nums = read_faiss(folder, name, mmap=mmap)
    if isinstance(index, faiss.IndexHNSWFlat):
        return HnswIndex(index, item_nums)
    return FlatIndex(index, item_nums)


def _kind(config: IndexConfig, rows: int) -> IndexKind:
    if config.kind != "auto":
        return IndexKind(config.kind)
    return IndexKind.HNSW if rows >= config.hnsw_from else IndexKind.FLAT


def _built(
    kind: IndexKind,
    vectors: FloatArray,
    item_nums: NumArray,
    queries: FloatArray,
    config: IndexConfig,
) -> BuiltIndex:
    index: VectorIndex
    match kind:
        case IndexKind.EXACT:
            index = ExactIndex.build(vectors, item_nums)
        case IndexKind.FLAT:
            index = FlatIndex.build(vectors, item_nums)
        case IndexKind.HNSW:
            index = HnswIndex.build(vectors, item_nums, config)
    return BuiltIndex(index, _measured(index, vectors, queries, config))


def _measured(
    index: VectorIndex, vectors: FloatArray, queries: FloatArray, config: IndexConfig
) -> IndexReport:
    rng = np.random.default_rng(config.seed)
    count = min(config.recall_queries, len(queries))
    sample = queries[np.sort(rng.choice(len(queries), count, replace=False))]
    recall = filtered = None
    if count and len(vectors):
        reference = ExactIndex.build(vectors, index.item_nums)
        recall = recall_at(index, reference, sample, config.recall_k)
        filtered = recall_at(index, reference, sample, config.recall_k, _filter(index, rng))
    return IndexReport(
        kind=index.kind,
        rows=len(vectors),
        dim=index.dim,
        recall_k=config.recall_k,
        queries=count,
        recall=recall,
        filtered_recall=filtered,
    )


def _filter(index: VectorIndex, rng: np.random.Generator) -> BoolArray:
    """Returns a mask over item numbers that keeps `FILTER_SHARE` of the rows, at least one."""
    rows = len(index.item_nums)
    kept = rng.choice(rows, max(1, round(FILTER_SHARE * rows)), replace=False)
    mask = np.zeros(int(index.item_nums[-1]) + 1, dtype=np.bool_)
    mask[index.item_nums[kept]] = True
    return mask
