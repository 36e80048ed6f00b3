"""What every driver of the store keeps of what was shown."""

import json
from uuid import uuid4

from recsys.store.impressions import ExperimentNote, Impression, Loss
from recsys.store.store import Store
from recsys.store.tables import impressions
from tests.stores import NOON

HOUR = 3_600_000_000


def impression(customer_id: str | None = "anna", **changes) -> Impression:
    return Impression(
        request_id=uuid4().hex,
        answer_time=NOON,
        customer_id=customer_id,
        placement="for_you",
        bundle_version="b1",
        experiment="",
        arm="",
        experiment_version="",
        item_ids=["tea", "grün\x00\"'"],
        scores=[0.5, 0.25],
        sources=["taste", "popular"],
        explored_rank=2,
        propensity=0.125,
        query={"filter": "title = '\x00?'", "limit": 2, "context": ["cup"]},
    )._replace(**changes)


def test_what_was_shown_is_kept_as_it_was(store: Store) -> None:
    shown = [impression(), impression(None, explored_rank=None, propensity=None)]
    assert store.log_impressions(shown) == 2
    with store.read() as session:
        rows = impressions.rows_of(session, impressions.COLUMNS, 0, 9, 9)
    for number, (row, each) in enumerate(zip(rows, shown, strict=True), start=1):
        kept = dict(zip(impressions.COLUMNS, row, strict=True))
        assert kept.pop("number") == number
        assert bytes(kept.pop("request_id")).hex() == each.request_id
        for name, value in kept.items():
            text = name in {"item_ids", "scores", "sources", "query"}
            assert (json.loads(value) if text else value) == getattr(each, name)


def test_an_answer_is_logged_once(store: Store) -> None:
    first, second = impression(), impression()
    assert store.log_impressions([first, first]) == 1
    assert store.log_impressions([first, second]) == 1
    assert store.log_impressions([first]) == 0
    with store.read() as session:
        rows = impressions.rows_of(session, ("number", "request_id"), 0, 9, 9)
    assert [(number, bytes(key).hex()) for number, key in rows] == [
        (1, first.request_id),
        (2, second.request_id),
    ]


def test_a_time_is_found(store: Store) -> None:
    store.log_impressions([impression(answer_time=NOON + hour * HOUR) for hour in range(5)])
    with store.read() as session:
        assert impressions.numbers_between(session, NOON + HOUR, NOON + 3 * HOUR) == (2, 3)
        assert impressions.numbers_between(session, NOON + 9 * HOUR, NOON + 10 * HOUR) == (0, 0)
        assert [row[0] for row in impressions.rows_of(session, ("number",), 1, 4, 2)] == [2, 3]


def test_a_loss_counts_once(store: Store) -> None:
    loss = Loss("l1", NOON, NOON + HOUR, "for_you", "b1", "", "", 7)
    store.log_impressions([], losses=[loss, loss])
    store.log_impressions([], losses=[loss, loss._replace(loss_id="l2", first_time=NOON + HOUR)])
    with store.read() as session:
        assert impressions.losses_between(session, NOON, NOON + HOUR) == [loss]
        found = impressions.losses_between(session, 0, NOON + 2 * HOUR)
    assert [(each.loss_id, each.lost) for each in found] == [("l1", 7), ("l2", 7)]


def test_experiments_are_noted_once_and_keep_the_order_of_their_arms(store: Store) -> None:
    note = ExperimentNote("v1", "colours", {"red": 0.5, "blue": 0.25, "amber": 0.25})
    store.log_impressions([], experiments=[note])
    store.log_impressions([], experiments=[note, note._replace(version="v2", arms={"red": 1.0})])
    with store.read() as session:
        found = impressions.experiments(session)
    assert {each.version: list(each.arms) for each in found} == {
        "v1": ["red", "blue", "amber"],
        "v2": ["red"],
    }
    assert found[0].arms == note.arms


def test_the_log_of_an_old_time_can_be_removed_in_parts(store: Store) -> None:
    store.log_impressions(
        [impression(answer_time=NOON + hour * HOUR) for hour in range(5)],
        losses=[Loss("l1", NOON, NOON, "for_you", "b1", "", "", 1)],
    )
    assert store.remove_impressions(NOON + 3 * HOUR, 2) == 2
    with store.read() as session:
        assert len(impressions.losses_between(session, 0, 2**60)) == 1
    assert store.remove_impressions(NOON + 3 * HOUR, 2) == 1
    assert store.remove_impressions(NOON + 3 * HOUR, 2) == 0
    with store.read() as session:
        assert impressions.losses_between(session, 0, 2**60) == []
    assert store.log_impressions([impression()]) == 1
    with store.read() as session:
        assert impressions.rows_of(session, ("number",), 0, 99, 99) == [(4,), (5,), (6,)]
