"""The bundles that experiments name beside the current one: loaded aside, dropped when unnamed."""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from recsys.errors import BundleError
from recsys.pipeline.recommender import Recommender
from serving.logs import ARM_BUNDLE_DROPPED, ARM_BUNDLE_LOADED, ARM_BUNDLE_REFUSED

RETRY_S = 60.0
"""Seconds before a bundle that could not be loaded is tried again."""

_log = structlog.get_logger()


class ArmBundles:
    """Holds verified bundles by version, and no more of them than are wanted.

    Requests wait for none: a bundle is loaded in a thread, and its arm is lost meanwhile.
    """

    def __init__(self, root: Path, load: Callable[[Path], Recommender]) -> None:
        """Takes the bundle root, and how to verify and load one bundle below it."""
        self._root = root
        self._load = load
        self._wanted: frozenset[str] = frozenset()
        self._held: Mapping[str, Recommender] = {}
        self._refused: dict[str, float] = {}
        self._lock = threading.Lock()
        self._missing = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._follow, name="arm-bundles", daemon=True)

    def hold(self, wanted: frozenset[str], current: Recommender) -> Mapping[str, Recommender]:
        """Returns those of the wanted bundles that are there; the same mapping if nothing changed.

        Drops the others, and has the missing ones loaded. The current bundle is there already.
        """
        with self._lock:
            held = {name: each for name, each in self._held.items() if name in wanted}
            if current.bundle_version in wanted:
                held[current.bundle_version] = current
            for version in sorted(self._held.keys() - held.keys()):
                _log.info(ARM_BUNDLE_DROPPED, bundle_version=version)
            if held != self._held:
                self._held = held
            self._wanted = wanted
            self._refused = {name: at for name, at in self._refused.items() if name in wanted}
            if wanted - held.keys():
                self._missing.set()
            return self._held

    def start(self) -> None:
        """Loads what is wanted, so that the first answers have all arms; then goes on aside."""
        self._load_missing()
        self._thread.start()

    def stop(self) -> None:
        """Stops loading; what is held keeps answering."""
        self._stopped = True
        self._missing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        while not self._stopped:
            self._missing.wait()
            self._missing.clear()
            self._load_missing()

    def _load_missing(self) -> None:
        with self._lock:
            now = time.monotonic()
            missing = [
                version
                for version in sorted(self._wanted - self._held.keys())
                if now - self._refused.get(version, -RETRY_S) >= RETRY_S
            ]
        for version in missing:
            if self._stopped:
                return
            self._take(version)

    def _take(self, version: str) -> None:
        started = time.perf_counter()
        try:
            loaded = self._load(self._root / version)
        except BundleError as error:
            _log.error(ARM_BUNDLE_REFUSED, bundle_version=version, error=str(error))
            with self._lock:
                self._refused[version] = time.monotonic()
            return
        with self._lock:
            if version in self._wanted:
                self._held = {**self._held, version: loaded}
        seconds = round(time.perf_counter() - started, 3)
        _log.info(ARM_BUNDLE_LOADED, bundle_version=version, seconds=seconds)
