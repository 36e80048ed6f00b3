"""Which index is built, what its report says, and what comes back from files."""

from pathlib import Path

import numpy as np
import pytest

from recsys.config import validated
from recsys.errors import BundleError, ConfigError
from recsys.index.build import build_index, load_index
from recsys.index.config import IndexConfig
from recsys.index.protocol import IndexKind
from tests.vectors import customers_of, spread_nums, trained_like

VECTORS = trained_like(500, 8)
NUMS = spread_nums(len(VECTORS))
QUERIES = customers_of(VECTORS, 40)


@pytest.mark.parametrize("kind", ["exact", "flat", "hnsw"])
def test_a_named_kind_is_built_and_measured(kind: str) -> None:
    built = build_index(VECTORS, NUMS, QUERIES, IndexConfig(kind=kind, recall_queries=30))
    report = built.report
    assert built.index.kind == report.kind == kind
    assert (report.rows, report.dim, report.queries, report.recall_k) == (500, 8, 30, 200)
    assert report.recall is not None
    assert report.filtered_recall is not None
    assert min(report.recall, report.filtered_recall) >= (0.98 if kind == "hnsw" else 1.0)
    assert report.refused_recall is None


@pytest.mark.parametrize(("hnsw_from", "kind"), [(501, IndexKind.FLAT), (500, IndexKind.HNSW)])
def test_auto_chooses_by_size(hnsw_from: int, kind: IndexKind) -> None:
    built = build_index(VECTORS, NUMS, QUERIES, IndexConfig(hnsw_from=hnsw_from))
    assert built.report.kind is kind


def test_auto_refuses_a_graph_that_finds_too_little() -> None:
    # A graph of few links with hardly any search effort over vectors without structure.
    vectors = np.random.default_rng(0).normal(size=(3000, 48)).astype(np.float32)
    nums = np.arange(len(vectors), dtype=np.int32)
    poor = {"hnsw_from": 1, "m": 4, "ef_construction": 8, "ef_search": 8}
    built = build_index(vectors, nums, vectors[:50], IndexConfig(**poor))
    assert built.index.kind is built.report.kind is IndexKind.FLAT
    assert built.report.recall == 1.0
    assert built.report.refused_recall is not None
    assert built.report.refused_recall < 0.98
    asked = build_index(vectors, nums, vectors[:50], IndexConfig(kind="hnsw", **poor))
    assert asked.report.kind is IndexKind.HNSW
    assert asked.report.recall is not None
    assert asked.report.filtered_recall is not None
    assert built.report.refused_recall == min(asked.report.recall, asked.report.filtered_recall)


def test_nothing_to_measure_with_is_no_recall() -> None:
    no_queries = build_index(VECTORS, NUMS, QUERIES[:0], IndexConfig())
    assert (no_queries.report.recall, no_queries.report.queries) == (None, 0)
    no_rows = build_index(VECTORS[:0], NUMS[:0], QUERIES, IndexConfig(hnsw_from=1))
    assert (no_rows.report.recall, no_rows.report.rows) == (None, 0)


def test_report_is_the_same_every_time() -> None:
    config = IndexConfig(kind="hnsw", recall_queries=10)
    reports = [build_index(VECTORS, NUMS, QUERIES, config).report for _ in range(2)]
    assert reports[0] == reports[1]


@pytest.mark.parametrize(("kind", "ending"), [("exact", "vectors.npy"), ("hnsw", "faiss")])
def test_files_are_named_after_the_index(tmp_path: Path, kind: str, ending: str) -> None:
    built = build_index(VECTORS, NUMS, QUERIES, IndexConfig(kind=kind))
    built.index.save(tmp_path, "als")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"als.{ending}", "als.item_nums.npy"}


def test_a_missing_index_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"als\.faiss") as caught:
        load_index(tmp_path, "als")
    assert caught.value.metadata["file"] == "als.faiss"


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    build_index(VECTORS, NUMS, QUERIES, IndexConfig()).index.save(tmp_path, "als")
    np.save(tmp_path / "als.item_nums.npy", NUMS[:-1])
    with pytest.raises(BundleError, match="not an index of 499 rows"):
        load_index(tmp_path, "als")


def test_what_is_no_index_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "als.item_nums.npy", NUMS)
    (tmp_path / "als.faiss").write_bytes(b"something else entirely")
    with pytest.raises(BundleError, match="cannot be read"):
        load_index(tmp_path, "als")


def test_an_unknown_kind_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="kind"):
        validated(IndexConfig, {"kind": "ivf"}, where="test")
