"""A file is held against the bundle that would serve it."""

from pathlib import Path

import pytest

from recsys.errors import BundleError, ConfigError
from serving.state.deployment_check import checked_deployment

ONE = "[exploration.popular]\ntemperature = 0.5\n"


def test_a_file_is_checked_against_the_bundle_before_a_start(
    bundle_root: Path, tmp_path: Path
) -> None:
    path = tmp_path / "deployment.toml"
    path.write_text(ONE)
    assert checked_deployment(path, bundle_root).exploration
    path.write_text(ONE + "[exploration.gone]\n[exploration.lost]\n")
    with pytest.raises(ConfigError) as caught:
        checked_deployment(path, bundle_root)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["exploration.gone", "exploration.lost"]
    assert "popular" in lines[0], "the placements that there are"
    with pytest.raises(BundleError):
        checked_deployment(path, tmp_path)


def test_the_check_knows_rankers_and_sources(bundle_root: Path, tmp_path: Path) -> None:
    path = tmp_path / "deployment.toml"
    path.write_text(
        '[experiments.e]\nplacements = ["for_you"]\n[experiments.e.arms.a]\n'
        '[experiments.e.arms.b.placements.for_you]\nsources = [{ name = "gone", weight = 1 }]\n'
    )
    with pytest.raises(ConfigError, match=r"arms\.b\.placements\.for_you: source 'gone'"):
        checked_deployment(path, bundle_root)
    path.write_text(path.read_text().replace("gone", "taste"))
    checked_deployment(path, bundle_root)
