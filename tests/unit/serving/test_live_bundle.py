"""The live bundle follows the pointer and keeps what works."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
import structlog

from recsys.errors import BundleError, BundleNotReadyError
from recsys.pipeline.recommender import Recommender
from serving.state import live_bundle
from serving.state.live_bundle import LiveBundle


@dataclass
class Loaded:
    """What stands for a recommender here: only its version is looked at."""

    bundle_version: str


@dataclass
class Root:
    """A bundle root in memory."""

    version: str | None = "one"
    damaged: set[str] = field(default_factory=set)
    loads: list[str] = field(default_factory=list)

    def current(self, root: Path) -> Path:
        if self.version is None:
            raise BundleError(f"{root}: no bundle is current")
        return root / self.version

    def load(self, path: Path) -> Recommender:
        self.loads.append(path.name)
        if path.name in self.damaged:
            raise BundleError(f"{path.name}/items.npy: checksum differs", file="items.npy")
        return cast("Recommender", Loaded(path.name))

    def live(self, poll_interval_s: float = 60.0) -> LiveBundle:
        return LiveBundle(
            Path("bundles"),
            current=self.current,
            load=self.load,
            poll_interval_s=poll_interval_s,
        )


def logged() -> Any:
    return structlog.testing.capture_logs()


def test_not_ready_until_loaded() -> None:
    live = Root().live()
    with pytest.raises(BundleNotReadyError):
        live.recommender()
    live.start()
    assert live.recommender().bundle_version == "one"
    live.stop()


@pytest.mark.parametrize("root", [Root(version=None), Root(damaged={"one"})])
def test_start_without_a_good_bundle_fails(root: Root) -> None:
    live = root.live()
    with pytest.raises(BundleError):
        live.start()
    live.stop()


def test_new_version_is_taken_up_by_the_thread() -> None:
    root = Root()
    live = root.live(poll_interval_s=0.01)
    live.start()
    root.version = "two"
    deadline = time.monotonic() + 10
    while live.recommender().bundle_version != "two":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    live.stop()
    assert root.loads == ["one", "two"]


def test_unchanged_pointer_loads_nothing() -> None:
    root = Root()
    live = root.live()
    live.start()
    live.refresh()
    live.stop()
    assert root.loads == ["one"]


def test_damaged_version_leaves_the_old_one_serving(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Root()
    live = root.live()
    live.start()
    root.version, root.damaged = "two", {"two"}
    with logged() as lines:
        live.refresh()
        live.refresh()
    assert live.recommender().bundle_version == "one"
    assert root.loads == ["one", "two"]
    [line] = [line for line in lines if line["event"] == "bundle.refused"]
    assert "items.npy" in line["error"]
    root.damaged.clear()
    monkeypatch.setattr(live_bundle, "RETRY_S", 0.0)
    live.refresh()
    assert live.recommender().bundle_version == "two"
    live.stop()


def test_lost_pointer_is_logged_once() -> None:
    root = Root()
    live = root.live()
    live.start()
    root.version = None
    with logged() as lines:
        live.refresh()
        live.refresh()
    assert [line["event"] for line in lines] == ["bundle.refused"]
    assert live.recommender().bundle_version == "one"
    live.stop()
