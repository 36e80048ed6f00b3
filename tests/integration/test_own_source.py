"""A retailer adds a source of its own: one file, and one line of configuration."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from recsys.assembly import assemble, load_recommender
from recsys.errors import BundleError, ConfigError
from recsys.fitting.config import load_config
from recsys.fitting.fit import fit, write_fitted
from recsys.pipeline.own_source import own_code_fault
from recsys.pipeline.query import Query
from recsys.types import Tier
from tests.integration.training.commands import in_process
from tests.small_shop import END, shop_dataset, shop_events, shop_items

FILE = '''
"""Last in, first out: items that came last into somebody's basket, by number of customers."""

from dataclasses import dataclass

import numpy as np

from recsys.pipeline.own_source import OwnSource
from recsys.pipeline.query import Reason
from recsys.pipeline.scores import ListedScores
from recsys.types import Tier


class LatestBought(OwnSource):
    """Counts for how many customers an item is the latest."""

    power: float = 1.0

    def fit(self, data):
        log = data.interactions
        latest = {}
        for customer, item in zip(log.customer_nums, log.item_nums):
            latest[customer] = item
        counts = np.bincount(list(latest.values()), minlength=len(log.items))
        return LatestModel(counts.astype(np.float32) ** self.power)

    def restore(self, arrays):
        return LatestModel(**arrays)

    def source(self, name, model, catalogue):
        return LatestSource(name, model)


@dataclass(frozen=True)
class LatestModel:
    counts: np.ndarray

    def arrays(self):
        return {"counts": self.counts}


@dataclass(frozen=True)
class LatestSource:
    name: str
    model: LatestModel

    def scores(self, request):
        nums = np.flatnonzero(self.model.counts).astype(np.int32)
        return ListedScores(nums, self.model.counts[nums], request.allowed)

    def tier(self, request):
        return Tier.POPULAR

    def explain(self, request, item_nums):
        return [Reason("popular")] * len(item_nums)


class Stock(OwnSource):
    """Learns nothing: reads the catalogue."""

    def source(self, name, model, catalogue):
        return StockSource(name, catalogue.items)


@dataclass(frozen=True)
class StockSource(LatestSource):
    def scores(self, request):
        nums = np.arange(len(self.model), dtype=np.int32)
        return ListedScores(nums, nums + np.float32(1), request.allowed)


class NoSource:
    pass
'''

CONFIG = """
[sources]
latest = { kind = "shop_sources:LatestBought", settings = { power = 0.5 } }
stock = { kind = "shop_sources:Stock" }

[placements.latest]
sources = [{ name = "latest", weight = 1.0 }]

[placements.stock]
sources = [{ name = "stock", weight = 1.0 }]
"""


@pytest.fixture
def shop_sources(tmp_path, monkeypatch):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "shop_sources.py").write_text(FILE)
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()
    yield folder
    sys.modules.pop("shop_sources", None)


def configured(tmp_path, text):
    path = tmp_path / "own.toml"
    path.write_text(text)
    return load_config(path)


def lists(recommender):
    now = int(END.timestamp())
    queries = [Query(name, now, limit=5) for name in ("latest", "stock")]
    return [[item.item_id for item in answer.items] for answer in recommender.recommend(queries)]


@pytest.mark.usefixtures("shop_sources")
def test_an_own_source_is_fitted_bundled_and_asked(tmp_path):
    fitted = fit(shop_dataset(), configured(tmp_path, CONFIG), end_time=END)
    recommender = load_recommender(write_fitted(fitted, tmp_path, now=END))
    latest, stock = lists(recommender)
    assert [latest, stock] == lists(assemble(fitted.pipeline, "here"))
    counts = fitted.pipeline.models["latest"].counts
    best = recommender.catalogue.items.numbers(latest)
    assert counts[best].min() >= np.delete(counts, best).max()
    assert np.square(counts).sum() == pytest.approx(len(fitted.pipeline.customers)), "power 0.5"
    items = sorted(recommender.catalogue.frame["item_id"], reverse=True)
    assert [item for item in items if item in stock] == stock
    answer = recommender.recommend([Query("latest", int(END.timestamp()), limit=3)])[0]
    assert answer.tier is Tier.POPULAR
    assert {item.source for item in answer.items} == {"latest"}


def test_a_bundle_without_its_file_says_so(shop_sources, tmp_path):
    fitted = fit(shop_dataset(), configured(tmp_path, CONFIG), end_time=END)
    path = write_fitted(fitted, tmp_path, now=END)
    sys.modules.pop("shop_sources")
    (shop_sources / "shop_sources.py").unlink()
    importlib.invalidate_caches()
    with pytest.raises(BundleError, match=r"'shop_sources:LatestBought' cannot be imported here"):
        load_recommender(path)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('kind = "shop_sources:Latest"', "cannot be imported here: module 'shop_sources' has no"),
        ('kind = "no_such_file:Source"', "No module named 'no_such_file'"),
        ('kind = ":Source"', "cannot be imported here"),
        ('kind = "shop_sources:NoSource"', "is not a class that inherits OwnSource"),
        ('kind = "os:getcwd"', "is not a class that inherits OwnSource"),
        ('kind = "shop_sources:Stock", settings = { powr = 1 }', "powr"),
        ('kind = "shop_sources:Stock", model = "taste"', "asks no model"),
        ('kind = "shop_sources:Stock", powr = 1', "there is no such key"),
        ('kind = "vectrs", model = "taste"', "kind 'vectrs' is not one of vectors, neighbours"),
        (
            'kind = "vectors", model = "taste", settings = { a = 1 }',
            "settings are for own sources",
        ),
        ('kind = "vectors"', "needs a model of kind 'als'"),
    ],
)
@pytest.mark.usefixtures("shop_sources")
def test_a_wrong_line_is_refused_and_named(tmp_path, line, says):
    with pytest.raises(ConfigError, match=r"sources\.mine") as caught:
        configured(tmp_path, f"[sources]\nmine = {{ {line} }}\n")
    assert says in str(caught.value)


FAULTY = """
from dataclasses import dataclass

from recsys.pipeline.own_source import OwnSource
from recsys.types import Tier


class Fits(OwnSource):
    def fit(self, data):
        return data.nothing_of_this_name

    def source(self, name, model, catalogue):
        raise AssertionError


class Asks(OwnSource):
    def source(self, name, model, catalogue):
        return AsksSource(name)


@dataclass(frozen=True)
class AsksSource:
    name: str

    def scores(self, request):
        return {}["tea"]

    def tier(self, request):
        return Tier.POPULAR


class Makes(OwnSource):
    def source(self, name, model, catalogue):
        return catalogue.items / 2


class Gives(OwnSource):
    def source(self, name, model, catalogue):
        return GivesSource(name)


class GivesSource(AsksSource):
    def scores(self, request):
        return None
"""


@pytest.fixture
def faulty(tmp_path, monkeypatch):
    (tmp_path / "faulty_sources.py").write_text(FAULTY)
    (tmp_path / "broken_sources.py").write_text("import numpy\nnot_there + 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    shop_events().write_csv(tmp_path / "events.csv")
    shop_items().select("item_id", "title", "price").write_csv(tmp_path / "items.csv")
    events, items = tmp_path / "events.csv", tmp_path / "items.csv"
    done = in_process("prepare", "--events", events, "--items", items, "--out", tmp_path / "data")
    assert done.status == 0
    yield tmp_path
    for name in ("faulty_sources", "broken_sources"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("kind", "line", "says"),
    [
        ("faulty_sources:Fits", 10, "in fit: AttributeError: 'TrainingData' object has no attrib"),
        ("faulty_sources:Makes", 34, "in source: TypeError: unsupported operand type"),
        ("broken_sources:Any", 2, "in <module>: NameError: name 'not_there' is not defined"),
    ],
)
def test_faults_of_own_code_are_told_by_its_file_and_line(faulty, kind, line, says):
    (faulty / "own.toml").write_text(
        f'[sources]\nmine = {{ kind = "{kind}" }}\n'
        '[placements.mine]\nsources = [{ name = "mine", weight = 1.0 }]\n'
    )
    done = in_process(
        *("run", "--data", faulty / "data", "--bundles", faulty / "bundles"),
        *("--config", faulty / "own.toml"),
    )
    assert done.status == 1
    assert "Traceback" not in done.complaint
    assert f"{faulty}/{kind.partition(':')[0]}.py:{line}: {says}" in done.complaint


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("Asks", "faulty_sources.py:26: in scores: KeyError: 'tea'"),
        ("Gives", "source 'mine': its scores() returned NoneType: return ListedScores"),
    ],
)
def test_a_fault_while_lists_are_made_is_told_too(faulty, kind, says):
    configuration = configured(
        faulty,
        f'[sources]\nmine = {{ kind = "faulty_sources:{kind}" }}\n'
        '[placements.mine]\nsources = [{ name = "mine", weight = 1.0 }]\n',
    )
    fitted = fit(shop_dataset(), configuration, end_time=END)
    recommender = assemble(fitted.pipeline, "here")
    with pytest.raises((KeyError, ConfigError)) as caught:
        recommender.recommend([Query("mine", int(END.timestamp()), limit=3)])
    assert says in (own_code_fault(caught.value) or str(caught.value))


def test_a_fault_of_the_librarys_own_is_no_fault_of_own_code():
    with pytest.raises(TypeError) as caught:
        Path(3)
    assert own_code_fault(caught.value) is None


@pytest.mark.usefixtures("shop_sources")
def test_an_own_source_must_not_hide_a_model(tmp_path):
    with pytest.raises(ConfigError, match="cannot have the name of a model"):
        configured(tmp_path, '[sources]\npopularity = { kind = "shop_sources:Stock" }\n')
