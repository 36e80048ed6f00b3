"""A placement that a deployment file adds, without code and without another bundle."""

import re
import time
from pathlib import Path

import pytest

from recsys.client import RecsysClient
from recsys.errors import ConfigError, InvalidQueryError, UnknownPlacementError
from serving.state.deployment_check import checked_deployment
from tests.integration.serving.shop_server import shop_client

ANNA = "customer-02"
DOCS = Path(__file__).parents[3] / "docs/placements.md"
[SPRING] = re.findall(r"```toml\n(\[placements\.spring_tea\].*?)```", DOCS.read_text(), re.DOTALL)
"""The example that the guide gives."""
WHOM = """
[placements.buyers]
answers = "customers"
sources = [{ name = "repurchase", weight = 1.0 }]

[placements.shelves]
answers = "labels"
labels = { column = "category", depth = 1 }
sources = [{ name = "popular", weight = 1.0 }]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "deployment.toml"
    path.write_text(SPRING + WHOM)
    return path


def test_a_file_alone_adds_a_placement(bundle_root: Path, file: Path) -> None:
    with shop_client(bundle_root, None, file) as client:
        told = client.recommend("spring_tea", customer_id=ANNA, item_fields=["category"])
        assert len(told.items) > 3
        assert all("Tea" in item.details["category"] for item in told.items)
        bought = {item.item_id for item in client.recommend("buy_again", customer_id=ANNA).items}
        assert not bought & {item.item_id for item in told.items}
        listed = {each.name: each for each in client.placements()}
        assert listed["spring_tea"].description == "Tea for the season, the rising one first."
        assert listed["spring_tea"].may_be_short
        assert client.recommend_labels("shelves").labels[0].label == ("Drinks",)
        whom = client.recommend_customers("buyers", told.items[0].item_id, limit=5)
        assert len(whom.customers) == 5
        with pytest.raises(InvalidQueryError, match="answers with customers"):
            client.recommend("buyers")


def test_a_running_server_takes_up_what_the_file_adds(bundle_root: Path, file: Path) -> None:
    file.write_text("")
    with shop_client(bundle_root, None, file) as client:
        with pytest.raises(UnknownPlacementError):
            client.recommend("spring_tea")
        file.write_text(SPRING)
        assert wait_for(client, "spring_tea")
        assert client.recommend("spring_tea").items


@pytest.mark.parametrize(
    ("wrong", "line", "why"),
    [
        ('sources = [{ name = "nothing", weight = 1 }]', 2, "source 'nothing' is not one of"),
        ('fill = ["nothing"]', 3, "source 'nothing' is not one of"),
        ('filter = "prise < 5"', 3, "there is no column 'prise'"),
        ('answers = "labels"', 1, "goes with a table `labels`"),
        ('labels = { column = "price" }\nanswers = "labels"', 3, "no column of text"),
        ('answers = "customers"\nfill = ["popular"]', 1, "about lists of items"),
        ('within = "nothing"', 3, "source 'nothing' is not one of"),
        ("colour = 1", 3, "there is no such key"),
    ],
)
def test_what_the_bundle_cannot_do_is_refused_with_its_line(
    bundle_root: Path, tmp_path: Path, wrong: str, line: int, why: str
) -> None:
    path = tmp_path / "wrong.toml"
    plain = 'sources = [{ name = "popular", weight = 1 }]'
    lines = [wrong] if wrong.startswith("sources") else [plain, wrong]
    path.write_text("\n".join(["[placements.new]", *lines]))
    with pytest.raises(ConfigError, match=why) as refused:
        checked_deployment(path, bundle_root)
    assert f"wrong.toml:{line}: placements.new" in str(refused.value)


def test_a_placement_of_the_bundle_cannot_be_added(bundle_root: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('[placements.for_you]\nsources = [{ name = "popular", weight = 1 }]\n')
    with pytest.raises(ConfigError, match=r"wrong.toml:1: placements.for_you: is the bundle's"):
        checked_deployment(path, bundle_root)


def wait_for(client: RecsysClient, placement: str) -> bool:
    """Says whether a placement comes within seconds."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if placement in {each.name for each in client.placements()}:
            return True
        time.sleep(0.1)
    return False
