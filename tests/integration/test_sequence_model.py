"""A sequence model from a configuration file to lists, served without torch."""

import subprocess
import sys

import pytest

from recsys.assembly import assemble, load_recommender
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit, write_fitted
from recsys.pipeline.query import Query, RecentEvent
from recsys.types import EventType, Tier
from tests.small_shop import END, shop_dataset
from tests.unimportable import unimportable

pytestmark = pytest.mark.extra(name="torch")

NOW = int(END.timestamp())

CONFIG = """
[models.reader]
kind = "sequence"
embedding_size = 16
epochs = 30
batch_size = 16
negatives = 20
learning_rate = 0.01
event_weights = { purchase = 1.0 }

[sources.reader]
kind = "sequence"
model = "reader"

[placements.read]
sources = [{ name = "reader", weight = 1.0 }]

[placements.read_page]
sources = [{ name = "reader", weight = 1.0 }]
seeds = "context"
"""

QUERIES = [
    Query("read", NOW, customer_id="customer-01", limit=10),
    Query("read", NOW, events=(RecentEvent("item-02", EventType.PURCHASE, NOW - 5),)),
    Query("read_page", NOW, context_item_ids=("item-03",)),
    Query("read", NOW, customer_id="newcomer", limit=10),
]

ALONE = """
import sys
from pathlib import Path
from recsys.assembly import load_recommender
from recsys.pipeline.query import Query
query = Query("read", {now}, customer_id="customer-01", limit=10)
print(*(item.item_id for item in load_recommender(Path(sys.argv[1])).recommend([query])[0].items))
"""


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "sequence.toml"
    path.write_text(CONFIG)
    return fit(shop_dataset(), load_config(path), end_time=END)


def test_lists_follow_the_history_in_order(fitted):
    answers = assemble(fitted.pipeline, "here").recommend(QUERIES)
    coffee = sum(int(item.item_id[-2:]) % 2 for item in answers[0].items)
    assert coffee >= 9, "customer-01 drinks coffee"
    assert answers[0].tier is Tier.PERSONALISED
    assert answers[1].tier is Tier.SESSION
    assert answers[1].items[0].reason.code == "chosen-after"
    assert answers[1].items[0].reason.item_ids == ("item-02",)
    assert "item-03" not in {item.item_id for item in answers[2].items}
    assert answers[3].items == (), "nothing to go on"
    assert all(item.score > 0 for answer in answers for item in answer.items)


def test_a_bundle_answers_as_what_it_was_made_of_without_torch(fitted, tmp_path):
    path = write_fitted(fitted, tmp_path, now=END)
    here = assemble(fitted.pipeline, path.name).recommend(QUERIES)
    assert load_recommender(path).recommend(QUERIES) == here
    done = subprocess.run(
        [sys.executable, "-c", unimportable("torch", "onnx") + ALONE.format(now=NOW), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [item.item_id for item in here[0].items]
