"""What an answer is followed by: its token, and its place in the log of what was shown."""

import threading
from collections.abc import Sequence
from dataclasses import replace

from recsys.errors import StoreError
from recsys.live.attribution import Shown, Tokens
from recsys.store.store import Store
from serving.answering.answers import Answer
from serving.answering.impression_rows import group_of
from serving.answering.impressions import ImpressionLog

RETRY_S = 1.0


class Attribution:
    """Gives answers their tokens and has them logged; without a store it does neither.

    The key of tokens lies in the store. A server that starts while the store is away answers
    without tokens until it was read.
    """

    def __init__(self, store: Store | None, *, log: ImpressionLog | None) -> None:
        """Takes the store and the log of impressions; None: what is shown is not logged."""
        self._store = store
        self._log = log
        self._tokens: Tokens | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="secret", daemon=True)

    def start(self) -> None:
        """Reads the key, and goes on trying in a thread if the store is away."""
        if self._log is not None:
            self._log.start()
        if self._store is not None and not self._ready(self._store):
            self._thread.start()

    def stop(self) -> None:
        """Writes what is not written yet."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._log is not None:
            self._log.stop()

    def note(self, answers: Sequence[Answer]) -> list[Answer]:
        """Returns answers with their tokens, and has the log take them; waits for nothing."""
        told = [self._signed(answer) for answer in answers]
        if self._log is not None:
            self._log.add(told)
        return told

    def token(self, shown: Shown) -> str:
        """Returns the token of an answer that is no list; empty without a store."""
        return "" if self._tokens is None else self._tokens.write(shown)

    def _signed(self, answer: Answer) -> Answer:
        if self._tokens is None:
            return answer
        group = group_of(answer)
        shown = Shown(
            answer.request_id,
            group.placement,
            group.bundle_version,
            group.experiment,
            group.arm,
            answer.answer_time // 1_000,
        )
        return replace(answer, attribution_token=self._tokens.write(shown))

    def _ready(self, store: Store) -> bool:
        try:
            self._tokens = Tokens(store.secret)
        except StoreError:
            return False
        return True

    def _follow(self) -> None:
        while self._store is not None and not self._stopped.wait(RETRY_S):
            if self._ready(self._store):
                return
