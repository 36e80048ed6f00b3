"""Explored places come as often as their propensities say, and change nothing else."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from recsys.live.deployment import Exploration
from recsys.pipeline.exploration import draw
from recsys.pipeline.query import Query, RecentEvent
from recsys.pipeline.recommender import Recommender
from recsys.types import CustomerId, EventType, ItemId
from tests.small_shop import CUSTOMERS, END

NOW = int(END.timestamp())
SEEDS = 5_000
PLACEMENTS = ("for_you", "discover", "buy_again", "similar_items", "bought_together", "popular")
explorations = st.builds(
    Exploration,
    place_from_end=st.integers(1, 12),
    temperature=st.sampled_from([0.01, 0.2, 1.0, 100.0]),
    candidates=st.integers(2, 30),
    new_item_days=st.sampled_from([None, None, 30.0, 200.0]),
)
queries = st.builds(
    Query,
    placement=st.sampled_from(PLACEMENTS),
    query_time=st.just(NOW),
    customer_id=st.one_of(
        st.none(),
        st.integers(0, CUSTOMERS + 5).map(lambda number: f"customer-{number:02}"),
    ),
    limit=st.sampled_from([1, 2, 5, 20, 60]),
    context_item_ids=st.lists(
        st.integers(0, 48).map(lambda number: f"item-{number:02}"), max_size=3
    ).map(tuple),
    filter=st.sampled_from(["", "price < 20", "price > 1000"]),
)
relaxed = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)


@relaxed
@given(query=queries, exploration=explorations, seed=st.text(max_size=8))
def test_only_one_place_is_another(
    query: Query, exploration: Exploration, seed: str, recommender: Recommender
) -> None:
    plain = recommender.recommend([query])[0]
    explored = replace(query, exploration=exploration, seed=seed)
    answer = recommender.recommend([explored])[0]
    assert recommender.recommend([explored, query]) == [answer, plain]
    assert len(answer.items) == len(plain.items)
    assert [item.rank for item in answer.items] == list(range(1, len(plain.items) + 1))
    drawn = [place for place, item in enumerate(answer.items) if item.propensity is not None]
    if not drawn:
        assert answer == plain
        return
    [place] = drawn
    assert place == max(0, len(plain.items) - exploration.place_from_end)
    item = answer.items[place]
    assert item.propensity is not None
    assert 0 < item.propensity <= 1
    others = [*answer.items[:place], *answer.items[place + 1 :]]
    assert [replace(each, rank=0) for each in others] == [
        replace(each, rank=0) for each in plain.items[:-1]
    ]
    config = recommender.placement_configs[query.placement]
    assert recommender.resolver.resolve(query, config).allowed[item.item_num]
    groups = recommender.catalogue.group_nums
    assert groups[item.item_num] not in groups[[each.item_num for each in others]]


def drawn_items(
    recommender: Recommender, exploration: Exploration
) -> tuple[Counter[str], dict[str, float]]:
    """Draws with many seeds; returns how often each item came and its propensity."""
    query = Query("for_you", NOW, CustomerId("customer-01"), limit=5, exploration=exploration)
    request, _, ranked = recommender.first_stage(query)
    kept = recommender.recommend([query])[0].items[:-1]
    counts: Counter[str] = Counter()
    chances: dict[str, float] = {}
    for number in range(SEEDS):
        seeded = replace(query, seed=f"{number:032x}")
        drawn = draw(
            exploration,
            replace(request, query=seeded),
            ranked,
            recommender.catalogue,
            unlisted=lambda nums: recommender._unlisted(request, nums, kept),
        )
        assert drawn is not None
        item_id = recommender.catalogue.items.id(drawn.item_num)
        if number % 500 == 0:
            shown = recommender.recommend([seeded])[0].items[-1]
            assert (shown.item_id, shown.propensity) == (item_id, drawn.propensity)
        assert chances.setdefault(item_id, drawn.propensity) == drawn.propensity
        counts[item_id] += 1
    return counts, chances


@pytest.mark.parametrize(
    "exploration",
    [
        Exploration(temperature=0.3, candidates=8),
        Exploration(temperature=5, candidates=30),
        Exploration(temperature=0.5, candidates=6, new_item_days=200, new_item_boost=1.0),
    ],
)
def test_items_come_as_often_as_their_propensity(
    recommender: Recommender, exploration: Exploration
) -> None:
    counts, chances = drawn_items(recommender, exploration)
    expected = {item: SEEDS * chance for item, chance in chances.items()}
    large = [item for item in counts if expected[item] >= 5]
    statistic = sum((counts[item] - expected[item]) ** 2 / expected[item] for item in large)
    assert len(large) >= 4
    assert statistic < chi2.ppf(0.9999, len(large))
    # What never came is rare, so propensities of those that came sum to nearly all.
    assert 0.99 < sum(chances.values()) <= 1 + 1e-9


def test_inverse_propensities_undo_the_draw(recommender: Recommender) -> None:
    """The mean reward of an even choice, from a log of uneven draws."""
    counts, chances = drawn_items(recommender, Exploration(temperature=0.5, candidates=8))
    rewards = {
        item: number / 10 for number, item in enumerate(sorted(chances, key=chances.__getitem__))
    }
    even = 1 / len(chances)
    weighted = np.concatenate(
        [np.full(counts[item], even / chances[item] * rewards[item]) for item in chances]
    )
    error = weighted.std() / np.sqrt(SEEDS)
    assert abs(weighted.mean() - even * sum(rewards.values())) < 4 * error
    plain = sum(counts[item] * rewards[item] for item in counts) / SEEDS
    assert abs(plain - even * sum(rewards.values())) > 4 * error, "the draw was even anyway"


def test_a_cold_draw_is_the_plain_list(recommender: Recommender) -> None:
    query = Query("for_you", NOW, CustomerId("customer-01"), limit=5)
    [plain] = recommender.recommend([query])
    cold = replace(query, exploration=Exploration(temperature=0.01), seed="any")
    [answer] = recommender.recommend([cold])
    assert answer.items[-1].item_id == plain.items[-1].item_id
    assert answer.items[-1].propensity == pytest.approx(1, abs=0.05)


def test_events_of_the_query_count_as_ever(recommender: Recommender) -> None:
    events = (RecentEvent(ItemId("item-03"), EventType.PURCHASE, NOW - 60),)
    query = Query("discover", NOW, None, limit=5, events=events)
    explored = replace(query, exploration=Exploration(), seed="one")
    first, second = recommender.recommend([query])[0], recommender.recommend([explored])[0]
    assert first.items[:-1] == second.items[:-1]
