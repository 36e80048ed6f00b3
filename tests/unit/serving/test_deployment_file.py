"""A running server follows the file, and keeps what works."""

import os
from pathlib import Path
from typing import Any

import pytest
import structlog

from recsys.live.deployment import Deployment
from recsys.live.fit_to_bundle import Misfit
from serving.state.deployment_file import DeploymentFile

ONE = "[exploration.popular]\ntemperature = 0.5\n"
TWO = "[exploration.popular]\ntemperature = 0.7\n"


def logged() -> Any:
    return structlog.testing.capture_logs()


def temperature(deployment: Deployment) -> float:
    return deployment.exploration["popular"].temperature


def fits(_: Deployment) -> list[Misfit]:
    return []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "deployment.toml"
    path.write_text(ONE)
    return path


def test_without_a_file_nothing_is_deployed() -> None:
    file = DeploymentFile(None)
    assert file.look(fits) == Deployment()
    assert file.look(fits) is file.look(fits)


def test_a_change_counts_once_it_has_settled(path: Path) -> None:
    file = DeploymentFile(path)
    first = file.look(fits)
    assert temperature(first) == 0.5
    assert file.look(fits) is first
    path.write_text("")  # an editor has emptied it
    assert file.look(fits) is first
    path.write_text(TWO)  # and filled it again
    assert file.look(fits) is first
    assert temperature(file.look(fits)) == 0.7


def test_a_file_that_was_put_in_place_counts(path: Path) -> None:
    """Of the same size and time: only its inode is another."""
    file = DeploymentFile(path)
    file.look(fits)
    found = path.stat()
    other = path.with_suffix(".new")
    other.write_text(TWO)
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.replace(path)
    assert path.stat().st_size == found.st_size
    file.look(fits)
    assert temperature(file.look(fits)) == 0.7


@pytest.mark.parametrize("wrong", ["[exploration", "[exploration.popular]\ncold = 1\n", None])
def test_a_wrong_file_is_refused_whole_and_once(path: Path, wrong: str | None) -> None:
    file = DeploymentFile(path)
    first = file.look(fits)
    if wrong is None:
        path.unlink()
    else:
        path.write_text(wrong)
    with logged() as lines:
        assert [file.look(fits) for _ in range(5)] == [first] * 5
    [line] = lines
    assert (line["event"], line["log_level"]) == ("deployment.refused", "error")
    assert str(path) in line["error"]
    path.write_text(TWO)
    file.look(fits)
    assert temperature(file.look(fits)) == 0.7


def test_a_new_file_that_does_not_fit_is_refused_whole(path: Path) -> None:
    file = DeploymentFile(path)
    first = file.look(fits)
    path.write_text(TWO)
    with logged() as lines:
        for _ in range(3):
            assert file.look(lambda _: [Misfit("exploration.popular", "is gone")]) is first
    assert [line["error"] for line in lines] == [f"{path}:1: exploration.popular: is gone"]


def test_a_server_that_finds_a_wrong_file_answers_without_it(path: Path) -> None:
    """A process that died is started again, whatever the file says by then."""
    path.write_text("[exploration")
    file = DeploymentFile(path)
    with logged() as lines:
        assert file.look(fits) == Deployment()
    assert [line["event"] for line in lines] == ["deployment.refused"]
    path.write_text(ONE)
    file.look(fits)
    assert temperature(file.look(fits)) == 0.5
