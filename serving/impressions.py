"""The log of what was answered: written behind the answers' backs, and honest about its gaps."""

import threading
import uuid
from collections import deque
from collections.abc import Sequence

import structlog

from recsys.errors import StoreError
from recsys.store.impressions import ExperimentNote, Group, Impression, Loss
from recsys.store.store import Store
from serving.answers import Answer
from serving.impression_rows import group_of, to_impression
from serving.logs import IMPRESSIONS_LOST, IMPRESSIONS_WAITING

CAPACITY = 200_000
"""Items, in lists that wait to be written: some 100 MB at most."""
BATCH = 100
"""Lists in one transaction: events that are written meanwhile wait for no more than that."""
INTERVAL_S = 0.25
RETRY_S = 1.0
_log = structlog.get_logger()


class ImpressionLog:
    """Takes answers at once and writes them in a thread, each once.

    While the store cannot be written, lists wait here until `CAPACITY` is reached. Further ones
    are counted, and the counts are stored as soon as the store is back. What waits when the
    process is killed is gone; when it is stopped, what cannot be written is counted in its log.
    """

    def __init__(
        self,
        store: Store,
        *,
        capacity: int = CAPACITY,
        interval_s: float = INTERVAL_S,
        retry_s: float = RETRY_S,
    ) -> None:
        """Takes the store, how many items may wait, and the seconds between two writes."""
        self._store = store
        self._capacity = capacity
        self._interval_s = interval_s
        self._retry_s = retry_s
        self._lock = threading.Lock()
        self._waiting: deque[Answer] = deque()
        self._items = 0
        self._lost: dict[Group, tuple[int, int, int]] = {}
        self._batch: list[Impression] = []
        self._losses: list[Loss] = []
        self._notes: dict[str, ExperimentNote] = {}
        self._noted: set[str] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="impressions", daemon=True)

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def add(self, answers: Sequence[Answer]) -> None:
        """Takes answers that were made; never waits for the store."""
        with self._lock:
            for answer in answers:
                size = len(answer.recommendations.items) + 1
                if self._items + size > self._capacity:
                    self._lose(group_of(answer), answer.answer_time)
                else:
                    self._waiting.append(answer)
                    self._items += size

    def stop(self) -> None:
        """Writes what waits, if the store takes it, and counts in the log what it does not."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            left = len(self._waiting) + len(self._batch)
            left += sum(count for count, _, _ in self._lost.values())
            left += sum(loss.lost for loss in self._losses)
        if left:
            _log.error(IMPRESSIONS_LOST, count=left)

    def _follow(self) -> None:
        pause_s = self._interval_s
        while not self._stopped.wait(pause_s):
            pause_s = self._interval_s if self._write_all() else self._retry_s
        self._write_all()

    def _write_all(self) -> bool:
        """Writes all that waits; returns whether the store took it."""
        while self._take():
            try:
                self._store.log_impressions(
                    self._batch, losses=self._losses, experiments=list(self._notes.values())
                )
            except StoreError as error:
                _log.warning(IMPRESSIONS_WAITING, reason=error.reason, count=len(self._waiting))
                return False
            self._noted |= self._notes.keys()
            self._batch, self._losses, self._notes = [], [], {}
        return True

    def _take(self) -> bool:
        """Puts the next batch and the losses so far in hand; returns whether there are any."""
        if not (self._batch or self._losses):
            with self._lock:
                count = min(BATCH, len(self._waiting))
                answers = [self._waiting.popleft() for _ in range(count)]
                self._items -= sum(len(each.recommendations.items) + 1 for each in answers)
                lost, self._lost = self._lost, {}
            self._batch = [to_impression(answer) for answer in answers]
            notes = [answer.experiment for answer in answers if answer.experiment]
            self._notes = {note.version: note for note in notes if note.version not in self._noted}
            self._losses = [
                Loss(uuid.uuid4().hex, first, last, *group, count)
                for group, (count, first, last) in lost.items()
            ]
        return bool(self._batch or self._losses)

    def _lose(self, group: Group, time: int) -> None:
        count, first, last = self._lost.get(group, (0, time, time))
        self._lost[group] = (count + 1, min(first, time), max(last, time))
