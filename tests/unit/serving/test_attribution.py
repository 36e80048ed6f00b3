"""Answers get their tokens as soon as the store's secret could be read."""

import time
from dataclasses import dataclass

import pytest

from recsys.errors import StoreUnavailableError
from recsys.live.attribution import Tokens
from serving.answering import attribution
from serving.answering.attribution import Attribution
from tests.unit.serving.test_impressions import answer, soon

SECRET = b"s" * 32


@dataclass
class AwayStore:
    """Has a secret that can be read from the given try on."""

    tries: int

    @property
    def secret(self) -> bytes:
        self.tries -= 1
        if self.tries >= 0:
            raise StoreUnavailableError("away")
        return SECRET


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribution, "RETRY_S", 0.001)


def started(tries: int) -> Attribution:
    made = Attribution(AwayStore(tries), log=None)  # type: ignore[arg-type]
    made.start()
    return made


def test_a_store_that_comes_back_signs() -> None:
    made = started(3)
    soon(lambda: made.note([answer()])[0].attribution_token != "")
    made.stop()
    [told] = made.note([answer()])
    shown = Tokens(SECRET).read(told.attribution_token)
    assert shown is not None
    assert shown.request_id == told.request_id
    assert shown.answer_time_ms == told.answer_time // 1_000


def test_a_store_that_stays_away_holds_nothing_up() -> None:
    made = started(10**9)
    began = time.monotonic()
    assert made.note([answer()])[0].attribution_token == ""
    made.stop()
    assert time.monotonic() - began < 10


def test_without_a_store_answers_stay_as_they_are() -> None:
    made = Attribution(None, log=None)
    made.start()
    given = answer()
    assert made.note([given]) == [given]
    made.stop()
