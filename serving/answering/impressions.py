"""The log of what was answered: written behind the answers' backs, and honest about its gaps."""

import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence

import structlog

from recsys.errors import StoreError
from recsys.store.impressions import (
    DeploymentNote,
    ExperimentNote,
    Group,
    Impression,
    Loss,
)
from recsys.store.store import Store
from serving.answering.answers import Answer
from serving.answering.impression_rows import group_of, to_impression
from serving.logs import IMPRESSIONS_LOST, IMPRESSIONS_WAITING

CAPACITY = 200_000
"""Items that wait to be written, in lists and in what was asked: some 100 MB at most."""
BATCH, BATCH_ITEMS = 100, 20_000
"""Lists and items in one transaction: events that are written meanwhile wait for no more."""
INTERVAL_S = 0.25
RETRY_S = 1.0
_Row = tuple[Impression, ExperimentNote | None, DeploymentNote | None, int]
"""With the number of its items."""
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
        self._answers: deque[Answer] = deque()
        self._rows: deque[_Row] = deque()
        self._items = 0
        self._lost: dict[Group, tuple[int, int, int]] = {}
        self._batch: list[_Row] = []
        self._losses: list[Loss] = []
        self._noted: set[str] = set()
        self._retry_at = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="impressions", daemon=True)

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def add(self, answers: Sequence[Answer]) -> None:
        """Takes answers that were made; never waits for the store."""
        with self._lock:
            for answer in answers:
                size = _size(answer)
                if self._items + size > self._capacity:
                    self._lose(group_of(answer), answer.answer_time)
                else:
                    self._answers.append(answer)
                    self._items += size

    def stop(self) -> None:
        """Writes what waits, if the store takes it, and counts in the log what it does not."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            left = len(self._answers) + len(self._rows) + len(self._batch)
            left += sum(count for count, _, _ in self._lost.values())
            left += sum(loss.lost for loss in self._losses)
        if left:
            _log.error(IMPRESSIONS_LOST, count=left)

    def _follow(self) -> None:
        while not self._stopped.wait(self._interval_s):
            self._convert()
            if time.monotonic() >= self._retry_at:
                self._write_all()
        self._convert()
        self._write_all()

    def _convert(self) -> None:
        """Turns answers into rows at once: an answer keeps a whole catalogue in memory."""
        while self._answers:
            answer = self._answers.popleft()
            deployment = answer.basis.deployment if answer.basis else None
            row = (to_impression(answer), answer.experiment, deployment, _size(answer))
            self._rows.append(row)

    def _write_all(self) -> None:
        """Writes all that waits, as far as the store takes it."""
        while self._take():
            shown = [row for row, _, _, _ in self._batch]
            notes = {note.version: note for _, note, _, _ in self._batch if note}
            fresh = [note for version, note in notes.items() if version not in self._noted]
            texts = {note.version: note for _, _, note, _ in self._batch if note}
            unread = [note for version, note in texts.items() if version not in self._noted]
            try:
                self._store.log_impressions(
                    shown, losses=self._losses, experiments=fresh, deployments=unread
                )
            except StoreError as error:
                if not self._retry_at:
                    _log.warning(IMPRESSIONS_WAITING, reason=error.reason)
                self._retry_at = time.monotonic() + self._retry_s
                return
            self._retry_at = 0.0
            self._noted |= notes.keys() | texts.keys()
            with self._lock:
                self._items -= sum(size for _, _, _, size in self._batch)
            self._batch, self._losses = [], []

    def _take(self) -> bool:
        """Puts the next rows and the losses so far in hand; returns whether there are any.

        What could not be written stays as it is: it may have been, and is then known again.
        """
        if not (self._batch or self._losses):
            size = 0
            while self._rows and len(self._batch) < BATCH and size < BATCH_ITEMS:
                self._batch.append(self._rows.popleft())
                size += self._batch[-1][-1]
            with self._lock:
                lost, self._lost = self._lost, {}
            self._losses = [
                Loss(uuid.uuid4().hex, first, last, *group, count)
                for group, (count, first, last) in lost.items()
            ]
        return bool(self._batch or self._losses)

    def _lose(self, group: Group, at: int) -> None:
        count, first, last = self._lost.get(group, (0, at, at))
        self._lost[group] = (count + 1, min(first, at), max(last, at))


def _size(answer: Answer) -> int:
    """Returns how many items an answer's row names, and one for the rest of it."""
    query = answer.query
    asked = len(query.exclude_item_ids) + len(query.events) + len(query.context_item_ids)
    return len(answer.recommendations.items) + asked + 1
