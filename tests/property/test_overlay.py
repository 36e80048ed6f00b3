"""A catalogue with changes laid over it is the catalogue that a whole import would have made."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.catalogue import Catalogue
from recsys.errors import InvalidQueryError
from recsys.live.eligibility import Eligibility
from recsys.live.overlay import Overlay
from tests.catalogue_changes import COLUMNS, Changes, expected_items
from tests.small_shop import shop_items

BUNDLE = Catalogue.from_frame(shop_items())
FILTERS = ("", "price < 20", "brand = 'brand-9'", "caffeine", "'organic' IN tags", "price > 100")
STEP = st.tuples(
    st.sampled_from(["whole", "whole", "part", "remove"]),
    st.sampled_from([f"item-{number:02}" for number in range(38, 52)] + ["Zebra", "a"]),
    COLUMNS,
)
STEPS = st.lists(st.lists(STEP, max_size=6), max_size=4)
Steps = list[list[tuple[str, str, dict[str, Any]]]]


def followed(steps: Steps) -> tuple[Overlay, pl.DataFrame]:
    """Returns the overlay after each list of steps, one after another, and what to expect."""
    overlay, changes = Overlay.over(BUNDLE, Eligibility(BUNDLE.frame)), Changes()
    for some in steps:
        touched = {}
        for kind, item_id, columns in some:
            if kind == "remove":
                touched[item_id] = changes.remove(item_id)
            else:
                touched[item_id] = changes.upsert(item_id, replaces=kind == "whole", **columns)
        overlay = overlay.changed(list(touched.values()))
    return overlay, expected_items(BUNDLE.frame, changes.rows)


def same_partition(first: np.ndarray, second: np.ndarray) -> bool:
    pairs = set(zip(first.tolist(), second.tolist(), strict=True))
    return len(pairs) == len({one for one, _ in pairs}) == len({two for _, two in pairs})


@settings(max_examples=150)
@given(steps=STEPS)
def test_an_overlay_is_the_catalogue_built_whole(steps: Steps) -> None:
    overlay, items = followed(steps)
    whole, now = Catalogue.from_frame(items), overlay.catalogue
    ids = items["item_id"].to_list()
    nums = np.array([now.items.number(item_id) for item_id in ids])
    assert nums.tolist() == now.items.numbers(pl.Series(ids)).tolist()
    assert [now.items.id(num) for num in nums.tolist()] == ids
    assert now.frame[nums].equals(whole.frame)
    assert same_partition(now.group_nums[nums], whole.group_nums)
    assert same_partition(now.category_nums[nums], whole.category_nums)
    assert (now.category_nums[nums] < 0).tolist() == (whole.category_nums < 0).tolist()
    assert now.created_times[nums].tolist() == whole.created_times.tolist()
    assert len(now) == len(now.frame) == len(now.group_nums) == len(now.category_nums)
    assert now.items.ids(np.arange(len(BUNDLE))) == BUNDLE.frame["item_id"].to_list()
    gone = set(BUNDLE.frame["item_id"]) - set(ids)
    assert {now.items.id(num) for num in now.removed} == gone
    assert not any(now.has(item_id) for item_id in gone)
    assert all(now.has(item_id) for item_id in ids)
    check_masks(overlay.eligibility, Eligibility(whole.frame), nums)


def check_masks(laid: Eligibility, whole: Eligibility, nums: np.ndarray) -> None:
    for market in (None, "de", "fr"):
        for text in FILTERS:
            try:
                expected = whole.mask(text, market)
            except InvalidQueryError:
                assert market not in laid.markets
                continue
            mask = laid.mask(text, market)
            assert mask[nums].tolist() == expected.tolist()
            assert mask.sum() == expected.sum(), "a removed item passes"


@settings(max_examples=50)
@given(steps=STEPS)
def test_steps_at_once_are_steps_one_by_one(steps: Steps) -> None:
    overlay, _ = followed(steps)
    last: dict[str, Any] = {}
    changes = Changes()
    for kind, item_id, columns in (step for some in steps for step in some):
        if kind == "remove":
            last[item_id] = changes.remove(item_id)
        else:
            last[item_id] = changes.upsert(item_id, replaces=kind == "whole", **columns)
    at_once = Overlay.over(BUNDLE, Eligibility(BUNDLE.frame)).changed(list(last.values()))
    assert at_once.catalogue.frame.equals(overlay.catalogue.frame)
    assert at_once.catalogue.removed == overlay.catalogue.removed
    assert same_partition(at_once.catalogue.group_nums, overlay.catalogue.group_nums)


def test_the_bundle_stays_as_it_was() -> None:
    before = BUNDLE.frame.clone().to_dicts()
    overlay, _ = followed([[("whole", "item-01", {"price": 1.0, "tags": ["x"]})]])
    assert BUNDLE.frame.to_dicts() == before
    assert overlay.catalogue.items is BUNDLE.items, "no item is new: no other vocabulary"


def test_columns_that_the_bundle_does_not_have() -> None:
    changes = Changes()
    first = changes.upsert("item-01", replaces=False, colour="red", size=2, soft=True)
    second = changes.upsert("item-02", replaces=False, colour=7, words=["a", "b"])
    overlay = Overlay.over(BUNDLE, Eligibility(BUNDLE.frame)).changed([first, second])
    schema = overlay.catalogue.frame.schema
    assert schema["colour"] == pl.String, "the first value decides"
    assert schema["size"] == pl.Float64
    assert schema["soft"] == pl.Boolean
    assert schema["words"] == pl.List(pl.String)
    assert passing(overlay, "colour = 'red'") == ["item-01"]
    assert passing(overlay, "'b' IN words AND colour IS NULL") == ["item-02"]
    later = overlay.changed([changes.upsert("new", colour="blue", price=1.0)])
    assert passing(later, "colour = 'blue'") == ["new"]
    assert passing(later, "size = 2") == ["item-01"]


def passing(overlay: Overlay, text: str) -> Sequence[str]:
    found = np.flatnonzero(overlay.eligibility.mask(text, None))
    return [overlay.catalogue.items.id(num) for num in found.tolist()]


def test_many_changes_at_once() -> None:
    changes = Changes()
    rows = [changes.upsert(f"many-{number:05}", price=float(number)) for number in range(1_500)]
    rows += [changes.upsert("item-01", price=5.0)]
    overlay = Overlay.over(BUNDLE, Eligibility(BUNDLE.frame)).changed(rows)
    assert len(overlay.new_rows) == 1_500
    assert overlay.catalogue.items.number("many-00007") == len(BUNDLE) + 7
    assert len(passing(overlay, "price >= 1000")) == 500
