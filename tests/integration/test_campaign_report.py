"""The result of a campaign, as a person types it: terminal, JSON and page."""

import json
from pathlib import Path

import pytest

from tests.campaign_trial import CampaignTrial, store_trial
from tests.integration.test_uplift_report import evaluation
from tests.stores import NOON

pytestmark = pytest.mark.extra(name="report")
LIFT = 0.15


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store after a campaign with a planted effect, long ago."""
    url = f"store://{tmp_path_factory.mktemp('campaign') / 'store'}"
    store_trial(url, CampaignTrial(lift=LIFT).rows(1), NOON)
    return url


def test_the_effect_is_said_with_its_interval(url: str, tmp_path: Path) -> None:
    file, page = tmp_path / "result.json", tmp_path / "result.html"
    status, said, complaint = evaluation(
        *("campaign", "--store", url, "--offer", "tea-week", "--window", "7d"),
        *("--json", file, "--report", page),
    )
    assert status == 0, complaint
    assert "offer tea-week: what customers did within 7 days from the draw." in said
    assert "can be compared" in said
    told = json.loads(file.read_text())
    assert told["verdict"] == "comparable"
    assert told["window_s"] == 7 * 86_400
    assert told["sample_ratio"]["mismatch"] is False
    [conversion] = [each for each in told["effects"] if each["metric"] == "conversion"]
    difference = conversion["difference"]
    assert difference["low"] < LIFT < difference["high"]
    assert conversion["verdict"] == "more"
    assert f"{difference['value'] * 100:+.2f} points" in said
    text = page.read_text()
    assert f"{difference['value'] * 100:+.2f} points" in text
    assert "<svg" in text
    assert "src=" not in text


def test_what_forbids_a_statement_is_said(url: str, tmp_path: Path) -> None:
    words = ("campaign", "--store", url, "--offer", "tea-week", "--window")
    file = tmp_path / "result.json"
    status, said, complaint = evaluation(*words, "9000d", "--json", file)
    assert status == 0, complaint
    assert "Too early: the window has not run out for 100% of the contacted" in said
    assert json.loads(file.read_text())["effects"] == []
    few = f"store://{tmp_path / 'few'}"
    store_trial(few, CampaignTrial(customers=100).rows(1), NOON)
    _, said, _ = evaluation("campaign", "--store", few, "--offer", "tea-week")
    assert "Too few: " in said
    assert "smallest effect on conversion that could be seen" in said
    none = f"store://{tmp_path / 'none'}"
    store_trial(none, CampaignTrial(share=0.0).rows(1), NOON)
    page = tmp_path / "none.html"
    _, said, _ = evaluation("campaign", "--store", none, "--offer", "tea-week", "--report", page)
    assert "No hold-out: no statement." in said
    assert "4,000 contacts were made without a hold-out" in said
    assert "No hold-out: no statement." in page.read_text()


def test_wrong_words_are_refused(url: str) -> None:
    for words, text in (
        ((), "name one of --plan and --offer"),
        (("--plan", "a", "--offer", "b"), "name one of --plan and --offer"),
        (("--offer", "cake"), "there is no offer 'cake'"),
        (("--plan", "cake"), "there is no finished plan 'cake'"),
        (("--offer", "tea-week", "--window", "soon"), "is not a time such as"),
    ):
        status, _, complaint = evaluation("campaign", "--store", url, *words)
        assert status, words
        assert text in complaint
