"""Fixtures that several rooms share: the small shop, fitted once, and stores."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from recsys.assembly import FitConfig, assemble, load_recommender
from recsys.bundle import activate
from recsys.data.dataset import Dataset
from recsys.fitting.config import load_config
from recsys.fitting.fit import Fitted, fit, write_fitted
from recsys.pipeline.recommender import Recommender
from recsys.store.open import open_store
from recsys.store.store import Store
from tests.postgres import Postgres, new_database
from tests.small_shop import END, shop_dataset

# A busy machine is not a wrong answer.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.import_plugin("tests.extras")


@pytest.fixture(scope="session")
def shop() -> Dataset:
    return shop_dataset()


@pytest.fixture(scope="session")
def shop_config() -> FitConfig:
    config = load_config()
    small = config.models["taste"].model_copy(update={"embedding_size": 8})
    return config.model_copy(
        update={"segment_columns": ("region",), "models": {**config.models, "taste": small}}
    )


@pytest.fixture(scope="session")
def fitted(shop: Dataset, shop_config: FitConfig) -> Fitted:
    return fit(shop, shop_config, end_time=END)


@pytest.fixture(scope="session")
def recommender(fitted: Fitted) -> Recommender:
    return assemble(fitted.pipeline, "in-memory")


@pytest.fixture(scope="session")
def bundle_root(fitted: Fitted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle root with one version, current; treat it as read-only."""
    root = tmp_path_factory.mktemp("bundles")
    path = write_fitted(fitted, root, now=END)
    activate(root, path.name)
    return root


@pytest.fixture(scope="session")
def loaded(bundle_root: Path) -> Recommender:
    """The same recommender, read back from disk."""
    return load_recommender(bundle_root / (bundle_root / "current").read_text().strip())


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server where tests make databases."""
    given = os.environ.get("RECSYS_TEST_POSTGRES")
    if given:
        yield given
        return
    server = Postgres("fsync=off")  # what is tested here outlives no power cut
    server.start()
    yield server.url("postgres")
    server.remove()


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store can be made, once for each driver."""
    if request.param == "sqlite":
        return f"store://{tmp_path / 'store'}"
    return new_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store, once for each driver."""
    opened = open_store(store_url, archives=tmp_path / "archives")
    yield opened
    opened.close()
