import lightgbm
import numpy as np
import pytest

from recsys.config import validated
from recsys.data.state import DecayScale, StateRows
from recsys.errors import ConfigError
from recsys.pipeline.blend import Pool, blend
from recsys.pipeline.features import feature_names
from recsys.pipeline.placements import PlacementConfig
from recsys.pipeline.query import Query
from recsys.pipeline.ranker import Ranker, RankerConfig, ranker_rows, rerank
from recsys.pipeline.request import Request
from recsys.types import Tier

NOW = 1_000_000
ITEMS = 12


def request(limit: int) -> Request:
    """Somebody of whom nothing is known."""
    nothing = StateRows(
        item_nums=np.zeros(0, np.int32),
        event_types=np.zeros(0, np.uint8),
        days=np.zeros(0, np.float32),
        first_times=np.zeros(0, np.int64),
        last_times=np.zeros(0, np.int64),
        decayed=np.zeros((0, 1), np.float32),
    )
    return Request(
        query=Query("for_you", NOW, limit=limit),
        rows=nothing,
        scale=DecayScale((30.0,), NOW),
        history_tier=Tier.SESSION,
        label_nums=np.zeros(0, np.int32),
        context_nums=np.zeros(0, np.int32),
        use_context=False,
        allowed=np.ones(ITEMS, bool),
    )


def dislikes_the_first(config: RankerConfig, names: tuple[str, ...]) -> Ranker:
    """Trees that turn the blend's order round."""
    random = np.random.default_rng(0)
    rows = random.uniform(0, 20, size=(400, len(names)))
    place = names.index("blend_rank")
    data = lightgbm.Dataset(rows, label=rows[:, place])
    options = {"verbosity": -1, "num_leaves": 31, "min_data_in_leaf": 5}
    trees = lightgbm.train(options, data, num_boost_round=30)
    return Ranker(config, names, trees.model_to_string())


@pytest.fixture
def config() -> RankerConfig:
    return RankerConfig(candidates=4, half_lives_days=(30.0,))


@pytest.fixture
def candidates() -> Pool:
    """Nine items; the blend likes the last numbers best."""
    nums = np.arange(3, 12, dtype=np.int32)
    return Pool(nums, (np.arange(9, dtype=np.float32)[:, None] + 1) / 45)


def ranked_by(config: RankerConfig, candidates: Pool, limit: int):
    names = feature_names(["only"], (30.0,))
    ranker = dislikes_the_first(config, names)
    ranked = blend(candidates, [1.0])
    table = np.zeros((ITEMS, 9), np.float32)
    return ranked, rerank(ranker, request(limit), ranked, candidates, table)


@pytest.mark.parametrize(("limit", "places"), [(1, 4), (4, 4), (6, 6), (500, 9)])
def test_the_best_are_ranked_and_the_others_follow(config, candidates, limit, places):
    ranked, found = ranked_by(config, candidates, limit)
    assert found.item_nums[:places].tolist() == ranked.item_nums[:places][::-1].tolist()
    assert found.item_nums[places:].tolist() == ranked.item_nums[places:].tolist()
    assert (np.diff(found.scores) <= 0).all()
    assert (found.scores > 0).all()
    assert found.scores.dtype == np.float32
    by_item = dict(zip(ranked.item_nums.tolist(), ranked.parts.tolist(), strict=True))
    assert found.parts.tolist() == [by_item[num] for num in found.item_nums.tolist()]


def test_without_candidates_there_is_nothing_to_rank(config):
    nothing = Pool(np.zeros(0, np.int32), np.zeros((0, 1), np.float32))
    _, found = ranked_by(config, nothing, 5)
    assert len(found.item_nums) == 0


def test_equal_rows_keep_the_blends_order(config, candidates):
    names = feature_names(["only"], (30.0,))
    flat = lightgbm.train(
        {"verbosity": -1}, lightgbm.Dataset(np.zeros((40, len(names))), label=np.zeros(40)), 1
    )
    ranked = blend(candidates, [1.0])
    found = rerank(
        Ranker(config, names, flat.model_to_string()),
        request(5),
        ranked,
        candidates,
        np.zeros((ITEMS, 9), np.float32),
    )
    assert found.item_nums.tolist() == ranked.item_nums.tolist()


def test_rows_are_named_as_the_placement_says(config, candidates):
    placement = validated(
        PlacementConfig,
        {"sources": [{"name": "only", "weight": 1}], "ranker": config},
        where="test",
    )
    table = np.arange(ITEMS * 9, dtype=np.float32).reshape(ITEMS, 9)
    ranked = blend(candidates, [1.0])
    best, rows = ranker_rows(config, request(1), ranked, candidates, table)
    names = placement.ranker_features()
    assert rows.shape == (4, len(names))
    assert rows.flags.c_contiguous
    columns = {name: rows[:, place] for place, name in enumerate(names)}
    assert best.item_nums.tolist() == [11, 10, 9, 8]
    assert columns["blend"].tolist() == pytest.approx([1, 8 / 9, 7 / 9, 6 / 9])
    assert columns["blend_rank"].tolist() == [0, 1, 2, 3]
    assert columns["share:only"].tolist() == pytest.approx([9 / 45, 8 / 45, 7 / 45, 6 / 45])
    assert columns["item_price"].tolist() == table[[11, 10, 9, 8], -1].tolist()
    assert columns["bought_days"].tolist() == [0, 0, 0, 0]
    assert np.isnan(columns["bought_since"]).all()


def test_no_ranker_no_features():
    plain = validated(PlacementConfig, {"sources": [{"name": "only", "weight": 1}]}, where="test")
    assert plain.ranker_features() == ()


def test_a_page_about_an_item_cannot_be_ranked_by_what_histories_taught():
    parts = {"sources": [{"name": "only", "weight": 1}], "seeds": "context", "ranker": {}}
    with pytest.raises(ConfigError, match="a ranker learns from histories"):
        validated(PlacementConfig, parts, where="test")


def test_a_ranker_comes_back_from_its_arrays(config):
    names = feature_names(["only"], (30.0,))
    ranker = dislikes_the_first(config, names)
    restored = Ranker.restore(config, ranker.arrays())
    assert (restored.names, restored.text) == (ranker.names, ranker.text)
    rows = np.random.default_rng(1).uniform(0, 20, (50, len(names))).astype(np.float32)
    assert restored.scores(rows).tobytes() == ranker.scores(rows).tobytes()
