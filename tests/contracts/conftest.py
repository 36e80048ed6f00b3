"""What algorithms are given in the contract's tests."""

import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Interactions
from recsys.data.segments import build_segments
from recsys.data.state import CustomerStates
from recsys.models.protocol import TrainingData


@pytest.fixture(scope="package")
def data(shop) -> TrainingData:
    catalogue = Catalogue.from_frame(shop.items)
    log = Interactions.from_events(shop.events, items=catalogue.items)
    return TrainingData(
        log,
        CustomerStates.from_interactions(log, (14.0, 30.0, 120.0)),
        build_segments(log.customers, shop.customers, shop.events, ("region",)),
        catalogue,
    )
