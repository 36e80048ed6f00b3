"""The graph filter on graphs that contract tests do not have."""

import numpy as np
import pytest
from scipy.sparse import block_diag, csr_array, diags_array

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
