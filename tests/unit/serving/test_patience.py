"""A store that is away costs one answer a moment, and the others nothing."""

import time

import pytest
import structlog

from recsys.errors import StoreUnavailableError
from serving.state.patience import RETRY_S, Patience


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Shop:
    """A store that can be away, and counts who asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False

    def __call__(self) -> str:
        self.asked += 1
        if self.away:
            raise StoreUnavailableError("away")
        return "events"


def test_a_store_that_is_away_is_tried_once_a_second() -> None:
    clock, shop = Clock(), Shop()
    patience = Patience(clock)
    assert patience.read(shop) == "events"
    shop.away = True
    with structlog.testing.capture_logs() as lines:
        assert [patience.read(shop) for _ in range(9)] == [None] * 9
        assert shop.asked == 2
        clock.now += RETRY_S
        assert [patience.read(shop) for _ in range(9)] == [None] * 9
        assert shop.asked == 3
        shop.away = False
        clock.now += RETRY_S
        assert [patience.read(shop) for _ in range(3)] == ["events"] * 3
    assert [line["event"] for line in lines] == ["live_state.missing", "live_state.back"]


def wrong() -> str:
    raise KeyError("a fault of ours")


def test_what_is_no_failure_of_the_store_is_not_hidden() -> None:
    patience = Patience(time.monotonic)
    with pytest.raises(KeyError):
        patience.read(wrong)
