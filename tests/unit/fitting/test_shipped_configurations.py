"""Configurations that are shipped for others to start from."""

from pathlib import Path

import pytest

from recsys.fitting.config import load_config

CONFIGURATIONS = sorted((Path(__file__).parents[3] / "docs" / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_a_shipped_configuration_can_be_read(path):
    """Reading checks every setting, and that placements, sources and models fit together."""
    config, default = load_config(path), load_config()
    own = set(config.models) - set(default.models)
    asked = {
        config.sources[use.name].model for p in config.placements.values() for use in p.sources
    }
    assert own
    assert own <= asked, "no model is fitted for nothing"


def test_there_are_some():
    assert len(CONFIGURATIONS) >= 1
