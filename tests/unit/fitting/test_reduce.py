import pytest

from recsys.assembly import FitConfig
from recsys.fitting.config import load_config
from recsys.fitting.reduce import needed
from recsys.pipeline.placements import Boost


@pytest.fixture
def config() -> FitConfig:
    return load_config()


def test_a_configuration_that_uses_everything_stays_as_it_is(config):
    assert needed(config) == config


def test_what_no_placement_asks_goes(config):
    found = needed(config, ["buy_again"])
    assert list(found.placements) == ["buy_again"]
    assert list(found.sources) == ["repurchase"]
    assert list(found.models) == ["repurchase", "replenishment"]
    assert found.segment_columns == config.segment_columns


def test_fills_and_boosts_are_asked_too(config):
    placement = config.placements["buy_again"].model_copy(
        update={
            "fill": ("popular_in_segment",),
            "boost": Boost(name="taste", power=0.3),
        }
    )
    found = needed(config.model_copy(update={"placements": {"buy_again": placement}}))
    assert set(found.sources) == {"repurchase", "popular_in_segment", "taste"}
    assert set(found.models) == {"repurchase", "replenishment", "popularity", "taste"}


def test_placements_keep_the_configurations_order(config):
    found = needed(config, ["popular", "for_you", "no such placement"])
    assert list(found.placements) == ["for_you", "popular"]
