"""Arms: their order, customers of both, and a test for each definition of an experiment."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.online.report import OnlineReport, report
from recsys.store.impressions import ExperimentNote, Impression, Loss
from recsys.store.open import open_store
from recsys.store.store import Store
from tests.shown import DAY, HOUR, event, impression
from tests.stores import NOON


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"store://{tmp_path / 'store'}")
    yield opened
    opened.close()


def in_arm(number: int, arm: str, *, version: str = "v1", name: str = "colours") -> Impression:
    return impression(
        f"{name} {arm} {version} {number}",
        f"c{number}",
        "tea",
        at=number,
        experiment=name,
        arm=arm,
        experiment_version=version,
    )


def told(store: Store) -> OnlineReport:
    return report(store, since=NOON, until=NOON + DAY, now=NOON + 3 * DAY)


def test_the_first_arm_of_the_definition_is_the_control(store: Store) -> None:
    weights = {"zebra": 1.0, "ant": 1.0, "hold-out": 1.0}
    store.log_impressions(
        [in_arm(n, list(weights)[n % 3]) for n in range(60)],
        experiments=[ExperimentNote("v1", "colours", weights)],
    )
    store.append([event("view", f"c{n}", "tea", at=HOUR) for n in range(0, 60, 2)])
    found = told(store)
    assert {(each.arm, each.control) for each in found.comparisons} == {
        ("ant", "zebra"),
        ("hold-out", "zebra"),
    }
    [ratio] = found.sample_ratios
    assert ratio.customers == {"zebra": 20, "ant": 20, "hold-out": 20}
    assert not ratio.mismatch


def test_weights_that_change_are_tested_apart(store: Store) -> None:
    notes = [
        ExperimentNote("v1", "colours", {"a": 0.9, "b": 0.1}),
        ExperimentNote("v2", "colours", {"a": 0.5, "b": 0.5}),
    ]
    shown = [in_arm(n, "b" if n % 10 == 0 else "a") for n in range(200)]
    shown += [in_arm(n, "ab"[n % 2], version="v2") for n in range(200)]
    store.log_impressions(shown, experiments=notes)
    by_version = {each.version: each for each in told(store).sample_ratios}
    assert by_version["v1"].customers == {"a": 180, "b": 20}
    assert by_version["v2"].customers == {"a": 100, "b": 100}
    assert not any(each.mismatch for each in by_version.values())


def test_whoever_is_in_two_arms_is_told(store: Store) -> None:
    note = ExperimentNote("v1", "colours", {"a": 0.5, "b": 0.5})
    shown = [in_arm(n, arm) for n in range(20) for arm in ("a", "b")]
    store.log_impressions(shown, experiments=[note])
    [ratio] = told(store).sample_ratios
    assert ratio.crossed == 20
    assert ratio.mismatch


def test_what_was_only_lost_is_told_too(store: Store) -> None:
    store.log_impressions([], losses=[Loss("l1", NOON, NOON, "for_you", "b1", "", "", 7)])
    found = told(store)
    [figures] = found.figures
    assert (figures.impressions, figures.lost, found.lost) == (0, 7, 7)
    assert figures.click_through_rate.low is None
