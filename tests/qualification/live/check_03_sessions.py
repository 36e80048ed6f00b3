"""Check 3: clicks of a session move its lists to at least what session item-KNN reaches.

The events go the way of a server: written to a store one by one, read as a tail, folded into the
query, answered by `serving.answers`. Every step of every test session but its first is asked for.
"""

import time
from collections.abc import Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recsys.assembly import assemble
from recsys.backtest.significance import Interval, resampled_sums
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit
from recsys.live.deployment import Deployment
from recsys.pipeline.arrangement import arrange
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.store.events import LogEvent
from recsys.store.open import open_store
from recsys.store.store import Store
from recsys.types import EventType, visitor_key
from serving.answering.answers import answer_all
from serving.state.live_state import LiveState
from serving.state.patience import Patience
from serving.state.snapshot import Snapshot
from tests.qualification.live.sessions import (
    DECAY,
    Neighbours,
    Session,
    read_sessions,
    training_data,
)
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, equal, figure

K = 20
PLACEMENT = "next_click"
CONFIG = "docs/configs/sessions.toml"
SEED = 20
LIVE, ALONE = "live", "the same bundle without the events"
BASELINE = "session item-KNN"
STRONGER = "session item-KNN that repeats and reads the whole session"

Ranks: TypeAlias = dict[str, list[list[int]]]
"""By who made the lists: for each session the place of each next click, 0 where it is missing."""


def run(room: Room) -> Iterator[Row]:
    """Fits on the training part and plays the test sessions, click by click."""
    folder = room.shared("yoochoose_100k")
    train = training_data(folder / "train_full.parquet")
    room.step("fitting sessions")
    recommender = assemble(fit(train, load_config(room.root / CONFIG)).pipeline, "sessions")
    known = frozenset(train.items["item_id"].to_list())
    sessions = list(read_sessions(folder / "test.parquet", known))
    baselines = {
        BASELINE: Neighbours(train, own=False, decay=0.0),
        STRONGER: Neighbours(train, own=True, decay=DECAY),
    }
    room.step(f"playing {len(sessions)} sessions")
    with TemporaryDirectory(prefix="recsys-") as temporary:
        store = open_store(f"store://{temporary}/store")
        ranks, read = played(sessions, recommender, store)
        store.close()
    for name, baseline in baselines.items():
        ranks[name] = [
            [
                baseline.rank(session.item_ids[:step], session.item_ids[step], K)
                for step in range(1, len(session.item_ids))
            ]
            for session in sessions
        ]
    steps = sum(len(own) for own in ranks[LIVE])
    yield figure("steps", steps)
    yield equal("steps whose answers knew all clicks before", read, steps)
    yield from judged(ranks)


def played(
    sessions: Sequence[Session], recommender: Recommender, store: Store
) -> tuple[Ranks, int]:
    """Plays sessions into a store; returns the places, and how many answers knew all clicks."""
    patience = Patience(time.monotonic)
    states = {LIVE: LiveState(store, patience), ALONE: LiveState(None, patience)}
    snapshot = Snapshot(recommender, arrange(Deployment(), recommender, {}))
    ranks: Ranks = {name: [] for name in states}
    read = 0
    for session in sessions:
        visitor = visitor_key(session.session_id)
        found: dict[str, list[int]] = {name: [] for name in states}
        for step in range(1, len(session.item_ids)):
            store.append([_click(session, step - 1)])
            query = Query(PLACEMENT, session.times[step] // 1_000_000, visitor, K)
            for name, state in states.items():
                [answer] = answer_all(snapshot, [query], query.query_time, state=state)
                listed = [item.item_id for item in answer.recommendations.items]
                target = session.item_ids[step]
                found[name].append(listed.index(target) + 1 if target in listed else 0)
                read += name == LIVE and answer.live_event_count == step
        for name, own in found.items():
            ranks[name].append(own)
    return ranks, read


def judged(ranks: Ranks) -> Iterator[Row]:
    """Yields the figures of all, and the gains of the live lists with their intervals."""
    for metric, value in (("HR@20", _hit), ("MRR@20", _reciprocal)):
        sums = {
            name: np.array([[value(own).sum(), len(own)] for own in rows])
            for name, rows in ranks.items()
        }
        for name, own in sums.items():
            interval = ratio(own)
            yield figure(f"{metric}, {name}", interval.value)
            yield figure(f"{metric}, {name}: low", interval.low)
            yield figure(f"{metric}, {name}: high", interval.high)
        for name in (BASELINE, STRONGER, ALONE):
            gain = sums[LIVE].copy()
            gain[:, 0] -= sums[name][:, 0]
            interval = ratio(gain)
            yield figure(f"{metric}, gain on {name}", interval.value)
            if name == STRONGER:  # more than was asked for
                yield figure(f"{metric}, gain on {name}: low", interval.low)
            else:
                yield at_least(f"{metric}, gain on {name}: low", interval.low, 0.0)


def ratio(sums: NDArray[np.float64]) -> Interval:
    """Returns a mean over steps with its interval; steps of one session are drawn together."""
    drawn = resampled_sums(sums, seed=SEED)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return Interval(float(sums[:, 0].sum() / sums[:, 1].sum()), float(low), float(high))


def _hit(ranks: Sequence[int]) -> NDArray[np.float64]:
    return (np.array(ranks) > 0).astype(np.float64)


def _reciprocal(ranks: Sequence[int]) -> NDArray[np.float64]:
    places = np.array(ranks, dtype=np.float64)
    return np.divide(1.0, places, where=places > 0, out=np.zeros_like(places))


def _click(session: Session, step: int) -> LogEvent:
    return LogEvent(
        event_id=f"{session.session_id}#{step}",
        customer_id=visitor_key(session.session_id),
        session_id=session.session_id,
        basket_id=None,
        item_id=session.item_ids[step],
        offer_id=None,
        event_type=EventType.VIEW.value,
        event_time=session.times[step],
    )
