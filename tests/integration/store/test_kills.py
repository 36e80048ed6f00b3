"""Writers and servers that are killed under load lose and repeat nothing."""

import random
import time
from pathlib import Path

from recsys.store.open import open_store
from tests.deployments import WRITER, Deployment
from tests.event_load import EventLoad, find

ROOT = Path(__file__).resolve().parents[3]


def killed_under_load(deployment: Deployment, victims: list[str]) -> EventLoad:
    """Kills processes while events are written, and starts them again."""
    chance = random.Random(5)  # noqa: S311  not a secret
    try:
        deployment.start()
        with EventLoad(deployment.targets, seed=1, callers=3) as load:
            load.wait_for_more(20)
            for victim in victims:
                time.sleep(chance.uniform(0.0, 0.3))
                deployment.kill(victim)
                deployment.start_one(victim)
                deployment.wait_for(victim)
                load.wait_for_more(20)
    finally:
        deployment.stop()
    return load


def test_nothing_is_lost_and_nothing_twice(
    store_url: str, tmp_path: Path, bundle_root: Path
) -> None:
    embedded = store_url.startswith("store")
    deployment = Deployment(
        ROOT, bundle_root, store_url, tmp_path / "log", servers=2 if embedded else 1
    )
    assert (WRITER in deployment.names) == embedded
    # The writer and a server; or a server, which writes by itself.
    load = killed_under_load(deployment, deployment.names[:2])
    assert set(load.codes) <= {"UNAVAILABLE"}
    store = open_store(store_url)
    found = find(store, [load])
    store.close()
    assert found.acknowledged > 0
    assert (found.lost, found.twice, found.unknown) == (0, 0, 0)
    assert found.in_order
