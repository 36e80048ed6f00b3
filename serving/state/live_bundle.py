"""The bundle that answers now, and the thread that follows the `current` pointer."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from recsys.errors import BundleError, BundleNotReadyError
from recsys.pipeline.recommender import Recommender
from serving.logs import BUNDLE_LOADED, BUNDLE_REFUSED

RETRY_S = 60.0
"""Seconds before a refused bundle is tried again: it may have been copied in the meantime."""

_log = structlog.get_logger()


class LiveBundle:
    """Holds the Recommender that answers; a newer one takes its place between two requests.

    A request takes the Recommender once and works with it to its end, so a swap is one
    assignment and no request sees two bundles.
    """

    def __init__(
        self,
        root: Path,
        *,
        current: Callable[[Path], Path],
        load: Callable[[Path], Recommender],
        poll_interval_s: float,
        swapped: Callable[[], None] = lambda: None,
    ) -> None:
        """Takes the bundle root and how to find and load the current bundle below it.

        `swapped` is called when another bundle has taken its place.
        """
        self._root = root
        self._current = current
        self._load = load
        self._poll_interval_s = poll_interval_s
        self._swapped = swapped
        self._recommender: Recommender | None = None
        self._loaded: Path | None = None
        self._refused: tuple[Path, float] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="bundle", daemon=True)

    def recommender(self) -> Recommender:
        """Returns what answers now.

        Raises:
            BundleNotReadyError: the first bundle is not loaded yet.
        """
        recommender = self._recommender
        if recommender is None:
            raise BundleNotReadyError("the server is still loading its bundle")
        return recommender

    def start(self) -> None:
        """Loads the current bundle, then follows the pointer in a thread.

        Raises:
            BundleError: there is none, or it is damaged; the text names the file.
        """
        self._swap(self._current(self._root))
        self._thread.start()

    def stop(self) -> None:
        """Stops following; the last bundle keeps answering."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def refresh(self) -> None:
        """Loads the current bundle if it is another one; a bad one leaves the old one serving."""
        path = self._root
        try:
            path = self._current(self._root)
            if path != self._loaded and not self._refused_lately(path):
                self._swap(path)
        except BundleError as error:
            if not self._refused_lately(path):
                _log.error(BUNDLE_REFUSED, path=str(path), error=str(error))
                self._refused = (path, time.monotonic())

    def _refused_lately(self, path: Path) -> bool:
        if self._refused is None or self._refused[0] != path:
            return False
        return time.monotonic() - self._refused[1] < RETRY_S

    def _swap(self, path: Path) -> None:
        started = time.perf_counter()
        self._recommender = self._load(path)
        self._loaded, self._refused = path, None
        self._swapped()
        _log.info(
            BUNDLE_LOADED,
            bundle_version=self._recommender.bundle_version,
            seconds=round(time.perf_counter() - started, 3),
        )

    def _follow(self) -> None:
        while not self._stopped.wait(self._poll_interval_s):
            self.refresh()
