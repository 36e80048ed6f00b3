"""What the sequence model promises: that it learns order, and that its graph says the same."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.state import CustomerStates
from recsys.models import sequence_network
from recsys.models.protocol import TrainingData
from recsys.models.sequence import Sequences
from tests.contracts.algorithm_contract import AlgorithmContract
from tests.shops import Event, tiny_shop

pytestmark = pytest.mark.extra(name="torch")

SMALL = Sequences(
    embedding_size=16, epochs=2, batch_size=8, negatives=20, event_weights={"purchase": 1.0}
)


class TestSequences(AlgorithmContract):
    algorithm = SMALL


class TestSequencesOfLongHistories(AlgorithmContract):
    algorithm = SMALL.model_copy(update={"history_limit": 4, "blocks": 1, "heads": 1})

    def test_long_sequences_are_read_in_parts(self, data):
        trained, parts = self.algorithm._sequences(data)
        whole, wholes = SMALL._sequences(data)
        np.testing.assert_array_equal(trained, whole)
        assert max(len(part) for part in parts) == 5
        assert min(len(part) for part in parts) >= 2
        steps = [tuple(pair) for part in parts for pair in pairwise(part)]
        expected = [tuple(pair) for one in wholes for pair in pairwise(one)]
        assert sorted(steps) == sorted(expected), "every step is trained on once"


class TestSequencesOfSessions(AlgorithmContract):
    algorithm = SMALL.model_copy(update={"over": "sessions", "min_events": 3})

    def test_rare_items_have_no_vector(self, data):
        log = data.interactions
        counts = np.bincount(log.item_nums[log.event_types == 4], minlength=48)
        model = self.algorithm.fit(data)
        np.testing.assert_array_equal(model.item_nums, np.flatnonzero(counts >= 3))
        rare = np.flatnonzero(counts < 3).astype(np.int32)
        assert model.vector(rare) is None
        np.testing.assert_array_equal(
            model.vector(model.item_nums[:2]),
            model.vector(np.append(model.item_nums[:2], rare)),
        )


def test_the_graph_says_what_the_network_says(data, monkeypatch):
    networks = []
    original = sequence_network.SequenceNetwork.weights
    monkeypatch.setattr(
        sequence_network.SequenceNetwork,
        "weights",
        lambda self: networks.append(self) or original(self),
    )
    model = SMALL.fit(data)
    network = networks[0].eval()
    random = np.random.default_rng(5)
    for length in (1, 2, 7, 49, 50):
        places = random.integers(0, len(model.item_nums), length)
        with torch.no_grad():
            expected = network(torch.from_numpy(places[None, :]))[0, -1].numpy()
        np.testing.assert_allclose(
            model.vector(model.item_nums[places]), expected, rtol=1e-4, atol=1e-5
        )
    longer = model.item_nums[random.integers(0, len(model.item_nums), 80)]
    np.testing.assert_array_equal(model.vector(longer), model.vector(longer[-50:]))
    assert model.vector(longer[:0]) is None


def test_an_order_is_learned_that_sets_do_not_have():
    """Everybody walks round the same circle; only who looks back two steps sees the direction."""
    circle = ["a", "b", "c", "d", "e", "f"]
    events = [
        Event(f"c{who:02}", circle[(who + (1 if who % 2 else -1) * step) % 6], step)
        for who in range(60)
        for step in range(8)
    ]
    dataset = tiny_shop(events)
    catalogue = Catalogue.from_frame(dataset.items)
    items = catalogue.items
    log = Interactions.from_events(dataset.events, items=items)
    data = TrainingData(log, CustomerStates.from_interactions(log, ()), None, catalogue)
    config = SMALL.model_copy(update={"epochs": 60, "dropout": 0.0, "learning_rate": 0.01})
    model = config.fit(data)
    assert model.report()["last_loss"] < 0.7
    for history, expected in (("bcd", "e"), ("dcb", "a"), ("fab", "c"), ("baf", "e")):
        vector = model.vector(items.numbers(list(history)))
        assert items.id(int(np.argmax(model.vectors @ vector))) == expected


def test_fitting_leaves_torch_as_it_was(data):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    SMALL.model_copy(update={"threads": 2}).fit(data)
    assert torch.get_num_threads() == threads
    assert torch.rand(1) == expected


def test_a_shop_without_sequences_has_a_model_that_says_nothing(data):
    model = SMALL.model_copy(update={"event_weights": {}}).fit(data)
    assert model.vector(np.arange(3, dtype=np.int32)) is None
    assert SMALL.restore(model.arrays()).vector(np.arange(3, dtype=np.int32)) is None
