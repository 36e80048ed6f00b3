"""From the deployment file to the report: the store tells what a server assigned and drew."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recsys.assembly import load_recommender
from recsys.bundle import current
from recsys.client import RecsysClient
from recsys.client.results import Recommendations
from recsys.live.deployment import read_deployment
from recsys.live.experiments import arm_of
from recsys.online.explored import explored
from recsys.online.report import HOUR_US, OnlineReport, report
from recsys.store.events import LogEvent
from recsys.store.open import open_store
from recsys.store.store import Store
from serving.server import Server
from serving.settings import ServingSettings

IDS = [f"c-{number}" for number in range(120)]
EXPLORATION = "[exploration.for_you]\ntemperature = 1\n"
HEAD = EXPLORATION + '[experiments.e]\nplacements = ["for_you"]\n'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"store://{tmp_path / 'store'}")
    yield opened
    opened.close()


@contextmanager
def asking(bundles: Path, file: Path, store: Store) -> Iterator[RecsysClient]:
    """Lends a client of a server that logs what it answers; it is all there afterwards."""
    settings = ServingSettings(bundles=bundles, deployment=file, drain_s=0)
    server = Server(settings, current=current, load=load_recommender, store=store)
    port = server.listen(0)
    server.load()
    try:
        with RecsysClient([f"127.0.0.1:{port}"], timeout_s=30) as client:
            client.wait_until_ready(30)
            yield client
    finally:
        server.stop()


def answers(client: RecsysClient) -> dict[str, Recommendations]:
    return {each: client.recommend("for_you", customer_id=each, limit=3) for each in IDS}


def reported(store: Store) -> OnlineReport:
    now = time.time_ns() // 1_000 + HOUR_US
    return report(store, since=0, until=now, now=now)


def test_the_report_tells_what_the_server_did(
    bundle_root: Path, tmp_path: Path, store: Store
) -> None:
    file = tmp_path / "deployment.toml"
    changed = "arms.changed.placements.for_you = { exploration = false }"
    file.write_text(f"{HEAD}hold_out = 0.2\n{changed}\narms.control = {{}}\n")
    with asking(bundle_root, file, store) as client:
        told = answers(client)
        nobody = client.recommend("for_you", limit=3)
    experiment = read_deployment(file).experiments["e"]
    assert {each: answer.arm for each, answer in told.items()} == {
        each: arm_of("e", experiment, each) for each in IDS
    }
    now = time.time_ns() // 1_000
    clicked = [
        LogEvent(
            None, each, None, None, told[each].items[2].item_id, None, "click", now, 1.0, None
        )._replace(attribution_token=told[each].attribution_token)
        for each in IDS
        if told[each].arm == "control"
    ]
    store.append(clicked)
    found = reported(store)
    [ratio] = found.sample_ratios
    assert list(ratio.customers) == ["control", "changed", "hold-out"], "the control comes first"
    assert sum(ratio.customers.values()) == len(IDS)
    assert not ratio.mismatch
    clicks = {
        each.arm: each.value.value
        for each in found.comparisons
        if each.metric == "click_through_rate"
    }
    assert clicks == {"changed": 0, "hold-out": 0}
    assert {each.control_value.value for each in found.comparisons} >= {1.0}
    drawn = explored(store, since=0, until=now + HOUR_US, window=HOUR_US)
    by_request = {row["request_id"]: row for row in drawn.iter_rows(named=True)}
    for answer in [*told.values(), nobody]:
        last = answer.items[2]
        if answer.arm == "changed":
            assert last.propensity is None
            assert answer.request_id not in by_request
        else:
            row = by_request[answer.request_id]
            assert (row["item_id"], row["propensity"]) == (last.item_id, last.propensity)
            assert row["click"] == (answer.arm == "control")


def test_an_arm_without_its_bundle_shows_in_the_report(
    bundle_root: Path, tmp_path: Path, store: Store
) -> None:
    file = tmp_path / "deployment.toml"
    file.write_text(HEAD + 'arms.control = {}\narms.lost = { bundle = "gone" }\n')
    with asking(bundle_root, file, store) as client:
        told = answers(client).values()
    assert {(answer.experiment, answer.arm) for answer in told} == {("e", "control"), ("", "")}
    assert all(len(answer.items) == 3 for answer in told)
    [ratio] = reported(store).sample_ratios
    assert ratio.customers["lost"] == 0
    assert ratio.mismatch
