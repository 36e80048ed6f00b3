"""The online report of a small simulated storefront, from a store alone; check 8 has 100 seeds."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evaluation.cli import app
from evaluation.online.command import hours_of
from recsys.online.figures import METRICS
from recsys.online.report import OnlineReport, report
from recsys.store.open import open_store
from recsys.store.store import Store
from tests.qualification.live.check_08_online import VIOLATED, Covered, observed
from tests.storefront import BEGIN, DAY, END, Storefront

SEEDS, CUSTOMERS = 4, 500
pytestmark = pytest.mark.usefixtures("_wide")


@pytest.fixture
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store that a storefront has written to."""
    url = f"store://{tmp_path_factory.mktemp('front') / 'store'}"
    store = open_store(url)
    Storefront(1, customers=CUSTOMERS).play(store)
    store.close()
    return url


@pytest.fixture
def played(url: str) -> Iterator[Store]:
    store = open_store(url, role="reader")
    yield store
    store.close()


def of(store: Store, **changes: int) -> OnlineReport:
    times = {"since": BEGIN, "until": END, "now": END + DAY, **changes}
    return report(store, **times)


def test_intervals_hold_the_truth() -> None:
    covered = Covered()
    for seed in range(SEEDS):
        shop = Storefront(seed, customers=CUSTOMERS)
        covered.add(shop, observed(shop))
    assert len(covered.hits) == 16
    assert covered.hits.total() >= 0.86 * 16 * SEEDS
    assert min(covered.lows) > 0.001


def test_arms_that_are_drawn_wrongly_are_found() -> None:
    [ratio] = observed(Storefront(1, customers=4 * CUSTOMERS, weights=VIOLATED)).sample_ratios
    assert ratio.mismatch
    assert ratio.p_value is not None
    assert ratio.p_value < 0.001
    assert not ratio.crossed


def test_a_placement_is_the_sum_of_its_arms(played: Store) -> None:
    found = of(played)
    for_you = [each for each in found.figures if each.group.placement == "for_you"]
    *arms, whole = for_you
    assert [each.group.arm for each in for_you] == ["control", "bold", ""]
    assert whole.impressions == sum(each.impressions for each in arms)
    for metric in METRICS:
        rates = [getattr(each, metric).value * each.impressions for each in arms]
        assert getattr(whole, metric).value * whole.impressions == pytest.approx(sum(rates))
    assert whole.customers <= sum(each.customers for each in arms)
    assert found.lost == sum(each.lost for each in found.figures if each.group.bundle_version)
    assert found.lost > 0
    assert found.tally.refused_tokens > 0
    assert found.open_impressions == 0


def test_time_is_cut_into_parts_that_add_up(played: Store) -> None:
    noon = BEGIN + 3 * DAY
    parts = [of(played, until=noon), of(played, since=noon)]
    whole = of(played)

    def total(found: OnlineReport, metric: str) -> float:
        return sum(
            each.impressions * getattr(each, metric).value
            for each in found.figures
            if each.group.bundle_version
        )

    for metric in METRICS:
        assert sum(total(part, metric) for part in parts) == pytest.approx(total(whole, metric))
    assert sum(day.impressions for day in whole.days) == sum(
        each.impressions for each in whole.figures if each.group.bundle_version
    )
    assert len({day.day for day in whole.days}) > 3


def test_the_newest_impressions_are_told_to_be_open(played: Store) -> None:
    assert of(played, now=BEGIN + DAY // 2).open_impressions > CUSTOMERS // 20


@pytest.mark.extra(name="report")
def test_the_command_prints_writes_and_draws(url: str, tmp_path: Path) -> None:
    figures, page = tmp_path / "deep" / "online.json", tmp_path / "online.html"
    words = ["online", "--store", url, "--from", "2024-01-01", "--to", "2025-01-01"]
    done = CliRunner().invoke(app, [*words, "--json", str(figures), "--report", str(page)])
    assert done.exit_code == 0, done.output
    for said in ("for_you", "colours/bold", "similar_items", "bold against control", "as drawn"):
        assert said in done.output
    told = json.loads(figures.read_text())
    assert told["from"] == "2024-01-01T00:00:00+00:00"
    assert told["window_s"] == 86_400
    assert {(each["placement"], each["arm"]) for each in told["figures"]} == {
        ("for_you", "control"),
        ("for_you", "bold"),
        ("for_you", ""),
        ("popular", ""),
        ("similar_items", ""),
    }
    assert set(told["figures"][0]["conversion_rate"]) == {"value", "low", "high"}
    assert told["sample_ratios"][0]["mismatch"] is False
    assert len(told["comparisons"]) == 3
    text = page.read_text()
    assert text.count("<svg") == 3
    assert "<script" not in text
    assert "was answered" in text


def test_a_window_of_a_minute_sees_less(played: Store) -> None:
    assert hours_of("30m") == DAY // 48
    assert hours_of("1.5d") == DAY * 3 // 2
    narrow = of(played, window=hours_of("1m"))
    assert narrow.tally.by_item + narrow.tally.by_token < of(played).tally.by_item / 5


@pytest.mark.parametrize("wrong", ["", "24", "0h", "h", "1w", "-1h"])
def test_a_wrong_window_is_refused(url: str, wrong: str) -> None:
    done = CliRunner().invoke(app, ["online", "--store", url, "--window", wrong])
    assert done.exit_code == 2


def test_a_time_without_impressions_is_an_error(url: str) -> None:
    done = CliRunner().invoke(app, ["online", "--store", url, "--to", "2020-01-01"])
    assert done.exit_code == 1
    assert "no impressions" in str(done.exception)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["online", "--store", f"store://{tmp_path / 'none'}"])
    assert done.exit_code == 1
    assert not (tmp_path / "none").exists()
