"""Since when items are there, who looks at them, and what nobody did."""

import numpy as np

from recsys.models.arrivals import Arrivals
from recsys.models.item_item import ItemItem
from recsys.models.viewed import Viewed
from recsys.types import DAY_S, UNKNOWN, EventType
from tests.contracts.algorithm_contract import AlgorithmContract


class TestArrivals(AlgorithmContract):
    algorithm = Arrivals(blind_days=10.0)

    def test_an_arrival_is_the_first_event_after_the_blind_days(self, data):
        times, log = self.algorithm.fit(data).first_times, data.interactions
        begin = int(log.times.min()) + 10 * DAY_S
        for item in range(len(log.items)):
            own = log.times[log.item_nums == item]
            first = int(own.min()) if len(own) else UNKNOWN
            assert times[item] == (first if first >= begin else UNKNOWN)

    def test_a_short_log_tells_nothing(self, data):
        assert (Arrivals(blind_days=1_000.0).fit(data).first_times == UNKNOWN).all()


class TestViewed(AlgorithmContract):
    algorithm = Viewed()

    def test_it_knows_whether_anybody_looks(self, data):
        log = data.interactions
        looked = np.unique(log.customer_nums[log.event_types == 0])
        assert Viewed().fit(data).report() == {"customers": len(looked)}
        nobody = Viewed(event_weights={EventType.WISHLIST: 1.0}).fit(data)
        assert nobody.report() == {"customers": 0}


class TestViewedTogetherWithoutViews(AlgorithmContract):
    algorithm = ItemItem(over="baskets", event_weights={EventType.WISHLIST: 1.0})

    def test_it_says_nothing(self, data):
        assert len(self.algorithm.fit(data)) == 0
