"""Bundles beside the current one: loaded aside, bounded, dropped, and tried again."""

import gc
import threading
import time
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
import structlog

from recsys.errors import BundleError
from recsys.pipeline.recommender import Recommender
from serving.state import arm_bundles
from serving.state.arm_bundles import ArmBundles


@dataclass(eq=False)
class Loaded:
    """What stands for a recommender here: only its version is looked at."""

    bundle_version: str


@dataclass
class Root:
    """A bundle root in memory."""

    damaged: set[str] = field(default_factory=set)
    loads: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def load(self, path: Path) -> Recommender:
        self.gate.wait()
        self.loads.append(path.name)
        if path.name in self.damaged:
            raise BundleError(f"{path}/items.npy: checksum differs", file="items.npy")
        return recommender(path.name)


def recommender(version: str) -> Recommender:
    return cast("Recommender", Loaded(version))


def bundles(root: Root) -> ArmBundles:
    return ArmBundles(Path("bundles"), root.load)


CURRENT = recommender("now")


def hold(held: ArmBundles, *wanted: str) -> dict[str, Recommender]:
    return dict(held.hold(frozenset(wanted), CURRENT))


@pytest.fixture
def root() -> Root:
    root = Root()
    root.gate.set()
    return root


def wait_for(held: ArmBundles, *wanted: str) -> None:
    deadline = time.monotonic() + 10
    while not set(wanted) <= hold(held, *wanted).keys():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_first_answers_have_all_arms(root: Root) -> None:
    held = bundles(root)
    assert hold(held, "a", "b") == {}
    held.start()
    assert hold(held, "a", "b").keys() == {"a", "b"}
    held.stop()
    assert root.loads == ["a", "b"]


def test_later_ones_are_loaded_aside_and_once(root: Root) -> None:
    held = bundles(root)
    held.start()
    root.gate.clear()
    assert hold(held, "a") == {}, "nobody waits"
    root.gate.set()
    wait_for(held, "a")
    first = held.hold(frozenset({"a"}), CURRENT)
    assert held.hold(frozenset({"a"}), CURRENT) is first, "the same mapping while nothing changes"
    held.stop()
    assert root.loads == ["a"]


def test_the_current_bundle_is_not_loaded_twice(root: Root) -> None:
    held = bundles(root)
    held.start()
    assert hold(held, "now") == {"now": CURRENT}
    later = recommender("later")
    assert dict(held.hold(frozenset({"now"}), later)) == {"now": CURRENT}, "and stays when left"
    held.stop()
    assert root.loads == []


def test_what_nobody_names_is_dropped(root: Root) -> None:
    held = bundles(root)
    hold(held, "a")
    held.start()
    gone = weakref.ref(hold(held, "a")["a"])
    with structlog.testing.capture_logs() as lines:
        assert hold(held) == {}
    gc.collect()
    assert gone() is None
    assert [line["event"] for line in lines] == ["arm_bundle.dropped"]
    held.stop()


def test_what_was_dropped_while_it_was_loaded_is_not_held(root: Root) -> None:
    held = bundles(root)
    held.start()
    root.gate.clear()
    hold(held, "a")
    time.sleep(0.05)
    hold(held)
    root.gate.set()
    held.stop()
    assert hold(held) == {}


def test_a_damaged_bundle_is_told_and_tried_again(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.damaged = {"a"}
    held = bundles(root)
    hold(held, "a", "b")
    with structlog.testing.capture_logs() as lines:
        held.start()
    assert hold(held, "a", "b").keys() == {"b"}
    [line] = [line for line in lines if line["event"] == "arm_bundle.refused"]
    assert line["log_level"] == "error"
    assert (line["bundle_version"], "items.npy" in line["error"]) == ("a", True)
    time.sleep(0.05)
    assert root.loads == ["a", "b"], "not at once"
    root.damaged = set()
    monkeypatch.setattr(arm_bundles, "RETRY_S", 0.0)
    wait_for(held, "a")
    held.stop()


def test_a_stop_does_not_wait_for_what_is_missing(root: Root) -> None:
    root.damaged = {"a"}
    held = bundles(root)
    hold(held, "a")
    held.start()
    held.stop()
    bundles(root).stop()  # one that was never started
