"""How a vector index is built."""

from typing import Literal

from pydantic import Field

from recsys.config import StrictModel


class IndexConfig(StrictModel):
    """Which index to build and with what care; saved in the manifest."""

    kind: Literal["auto", "exact", "flat", "hnsw"] = "auto"
    """`auto`: flat, or hnsw from `hnsw_from` rows on if its measured recall is good enough."""

    hnsw_from: int = Field(default=200_000, ge=1)
    """Rows at which `auto` tries hnsw; a flat scan of as many takes 2 to 4 ms."""

    m: int = Field(default=32, ge=4, le=128)
    """Neighbours of a graph node: memory is about 8 x m bytes per row."""

    ef_construction: int = Field(default=100, ge=8)
    """Nodes kept in view while a row is inserted; the time to build grows with it."""

    ef_search: int = Field(default=400, ge=8)
    """Nodes kept in view by a search of up to 100 items; more for longer lists and filters."""

    norm_bound: float = Field(default=1.75, gt=1.0)
    """Norm, in root mean squares of all norms, above which the graph takes vectors for equally
    long. 1.5 suits lists of hundreds, 2 a few items with extreme norms."""

    seed: int = Field(default=7, ge=0, le=2**31 - 1)
    """Seeds the graph's levels and the choice of queries to measure with."""

    recall_k: int = Field(default=200, ge=1)
    """Length of the lists that recall is measured on: what a placement asks of a source."""

    recall_queries: int = Field(default=200, ge=1)
    """Queries that recall is measured on, sampled from the trained ones."""

    min_recall: float = Field(default=0.98, ge=0.0, le=1.0)
    """`auto` refuses an hnsw index with a lower recall, filtered or not, and builds a flat one."""
