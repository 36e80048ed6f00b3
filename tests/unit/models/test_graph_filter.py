"""The graph filter on graphs that contract tests do not have."""

import numpy as np
import pytest
from scipy.sparse import block_diag, csr_array, diags_array

from recsys.models import graph_filter
from recsys.models.graph_filter import GraphFilter


def test_a_graph_in_many_parts_converges():
    """Each part has a singular value of 1: more of them than vectors that are asked for."""
    parts, size = 90, 12
    rng = np.random.default_rng(3)
    blocks = [np.maximum(rng.random((size, size)) < 0.4, np.eye(size)) for _ in range(parts)]
    graph = csr_array(block_diag(blocks))
    rows = np.sqrt(np.asarray(graph.sum(axis=1)).ravel())
    columns = np.sqrt(np.asarray(graph.sum(axis=0)).ravel())
    graph = csr_array(diags_array(1 / rows) @ graph @ diags_array(1 / columns))
    vectors = GraphFilter(embedding_size=16)._vectors(graph)
    assert vectors.shape == (parts * size, 16)
    assert np.linalg.norm(graph @ vectors, axis=0) == pytest.approx(np.ones(16), abs=1e-3)


@pytest.mark.parametrize("shape", [(40, 70), (70, 40)])
def test_the_iteration_finds_what_the_whole_decomposition_finds(shape, monkeypatch):
    graph = csr_array(np.random.default_rng(5).random(shape) * (np.arange(shape[1]) % 3 > 0))
    _, exact, right = np.linalg.svd(graph.toarray())
    for dense in (1_000, 0):
        monkeypatch.setattr(graph_filter, "DENSE", dense)
        values, vectors = graph_filter.top_singular(graph, 5, seed=1)
        assert values[::-1] == pytest.approx(exact[:5])
        assert np.abs(vectors[::-1] @ right[:5].T) == pytest.approx(np.eye(5), abs=1e-6)


def test_the_iteration_keeps_more_where_it_does_not_converge(monkeypatch):
    monkeypatch.setattr(graph_filter, "DENSE", 0)
    parts = csr_array(block_diag([np.full((4, 4), 0.25)] * 60))
    values, vectors = graph_filter.top_singular(parts, 20, seed=1)
    assert values == pytest.approx(np.ones(20))
    assert np.linalg.norm(parts @ vectors.T, axis=0) == pytest.approx(np.ones(20), abs=1e-3)
