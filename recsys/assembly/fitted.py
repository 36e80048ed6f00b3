"""A fitted pipeline: all that a recommender is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from recsys.assembly.config import FitConfig
from recsys.data.catalogue import Catalogue
from recsys.data.events import CUSTOMER_SCHEMA
from recsys.data.segments import Segments
from recsys.data.state import CustomerStates
from recsys.data.vocabulary import Vocabulary
from recsys.index.protocol import VectorIndex
from recsys.models.protocol import Model
from recsys.pipeline.ranker import Ranker
from recsys.types import CustomerId


@dataclass(frozen=True, slots=True, eq=False)
class FittedPipeline:
    """All that a recommender is made of."""

    config: FitConfig
    catalogue: Catalogue
    customers: Vocabulary[CustomerId]
    states: CustomerStates
    segments: Segments
    models: Mapping[str, Model]
    indexes: Mapping[str, VectorIndex]
    """By the name of the source that searches it."""
    rankers: Mapping[str, Ranker] = field(default_factory=dict)
    """By placement; not every one that is configured found rows to learn from."""
    attributes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CUSTOMER_SCHEMA))
    """What was given of customers, ordered by `customer_id`: what offers' eligibility asks for."""
