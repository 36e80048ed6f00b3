"""What a campaign's result says in words, where something forbids to believe it."""

from dataclasses import replace

from evaluation.campaign import texts
from recsys.online.campaign import DAY_US, CampaignResult, Deliveries, Verdict
from recsys.online.campaign_effects import Side
from recsys.online.ratios import Estimate
from recsys.online.sample_ratio import sample_ratio
from tests.stores import NOON

NOTHING = Estimate(0.0, None, None)
SIDE = Side("contacted", 900, 90, 100, NOTHING, NOTHING, NOTHING, NOTHING)
FOUND = CampaignResult(
    plan_id="spring",
    offer_id="",
    now=NOON,
    window=14 * DAY_US,
    registered_window=None,
    margin=1.0,
    verdict=Verdict.TOO_EARLY,
    contacted=SIDE,
    held_out=replace(SIDE, name="held out", customers=100, open=10),
    open_share=0.1,
    ready_time=NOON + DAY_US,
    sample_ratio=sample_ratio(
        "spring", "", {"contacted": 0.9, "held out": 0.1}, {"contacted": 900, "held out": 100}
    ),
    effects=[],
    smallest={},
    deliveries=Deliveries(900, 0, 0, 0, 0, 0, None),
    undrawn=0,
    crossed=0,
    unpriced_purchases=0,
)


def test_too_early_says_for_how_many_and_until_when() -> None:
    said = texts.verdict(FOUND)
    assert "10% of the contacted and 10% of the held out" in said
    assert "2024-01-02 12:00 UTC" in said


def test_sizes_that_belie_the_draw_are_named() -> None:
    ratio = sample_ratio(
        "spring", "", {"contacted": 0.5, "held out": 0.5}, {"contacted": 900, "held out": 100}
    )
    said = texts.verdict(replace(FOUND, verdict=Verdict.SAMPLE_RATIO, sample_ratio=ratio))
    assert "100 are held out where 500 were to be (p = " in said


def test_caveats_say_what_bends_the_figures() -> None:
    assert list(texts.caveats(FOUND)) == []
    told = Deliveries(900, 800, 0, 0, 0, 40, 3 * DAY_US)
    found = replace(FOUND, registered_window=7 * DAY_US, deliveries=told, undrawn=3, crossed=2)
    said = list(texts.caveats(replace(found, unpriced_purchases=5)))
    assert [each.split()[0] for each in said] == ["The", "40", "Half", "3", "2", "5"]
    assert "14 days" in said[0]
    assert "7 days" in said[0]
    on_time = replace(FOUND, deliveries=replace(told, cancelled=0, median_delay=DAY_US))
    assert list(texts.caveats(on_time)) == []
