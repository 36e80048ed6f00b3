"""What a sequence model says where its extras are missing, or its settings do not fit."""

import sys

import numpy as np
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.state import CustomerStates
from recsys.errors import ConfigError
from recsys.models.protocol import TrainingData
from recsys.models.sequence import Sequences
from tests.shops import Event, tiny_shop


@pytest.fixture
def data():
    dataset = tiny_shop([Event("a", "x", 1), Event("a", "y", 2)])
    catalogue = Catalogue.from_frame(dataset.items)
    log = Interactions.from_events(dataset.events, items=catalogue.items)
    return TrainingData(log, CustomerStates.from_interactions(log, ()), None, catalogue)


def test_without_torch_fitting_names_the_extra(data, monkeypatch):
    monkeypatch.delitem(sys.modules, "recsys.models.sequence_network", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match=r"no module 'torch'.*recsys-engine\[torch\]") as caught:
        Sequences().fit(data)
    assert caught.value.metadata == {"extra": "torch"}


def test_without_onnxruntime_loading_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    arrays = {
        "item_nums": np.zeros(1, np.int32),
        "vectors": np.zeros((1, 4), np.float32),
        "graph": np.zeros(8, np.uint8),
        "last_loss": np.zeros(1),
    }
    with pytest.raises(ConfigError, match=r"'onnxruntime'.*recsys-engine\[sequence\]"):
        Sequences().restore(arrays)


def test_heads_share_the_size_evenly():
    with pytest.raises(ValueError, match="10 is no multiple of 4 heads"):
        Sequences(embedding_size=10, heads=4)
