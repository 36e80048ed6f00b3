"""The training commands as a person types them, from a CSV to a bundle that was rolled back."""

import json

import pytest

from recsys.assembly import load_recommender
from recsys.bundle import current, list_bundles, verify
from recsys.pipeline.query import Query
from tests.integration.training.commands import training
from tests.small_shop import END, shop_customers, shop_events, shop_items


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The small shop as files of a stranger, prepared."""
    folder = tmp_path_factory.mktemp("shop")
    events = shop_events().select(
        "customer_id", "basket_id", "item_id", "event_type", "event_time", "quantity", "unit_price"
    )
    events.rename({"item_id": "sku", "event_time": "timestamp"}).write_csv(folder / "orders.csv")
    shop_items().write_parquet(folder / "items.parquet")
    shop_customers().write_csv(folder / "people.csv")
    out = folder / "data"
    printed = training(
        *("prepare", "--events", folder / "orders.csv", "--items", folder / "items.parquet"),
        *("--customers", folder / "people.csv", "--out", out),
    )
    assert "sku" in printed
    assert json.loads((out / "report.json").read_text())
    return out


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text('segment_columns = ["region"]\n[models.taste]\nembedding_size = 8\n')
    return path


def test_the_whole_way(data, config, tmp_path):
    root = tmp_path / "bundles"
    printed = training("run", "--data", data, "--bundles", root, "--config", config)
    assert "Index taste: flat, 40 items x 8, recall@200 1.000" in printed.replace("\n", " ")
    first = current(root)
    assert verify(first).config["segment_columns"] == ["region"]
    answer = load_recommender(first).recommend(
        [Query("for_you", int(END.timestamp()), customer_id="customer-01", limit=5)]
    )[0]
    assert len(answer.items) == 5

    training("run", "--data", data, "--bundles", root, "--config", config, "--candidate")
    assert current(root) == first
    second = list_bundles(root)[1]
    assert verify(second).digest == verify(first).digest
    listed = training("bundles", "list", "--bundles", root)
    assert [line.split()[0] == "*" for line in listed.splitlines()[1:]] == [True, False]

    training("bundles", "activate", second.name, "--bundles", root)
    assert current(root) == second
    training("bundles", "rollback", "--bundles", root)
    assert current(root) == first
    assert "as they were written" in training("bundles", "verify", first.name, "--bundles", root)

    printed = training("run", "--data", data, "--bundles", root, "--config", config, "--keep", "1")
    assert f"removed {second.name}" in printed
    assert list_bundles(root) == [current(root)]


def test_mistakes_are_explained(data, tmp_path):
    root = tmp_path / "bundles"
    assert "is not a prepared data set" in training(
        "run", "--data", tmp_path, "--bundles", root, ok=False
    )
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[models.taste]\nembeding_size = 8\n[placements.for_you]\nfill = ['x']\n")
    said = training("run", "--data", data, "--bundles", root, "--config", wrong, ok=False)
    assert "wrong.toml" in said
    assert "models.taste.als.embeding_size" in said
    missing = tmp_path / "missing.toml"
    assert "no such file" in training(
        "run", "--data", data, "--bundles", root, "--config", missing, ok=False
    )
    assert "no such bundle" in training("bundles", "activate", "x", "--bundles", root, ok=False)
    assert "no published bundle" in training("bundles", "rollback", "--bundles", root, ok=False)
    assert not root.exists()


def test_a_source_without_its_model_is_refused(data, tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[sources]\ntaste = { kind = "vectors", model = "popularity" }\n')
    said = training("run", "--data", data, "--bundles", tmp_path, "--config", wrong, ok=False)
    assert "needs a model of kind 'als'" in said
    wrong.write_text('[placements.popular]\nsources = [{ name = "magic", weight = 1 }]\n')
    said = training("run", "--data", data, "--bundles", tmp_path, "--config", wrong, ok=False)
    assert "'magic' is not one of" in said
