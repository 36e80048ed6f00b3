"""Which impression an event followed from, case by case."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pytest

from recsys.online.attribute import Tally, attribute, outcomes
from recsys.online.reading import observe
from recsys.store.events import LogEvent
from recsys.store.impressions import Impression
from recsys.store.open import open_store
from recsys.store.store import Store
from recsys.types import visitor_key
from tests.shown import DAY, HOUR, MINUTE, event, impression, token
from tests.stores import NOON


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"store://{tmp_path / 'store'}")
    yield opened
    opened.close()


class Found:
    """What the attribution of some impressions and events comes to."""

    def __init__(
        self,
        store: Store,
        shown: Sequence[Impression],
        events: Sequence[LogEvent],
        until: int = DAY,
    ) -> None:
        store.log_impressions(shown)
        store.append(events)
        observed = observe(store, since=NOON, until=NOON + until, window=DAY)
        attributed, self.tally = attribute(observed)
        reported = observed.impressions.filter(pl.col("answer_time") < NOON + until)
        rows = outcomes(reported, attributed)
        self.of = {
            bytes(row["request_id"]).hex(): (row["clicked"], row["bought"], row["revenue"])
            for row in rows.iter_rows(named=True)
        }

    def __getitem__(self, shown: Impression) -> tuple[float, float, float]:
        return self.of[shown.request_id]


NOTHING = (0.0, 0.0, 0.0)


def tally(**counts: int) -> Tally:
    names = ("by_token", "by_item", "refused_tokens", "unlogged", "late", "unpriced_purchases")
    return Tally(**{name: counts.get(name, 0) for name in names})


def test_a_view_and_a_purchase_of_a_shown_item_count(store: Store) -> None:
    shown, other = impression("a", "anna", "tea cup"), impression("b", "ben", "tea cup")
    found = Found(
        store,
        [shown, other],
        [
            event("view", "anna", "tea", at=MINUTE),
            event("purchase", "anna", "cup", at=HOUR, price=2.5, quantity=3),
            event("purchase", "anna", "tea", at=HOUR, price=1.0),
            event("view", "anna", "pot", at=MINUTE),
            event("wishlist", "anna", "tea", at=MINUTE),
            event("purchase", "carl", "tea", at=HOUR, price=9.0),
        ],
    )
    assert found[shown] == (1.0, 1.0, 8.5)
    assert found[other] == NOTHING
    assert found.tally == tally(by_item=3)


def test_a_purchase_alone_is_no_click(store: Store) -> None:
    shown = impression("a", "anna", "tea")
    assert Found(store, [shown], [event("purchase", "anna", "tea", at=1, price=4)])[shown] == (
        0.0,
        1.0,
        4.0,
    )


def test_the_last_touch_gets_it(store: Store) -> None:
    first, second = impression("a", "anna", "tea cup"), impression("b", "anna", "tea", at=HOUR)
    found = Found(
        store,
        [first, second],
        [
            event("purchase", "anna", "tea", at=2 * HOUR, price=1),
            event("purchase", "anna", "cup", at=2 * HOUR, price=2),
            event("view", "anna", "tea", at=HOUR - 1),
        ],
    )
    assert found[first] == (1.0, 1.0, 2.0)
    assert found[second] == (0.0, 1.0, 1.0)


@pytest.mark.parametrize(("at", "counts"), [(0, True), (DAY, True), (-1, False), (DAY + 1, False)])
def test_the_window_has_both_ends(store: Store, at: int, counts: bool) -> None:  # noqa: FBT001
    shown = impression("a", "anna", "tea", at=HOUR)
    found = Found(store, [shown], [event("view", "anna", "tea", at=HOUR + at)])
    assert found[shown][0] == float(counts)


def test_a_later_list_beyond_the_end_of_the_report_takes_what_it_touched(store: Store) -> None:
    shown, beyond = impression("a", "anna", "tea"), impression("b", "anna", "tea", at=2 * HOUR)
    events = [event("view", "anna", "tea", at=3 * HOUR)]
    found = Found(store, [shown, beyond], events, until=HOUR)
    assert found.of == {shown.request_id: NOTHING}
    assert found.tally == tally()


def test_a_token_decides_alone(store: Store) -> None:
    """Whoever sends it, whatever the item, and though another list showed the item later."""
    first, second = impression("a", "anna", "tea"), impression("b", "anna", "tea", at=HOUR)
    proof = token(store, first)
    found = Found(
        store,
        [first, second],
        [
            event("view", "anna", "tea", at=2 * HOUR, attribution_token=proof),
            event("purchase", "ben", "pot", at=2 * HOUR, price=5, attribution_token=proof),
            event(
                "email-click", "anna", None, at=2 * HOUR, attribution_token=token(store, second)
            ),
        ],
    )
    assert found[first] == (1.0, 1.0, 5.0)
    assert found[second] == (1.0, 0.0, 0.0)
    assert found.tally == tally(by_token=3)


def test_a_token_counts_from_a_slow_clock_and_not_after_the_window(store: Store) -> None:
    shown = impression("a", "anna", "tea", at=HOUR)
    proof = token(store, shown)
    found = Found(
        store,
        [shown],
        [
            event("view", "anna", "tea", at=HOUR - MINUTE, attribution_token=proof),
            event("purchase", "anna", "tea", at=HOUR + DAY + 1, price=5, attribution_token=proof),
        ],
        until=2 * HOUR,
    )
    assert found[shown] == (1.0, 0.0, 0.0)
    assert found.tally == tally(by_token=1, late=1)


def test_a_changed_token_is_refused_and_the_item_still_counts(store: Store) -> None:
    shown, other = impression("a", "anna", "tea"), impression("b", "ben", "cup")
    forged = token(store, other)[:-1] + "A"
    found = Found(
        store,
        [shown, other],
        [
            event("view", "anna", "tea", at=MINUTE, attribution_token=forged),
            event("view", "anna", "cup", at=MINUTE, attribution_token="x" * 300),
        ],
    )
    assert found[shown] == (1.0, 0.0, 0.0)
    assert found[other] == NOTHING
    assert found.tally == tally(by_item=1, refused_tokens=2)


def test_a_token_of_a_lost_answer_is_told(store: Store) -> None:
    shown, lost = impression("a", "anna", "tea"), impression("b", "anna", "tea")
    events = [event("view", "anna", "tea", at=MINUTE, attribution_token=token(store, lost))]
    found = Found(store, [shown], events)
    assert found[shown] == NOTHING
    assert found.tally == tally(unlogged=1)


def test_a_visitor_who_logs_in_is_one_customer(store: Store) -> None:
    shown = impression("a", visitor_key("v1"), "tea")
    later = impression("b", "anna", "cup", at=HOUR)
    store.link_visitor("v1", "anna")
    found = Found(
        store,
        [shown, later],
        [
            event("purchase", "anna", "tea", at=2 * HOUR, price=7),
            event("view", visitor_key("v1"), "cup", at=2 * HOUR),
            event("view", visitor_key("v2"), "cup", at=2 * HOUR),
        ],
    )
    assert found[shown] == (0.0, 1.0, 7.0)
    assert found[later] == (1.0, 0.0, 0.0)


def test_lists_for_nobody_count_by_token_alone(store: Store) -> None:
    nobody, other = impression("a", None, "tea"), impression("b", None, "tea", at=1)
    found = Found(
        store,
        [nobody, other],
        [
            event("view", "anna", "tea", at=MINUTE),
            event("click", "anna", "tea", at=MINUTE, attribution_token=token(store, nobody)),
        ],
    )
    assert found[nobody] == (1.0, 0.0, 0.0)
    assert found[other] == NOTHING


def test_the_same_event_sent_twice_counts_once_and_lists_may_be_empty(store: Store) -> None:
    shown, empty = impression("a", "anna", "tea"), impression("b", "anna", "")
    bought = event("purchase", "anna", "tea", at=MINUTE, price=3)
    store.append([bought])
    found = Found(store, [shown, empty], [bought])
    assert found[shown] == (0.0, 1.0, 3.0)
    assert found[empty] == NOTHING


def test_a_purchase_without_a_price_is_told(store: Store) -> None:
    shown = impression("a", "anna", "tea cup")
    found = Found(
        store,
        [shown],
        [
            event("purchase", "anna", "tea", at=MINUTE),
            event("purchase", "anna", "cup", at=MINUTE, price=0.0),
        ],
    )
    assert found[shown] == (0.0, 1.0, 0.0)
    assert found.tally == tally(by_item=2, unpriced_purchases=1)


def test_an_empty_store_has_nothing(store: Store) -> None:
    found = Found(store, [], [])
    assert found.of == {}
    assert found.tally == tally()


def test_the_example_of_the_documentation(store: Store) -> None:
    noon, one = impression("a", "Anna", "tea cup"), impression("b", "Anna", "tea", at=HOUR)
    proof = token(store, noon)
    found = Found(
        store,
        [noon, one],
        [
            event("view", "Anna", "cup", at=5 * MINUTE),
            event("purchase", "Anna", "tea", at=2 * HOUR, price=3),
            event("purchase", "Anna", "cup", at=2 * HOUR, price=4),
            event("view", "Anna", "tea", at=130 * MINUTE, attribution_token=proof),
            event("purchase", "Anna", "pot", at=2 * HOUR, price=50),
            event("purchase", "Anna", "tea", at=DAY + 90 * MINUTE, price=3),
        ],
    )
    assert found[noon] == (1.0, 1.0, 4.0)
    assert found[one] == (0.0, 1.0, 3.0)
