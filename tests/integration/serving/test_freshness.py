"""What one server process has acknowledged, every other knows at the next call."""

from pathlib import Path

from recsys.client import RecsysClient
from tests.freshness import Freshness
from tests.qualification.servers import READY_S, started

ROOT = Path(__file__).parents[3]
CHECKS = 80


def test_two_processes_know_the_same(bundle_root: Path, store_url: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with started(ROOT, bundle_root, log, processes=2, store=store_url, drain_s=0.1) as server:
        clients = [RecsysClient([target], timeout_s=30) for target in server.targets]
        for client in clients:
            client.wait_until_ready(READY_S)
        fresh = Freshness(
            clients,
            customer_ids=[f"customer-{number:02}" for number in range(20)],
            item_ids=[f"item-{number:02}" for number in range(20)],
            placement="for_you",
        )
        assert list(fresh.check(CHECKS)) == list(range(1, CHECKS + 1))
        for client in clients:
            client.close()
        assert server.stop() == 0
    assert fresh.missed == []
    assert len(fresh.seconds) == CHECKS
