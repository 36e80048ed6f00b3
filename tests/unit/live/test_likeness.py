import numpy as np
import polars as pl
import pytest

from recsys.data.events import ITEM_SCHEMA
from recsys.live.likeness import BLOCK, Likeness
from recsys.models.item_words import word_columns, words_of
from tests.small_shop import shop_items

ITEMS = shop_items().sort("item_id")
LEARNED = np.arange(1, 40, dtype=np.int32)


def cosines(rows: pl.DataFrame) -> np.ndarray:
    """Computes each row's likeness to all learned items from the definition."""
    columns = word_columns(ITEMS, None)

    def bags(frame: pl.DataFrame) -> list[set[str]]:
        found: list[set[str]] = [set() for _ in range(len(frame))]
        for item, word in words_of(frame, columns).iter_rows():
            found[item].add(word)
        return found

    learned = bags(ITEMS[LEARNED])
    counts: dict[str, int] = {}
    for bag in learned:
        for word in bag:
            counts[word] = counts.get(word, 0) + 1
    weight = {word: np.log(1 + len(learned) / count) for word, count in counts.items()}

    def length(bag: set[str]) -> float:
        return float(np.sqrt(sum(weight.get(word, 0.0) ** 2 for word in bag)))

    return np.array(
        [
            [
                sum(weight[word] ** 2 for word in one & other)
                / max(length(one) * length(other), 1e-12)
                for other in learned
            ]
            for one in bags(rows)
        ]
    )


def test_the_nearest_are_those_of_the_largest_cosine() -> None:
    rows = pl.concat([ITEMS, ITEMS[:10]])
    assert len(rows) > BLOCK
    found = Likeness.of(ITEMS, LEARNED).nearest(rows, 7)
    expected = cosines(rows)
    order = np.argsort(-expected.round(6), axis=1, kind="stable")[:, :7]
    best = np.take_along_axis(expected, order, axis=1)
    assert np.allclose(found.similarities, best, atol=1e-5)
    there = found.similarities > 0
    learned = np.take_along_axis(expected, np.searchsorted(LEARNED, found.item_nums) % 39, axis=1)
    assert np.allclose(learned[there], found.similarities[there], atol=1e-5)
    assert (np.diff(found.similarities, axis=1) <= 0).all()
    assert found.similarities.max() <= 1


def test_an_item_is_most_like_itself() -> None:
    found = Likeness.of(ITEMS, LEARNED).nearest(ITEMS[LEARNED], 1)
    assert found.similarities[:, 0] == pytest.approx(1.0, abs=1e-5)


def test_what_says_nothing_is_like_nothing() -> None:
    blank = pl.DataFrame({name: [None] for name in ITEMS.columns}, schema=ITEMS.schema)
    strange = blank.with_columns(title=pl.lit("Xylophone"))
    found = Likeness.of(ITEMS, LEARNED).nearest(pl.concat([blank, strange]), 5)
    assert (found.similarities == 0).all()
    assert (found.item_nums == 0).all()


def test_where_nothing_was_learned() -> None:
    nobody = Likeness.of(ITEMS, LEARNED[:0]).nearest(ITEMS, 5)
    assert (nobody.similarities == 0).all()
    empty = pl.DataFrame(schema=ITEM_SCHEMA)
    assert len(Likeness.of(ITEMS, LEARNED).nearest(ITEMS[:0], 5).item_nums) == 0
    assert len(Likeness.of(empty, LEARNED[:0]).nearest(empty, 5).item_nums) == 0
