"""A recommender that each test can steer, and the server that it stands behind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import polars as pl

from recsys.data.catalogue import Catalogue
from recsys.data.events import ITEM_SCHEMA
from recsys.errors import UnknownPlacementError
from recsys.pipeline.catalogue_state import AS_FITTED, CatalogueState
from recsys.pipeline.query import Query, Reason, Recommendations, RecommendedItem
from recsys.types import ItemId, Tier
from serving.server import Server

NOW = 1_500_000_000


def catalogue() -> Catalogue:
    """Returns four teas, one of them known by its id alone."""
    blank = dict.fromkeys(ITEM_SCHEMA) | {"available": True}
    row = {
        "title": "Green tea",
        "category": ["drinks", "tea"],
        "brand": "Leaf",
        "price": 3.5,
        "markets": [{"market": "north", "available": False, "price": 4.0}],
        "created_at": datetime(2020, 1, 2, tzinfo=UTC),
    }
    unpriced = {"market": "north", "available": None, "price": None}
    rows = [
        blank | row | {"item_id": "a"},
        blank | row | {"item_id": "b", "title": "Black tea", "markets": None},
        blank | row | {"item_id": "c", "tags": ["new", "organic"], "markets": [unpriced]},
        blank | {"item_id": "d"},
    ]
    frame = pl.DataFrame(rows, schema=ITEM_SCHEMA).with_columns(
        pl.Series("weight", [100, 200, None, None], pl.Int64),
        pl.Series("organic", [True, False, None, None]),
        pl.Series("stars", [4.5, float("nan"), None, None]),
        pl.Series("harvested", [datetime(2020, 1, 2, tzinfo=UTC)] * 2 + [None] * 2),
        pl.Series("notes", [["floral"], [], None, None], pl.List(pl.String)),
    )
    return Catalogue.from_frame(frame)


@dataclass
class SteeredRecommender:
    """Recommends the catalogue in its order; `before` runs first and may wait or raise."""

    bundle_version: str = "20170101T000000-one"
    trained_until: int = NOW - 86_400
    placements: tuple[str, ...] = ("for_you", "popular")
    catalogue: Catalogue = field(default_factory=catalogue)
    catalogue_state: CatalogueState = AS_FITTED
    before: Callable[[Sequence[Query]], object] = lambda _: None
    asked: list[Query] = field(default_factory=list)

    def recommend(self, queries: Sequence[Query]) -> list[Recommendations]:
        self.asked.extend(queries)
        self.before(queries)
        return [self._answer(query) for query in queries]

    def _answer(self, query: Query) -> Recommendations:
        excluded = set(query.exclude_item_ids)
        if query.placement not in self.placements:
            raise UnknownPlacementError(query.placement, self.placements)
        ids = [text for text in self.catalogue.frame["item_id"] if text not in excluded]
        items = tuple(
            RecommendedItem(
                item_id=ItemId(text),
                item_num=cast("int", self.catalogue.items.number(ItemId(text))),
                score=1.0 / rank,
                rank=rank,
                source="steered",
                reason=Reason("because-you-bought", (ItemId("a"),), rank),
            )
            for rank, text in enumerate(ids[: query.limit], start=1)
        )
        return Recommendations(
            placement=query.placement,
            items=items,
            tier=Tier.POPULAR if query.customer_id is None else Tier.PERSONALISED,
            bundle_version=self.bundle_version,
            trained_until=self.trained_until,
            missing_item_ids=tuple(
                text for text in query.context_item_ids if text not in {"a", "b", "c", "d"}
            ),
        )


@dataclass
class RunningServer:
    """A server that listens, and the recommender behind it."""

    server: Server
    port: int
    recommender: SteeredRecommender

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"


ServerFactory = Callable[..., RunningServer]
