import tomllib
from typing import get_args

import pytest

from recsys.assembly import MODELS_OF_SOURCE, AlgorithmConfig, FitConfig
from recsys.choice.written import write_config
from recsys.config import validated
from recsys.fitting.config import load_config

SOURCE_OF = {
    model.model_fields["kind"].default: source
    for source, models in reversed(MODELS_OF_SOURCE.items())
    for model in models
}
KINDS = [
    kind
    for kind in get_args(get_args(AlgorithmConfig)[0])
    if kind.model_fields["kind"].default in SOURCE_OF
]


def back(config: FitConfig, folder) -> FitConfig:
    file = folder / "new" / "chosen.toml"
    write_config(config, file)
    return load_config(file)


def with_model(values: dict[str, object], **placement: object) -> FitConfig:
    parts = {
        "models": {"mine": values},
        "sources": {"mine": {"kind": SOURCE_OF[values["kind"]], "model": "mine"}},
        "placements": {"for_you": {"sources": [{"name": "mine", "weight": 0.5}], **placement}},
    }
    return validated(FitConfig, parts, where="test")


def test_a_model_that_no_source_asks_comes_back(tmp_path):
    parts = {
        "models": {"popular": {"kind": "popularity"}, "mine": {"kind": "replenishment"}},
        "sources": {"popular": {"kind": "popular", "model": "popular"}},
        "placements": {
            "buy_again": {
                "sources": [{"name": "popular", "weight": 1.0}],
                "replenishment": "mine",
            }
        },
    }
    config = validated(FitConfig, parts, where="test")
    assert back(config, tmp_path) == config


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_model_comes_back(kind, tmp_path):
    name = kind.model_fields["kind"].default
    plain = with_model({"kind": name})
    assert back(plain, tmp_path) == plain
    for half_life in ("none", 33.0):
        changed = {"kind": name, "half_life_days": half_life}
        if "half_life_days" in kind.model_fields:
            config = with_model(changed)
            assert config.models["mine"].half_life_days == (None if half_life == "none" else 33.0)
            assert back(config, tmp_path) == config


def test_the_default_comes_back_and_stands_alone(tmp_path):
    config = load_config()
    assert back(config, tmp_path) == config
    written = tomllib.loads((tmp_path / "new" / "chosen.toml").read_text())
    assert written["extends"] == "nothing"


@pytest.mark.parametrize(
    "ranker",
    [
        {},
        {"trees": 7, "half_lives_days": [3.5, 90.0], "value": "margin"},
        {"labels": {"view": 0.1, "purchase": 2.0}},
    ],
)
def test_rankers_come_back(tmp_path, ranker):
    config = with_model({"kind": "repurchase"}, ranker=ranker)
    assert config.placements["for_you"].ranker is not None
    assert back(config, tmp_path) == config


def test_boosts_and_all_else_of_a_placement_come_back(tmp_path):
    config = with_model(
        {"kind": "popularity", "event_weights": {"view": 0.25}, "window_days": 30.5},
        boost={"name": "mine", "power": 0.3},
        fill=["mine"],
        exclude="seen",
        candidates=77,
    )
    assert back(config, tmp_path) == config


def test_indexes_segments_and_odd_names_come_back(tmp_path):
    parts = {
        "segment_columns": ["region", "age band"],
        "models": {"my taste": {"kind": "als", "embedding_size": 8}},
        "sources": {
            "my taste": {
                "kind": "vectors",
                "model": "my taste",
                "index": {"kind": "hnsw", "m": 16},
            }
        },
        "placements": {"for.you": {"sources": [{"name": "my taste", "weight": 1e-9}]}},
    }
    config = validated(FitConfig, parts, where="test")
    assert back(config, tmp_path) == config


def test_own_sources_come_back(tmp_path, monkeypatch):
    (tmp_path / "written_sources.py").write_text(
        "from recsys.pipeline.own_source import OwnSource\n"
        "class Mine(OwnSource):\n"
        "    power: float = 1.0\n"
        "    words: tuple[str, ...] = ()\n"
        "    def source(self, name, model, catalogue): ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = {"power": 0.5, "words": ["a", 'b"'], "half_life_days": "none"}
    parts = {
        "models": {},
        "sources": {"mine": {"kind": "written_sources:Mine", "settings": settings}},
        "placements": {"for_you": {"sources": [{"name": "mine", "weight": 1.0}]}},
    }
    config = validated(FitConfig, parts, where="test")
    assert back(config, tmp_path) == config
    assert back(config, tmp_path).algorithms()["mine"].half_life_days is None


def test_what_stood_there_is_replaced(tmp_path):
    file = tmp_path / "chosen.toml"
    file.write_text("rubbish = [")
    write_config(load_config(), file)
    assert load_config(file) == load_config()
