"""The arrangement is made anew exactly when something has changed, and what fails is told."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from recsys.errors import BundleError
from recsys.pipeline.arrangement import NOT_LOADED
from recsys.pipeline.recommender import Recommender
from serving.state.arm_bundles import ArmBundles
from serving.state.arranger import Arranger
from serving.state.deployment_file import DeploymentFile
from serving.state.live_catalogue import LiveCatalogue

HEAD = '[experiments.e]\nplacements = ["for_you"]\n'
WITH_BUNDLE = HEAD + 'end_time = 2026-01-01T00:00:00Z\narms = {old = {bundle = "other"}, new = {}}'
END_S = 1_767_225_600.0


class Clock:
    def __init__(self) -> None:
        self.now = END_S - 1

    def __call__(self) -> float:
        return self.now


class Deployed:
    """An arranger over a file and a root in memory."""

    def __init__(self, path: Path, recommender: Recommender) -> None:
        self.path, self.recommender = path, recommender
        self.clock = Clock()
        popular = {"popular": recommender.placement_configs["popular"]}
        self.there = {
            "other": replace(recommender, bundle_version="other"),
            "poorer": replace(recommender, placement_configs=popular),
        }
        self.bundles = ArmBundles(Path("bundles"), self._load)
        self.arranger = Arranger(
            DeploymentFile(path),
            self.bundles,
            catalogue=LiveCatalogue(None),
            clock=self.clock,
        )
        path.write_text(WITH_BUNDLE)
        self.arranger.arranged(recommender)

    def _load(self, path: Path) -> Recommender:
        if path.name not in self.there:
            raise BundleError(f"{path}: there is no such bundle")
        return self.there[path.name]

    def write(self, text: str) -> None:
        size = self.path.stat().st_size
        self.path.write_text(text)
        os.utime(self.path, ns=(size, self.path.stat().st_mtime_ns + 1_000_000))
        self.arranger.arranged(self.recommender)


@pytest.fixture
def deployed(tmp_path: Path, recommender: Recommender) -> Deployed:
    return Deployed(tmp_path / "deployment.toml", recommender)


def test_nothing_new_is_the_same_arrangement(deployed: Deployed) -> None:
    deployed.bundles.start()
    first = deployed.arranger.arranged(deployed.recommender)
    assert first.arms == {("e", "old"): deployed.there["other"]}
    assert deployed.arranger.arranged(deployed.recommender) is first
    newer = replace(deployed.recommender, bundle_version="newer")
    second = deployed.arranger.arranged(newer)
    assert second is not first
    assert second.control is newer
    deployed.bundles.stop()


def test_bundles_of_ended_experiments_are_dropped(deployed: Deployed) -> None:
    deployed.bundles.start()
    assert deployed.arranger.arranged(deployed.recommender).arms
    deployed.clock.now = END_S
    assert not deployed.arranger.arranged(deployed.recommender).arms
    deployed.bundles.stop()


def test_a_lost_arm_is_told_once(deployed: Deployed) -> None:
    with structlog.testing.capture_logs() as lines:
        deployed.write(WITH_BUNDLE.replace("other", "poorer"))
        deployed.arranger.arranged(deployed.recommender)
        deployed.bundles.start()
        for _ in range(3):
            deployed.arranger.arranged(deployed.recommender)
    deployed.bundles.stop()
    [line] = [line for line in lines if line["event"] == "deployment.arm_lost"]
    assert line["log_level"] == "error"
    told = {"experiment": "e", "arm": "old", "bundle_version": "poorer"}
    assert told.items() <= line.items()
    assert "'for_you'" in line["problem"]


def test_an_arm_that_is_being_loaded_is_no_error(deployed: Deployed) -> None:
    with structlog.testing.capture_logs() as lines:
        deployed.write(WITH_BUNDLE.replace("other", "later"))
        [lost] = deployed.arranger.arranged(deployed.recommender).lost
    assert (lost.bundle_version, lost.problem) == ("later", NOT_LOADED)
    assert {line["log_level"] for line in lines} == {"info"}


def test_a_new_bundle_leaves_out_what_it_lacks_until_one_has_it(deployed: Deployed) -> None:
    deployed.write(HEAD + "arms = {a = {}, b = {}}\n[exploration.popular]")
    recommender = deployed.recommender
    assert list(deployed.arranger.arranged(recommender).deployment.experiments) == ["e"]
    configs = {"popular": recommender.placement_configs["popular"]}
    with structlog.testing.capture_logs() as lines:
        without = deployed.arranger.arranged(replace(recommender, placement_configs=configs))
    assert [(line["event"], line["part"]) for line in lines] == [
        ("deployment.misfit", "experiments.e")
    ]
    assert list(without.deployment.experiments) == []
    assert list(without.deployment.exploration) == ["popular"]
    assert list(deployed.arranger.arranged(recommender).deployment.experiments) == ["e"]


def test_a_new_file_that_does_not_fit_changes_nothing(deployed: Deployed) -> None:
    before = deployed.arranger.arranged(deployed.recommender)
    with structlog.testing.capture_logs() as lines:
        deployed.write("[exploration.gone]")
        assert deployed.arranger.arranged(deployed.recommender) is before
    assert [line["event"] for line in lines] == ["deployment.refused"]
