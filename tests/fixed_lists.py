"""A recommender whose lists a test decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recsys.data.catalogue import Catalogue
from recsys.pipeline.query import Query, Reason, Recommendations, RecommendedItem
from recsys.types import ItemId, Tier


@dataclass
class FixedLists:
    """Answers each customer with a fixed list, cut at the limit, and notes what it was asked."""

    catalogue: Catalogue
    lists: Mapping[str | None, Sequence[str]]
    batches: list[list[Query]] = field(default_factory=list)

    def recommend(self, queries: Sequence[Query]) -> list[Recommendations]:
        self.batches.append(list(queries))
        return [self._answer(query) for query in queries]

    def _answer(self, query: Query) -> Recommendations:
        ids = [ItemId(item) for item in self.lists.get(query.customer_id, ())][: query.limit]
        nums = self.catalogue.items.numbers(ids).tolist()
        items = tuple(
            RecommendedItem(item, num, 1 / rank, rank, "fixed", Reason("popular"))
            for rank, (item, num) in enumerate(zip(ids, nums, strict=True), start=1)
        )
        return Recommendations(query.placement, items, Tier.POPULAR, "fixed", query.query_time)
