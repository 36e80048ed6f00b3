"""Experiments and exploration on a real server over real bundles."""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from recsys.assembly import load_recommender
from recsys.bundle import activate, current
from recsys.client import RecsysClient
from recsys.client.results import Recommendations
from recsys.fitting.fit import Fitted, write_fitted
from serving.server import Server
from serving.settings import ServingSettings
from tests.small_shop import CUSTOMERS, END

IDS = [f"customer-{number:02}" for number in range(CUSTOMERS)]
SOON_S = 20.0


class Deployed:
    """A bundle root with two versions, a deployment file, and a server that follows both."""

    def __init__(self, root: Path, versions: list[str], file: Path) -> None:
        self.root, self.versions, self.file = root, versions, file

    @property
    def current(self) -> str:
        return current(self.root).name

    @property
    def other(self) -> str:
        return next(version for version in self.versions if version != self.current)

    def write(self, text: str) -> None:
        """Puts a new file in place, as a careful tool does."""
        part = self.file.with_suffix(".part")
        part.write_text(text)
        part.replace(self.file)

    def with_bundle(self, version: str) -> str:
        return (
            '[experiments.versions]\nplacements = ["for_you"]\n'
            f'arms = {{ old = {{ bundle = "{version}" }}, new = {{}} }}\n'
        )


@pytest.fixture
def deployed(bundle_root: Path, fitted: Fitted, tmp_path: Path) -> Deployed:
    root = Path(shutil.copytree(bundle_root, tmp_path / "bundles", symlinks=True))
    first = current(root).name
    second = write_fitted(fitted, root, now=END + timedelta(hours=1)).name
    deployed = Deployed(root, [first, second], tmp_path / "deployment.toml")
    deployed.write(deployed.with_bundle(second))
    return deployed


@pytest.fixture
def client(deployed: Deployed) -> Iterator[RecsysClient]:
    settings = ServingSettings(
        bundles=deployed.root, deployment=deployed.file, poll_interval_s=0.05, drain_s=0, grace_s=5
    )
    server = Server(settings, current=current, load=load_recommender)
    port = server.listen(0)
    server.load()
    with RecsysClient([f"127.0.0.1:{port}"], timeout_s=10) as client:
        client.wait_until_ready(SOON_S)
        yield client
    server.stop()


def asked(client: RecsysClient, placement: str = "for_you") -> dict[str, Recommendations]:
    return {each: client.recommend(placement, customer_id=each, limit=4) for each in IDS}


def arms(client: RecsysClient) -> Counter[tuple[str, str, str]]:
    told = asked(client).values()
    return Counter((each.experiment, each.arm, each.bundle_version) for each in told)


def wait_until(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SOON_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_first_answers_know_all_arms(client: RecsysClient, deployed: Deployed) -> None:
    found = arms(client)
    assert found.keys() == {
        ("versions", "old", deployed.other),
        ("versions", "new", deployed.current),
    }
    assert min(found.values()) > 0.25 * CUSTOMERS
    nobody = client.recommend("for_you")
    assert (nobody.experiment, nobody.bundle_version) == ("", deployed.current)
    elsewhere = client.recommend("popular", customer_id="customer-01")
    assert (elsewhere.experiment, elsewhere.bundle_version) == ("", deployed.current)


def test_a_batch_says_what_single_calls_say(client: RecsysClient) -> None:
    single = asked(client)
    when = single[IDS[0]].query_time
    for result in client.recommend_batch("for_you", IDS, limit=4, query_time=when):
        alone = single[result.customer_id]
        assert (result.experiment, result.arm) == (alone.experiment, alone.arm)
        assert result.bundle_version == alone.bundle_version
        assert [item.item_id for item in result.items] == [item.item_id for item in alone.items]


def test_a_visitor_and_a_customer_of_one_name_are_two(client: RecsysClient) -> None:
    told = [
        (
            client.recommend("for_you", customer_id=name).arm,
            client.recommend("for_you", visitor_id=name).arm,
        )
        for name in IDS
    ]
    assert {"old", "new"} == {arm for pair in told for arm in pair}
    assert any(customer != visitor for customer, visitor in told)


def test_a_changed_file_holds_without_a_restart(client: RecsysClient, deployed: Deployed) -> None:
    before = asked(client)
    deployed.write(deployed.with_bundle(deployed.other).replace("old = {", "old = { weight = 9,"))
    wait_until(lambda: arms(client)["versions", "new", deployed.current] < 0.25 * CUSTOMERS)
    after = asked(client)
    moved = [each for each in IDS if after[each].arm != before[each].arm]
    assert moved
    assert {after[each].arm for each in moved} == {"old"}
    deployed.write("")
    wait_until(lambda: arms(client).keys() == {("", "", deployed.current)})


def test_a_wrong_file_changes_nothing(client: RecsysClient, deployed: Deployed) -> None:
    before = arms(client)
    with structlog.testing.capture_logs() as lines:
        deployed.write("[exploration.gone]\n")
        wait_until(lambda: any(line["event"] == "deployment.refused" for line in lines))
    assert arms(client) == before
    [line] = [line for line in lines if line["event"] == "deployment.refused"]
    assert "exploration.gone: placement 'gone' is not one of" in line["error"]


def test_a_damaged_bundle_is_answered_by_the_control(
    client: RecsysClient, deployed: Deployed
) -> None:
    damaged = "20990101T000000000000Z-00000000"
    shutil.copytree(deployed.root / deployed.other, deployed.root / damaged)
    (deployed.root / damaged / "catalogue.parquet").write_bytes(b"not what it was")
    with structlog.testing.capture_logs() as lines:
        deployed.write(deployed.with_bundle(damaged))
        wait_until(lambda: any(line["event"] == "arm_bundle.refused" for line in lines))
    found = arms(client)
    assert found.keys() == {("", "", deployed.current), ("versions", "new", deployed.current)}
    assert "arm_bundle.dropped" in {line["event"] for line in lines}
    [line] = [line for line in lines if line["event"] == "arm_bundle.refused"]
    assert "catalogue.parquet" in line["error"]


def test_arms_stay_when_another_bundle_becomes_current(
    client: RecsysClient, deployed: Deployed
) -> None:
    old, before = deployed.current, asked(client)
    deployed.write(deployed.with_bundle(old))
    wait_until(lambda: arms(client).keys() == {("versions", arm, old) for arm in ("old", "new")})
    activate(deployed.root, deployed.other)
    wait_until(lambda: ("versions", "new", deployed.current) in arms(client))
    assert arms(client).keys() == {("versions", "old", old), ("versions", "new", deployed.current)}
    assert {each: told.arm for each, told in asked(client).items()} == {
        each: told.arm for each, told in before.items()
    }


def test_exploration_is_switched_on_and_told(client: RecsysClient, deployed: Deployed) -> None:
    plain = asked(client, "popular")
    deployed.write("[exploration.popular]\ntemperature = 1\nplace_from_end = 2\n")

    def explores() -> bool:
        return client.recommend("popular", limit=4).items[2].propensity is not None

    wait_until(explores)
    drawn = set()
    for each, told in asked(client, "popular").items():
        assert [item.propensity is None for item in told.items] == [True, True, False, True]
        best = [item.item_id for item in plain[each].items[:3]]
        assert [told.items[place].item_id for place in (0, 1, 3)] == best
        drawn.add(told.items[2].item_id)
    assert len(drawn) > 3
