"""An online report in words: what is certain, what is wrong, and what cannot be told."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from rich.console import Console

from evaluation.online import texts
from evaluation.online.document import document
from evaluation.online.tables import comparison_tables, figure_tables
from recsys.online.attribute import Tally
from recsys.online.comparisons import Comparison
from recsys.online.figures import METRICS, Day, Figures
from recsys.online.ratios import Estimate
from recsys.online.report import HOUR_US, OnlineReport
from recsys.online.sample_ratio import sample_ratio
from recsys.store.impressions import Group

NOON = 1_704_110_400_000_000
RATE, MONEY = Estimate(0.1234, 0.1, 0.15), Estimate(1234.5, 1000.0, 1500.0)
LONG = "20260101T120000000000Z-abcdef01"


def figures(bundle: str = LONG, arm: str = "", *, shown: int = 1_000) -> Figures:
    group = Group("for_you", bundle, "taste" if arm else "", arm)
    return Figures(group, shown, 500, 7, RATE, Estimate(0.0, None, None), MONEY)


def comparison(metric: str, difference: Estimate) -> Comparison:
    return Comparison("for_you", "taste", "bold", "control", metric, RATE, RATE, difference)


def a_report(**changes: object) -> OnlineReport:
    whole = OnlineReport(
        since=0,
        until=NOON,
        window=36 * HOUR_US,
        figures=[figures(arm="control"), figures("b2", "bold"), figures("")],
        days=[Day("for_you", date(2024, 1, 1), 10, 0.1, 0.0, 12.0)],
        comparisons=[
            comparison("click_through_rate", Estimate(-0.02, -0.03, -0.01)),
            comparison("conversion_rate", Estimate(0.0, None, None)),
            comparison("revenue_per_thousand", Estimate(5.0, 1.0, 9.0)),
        ],
        sample_ratios=[
            sample_ratio("taste", "v1", {"control": 1, "bold": 1}, {"control": 900, "bold": 700})
        ],
        tally=Tally(1, 2, 3, 4, 5, 6),
        lost=21,
        open_impressions=9,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def printed(found: OnlineReport) -> str:
    console = Console(width=80, record=True, file=StringIO())
    for table in (*figure_tables(found), *comparison_tables(found)):
        console.print(table)
    return console.export_text()


def test_tables_fit_80_columns_and_say_what_is_certain() -> None:
    text = printed(a_report())
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "…" not in text.replace("20260101…abcdef01", "")
    for said in ("taste/control", "12.34 %", "10.00 to 15.00", "worse", "better", "cannot tell"):
        assert said in text
    assert "-2.00 points" in text
    assert "+5.00" in text


def test_a_group_that_was_only_lost_has_no_figures() -> None:
    assert "12.34" not in printed(a_report(figures=[figures(shown=0)], comparisons=[]))


def test_a_mismatch_is_said_plainly() -> None:
    [ratio] = a_report().sample_ratios
    assert "sample-ratio mismatch, do not compare" in texts.sample_ratio(ratio)
    crossed = replace(ratio, p_value=0.5, crossed=3)
    assert "3 customers were in two arms" in texts.sample_ratio(crossed)
    assert "mismatch" in texts.sample_ratio(crossed)
    few = sample_ratio("taste", "v1", {"a": 1, "b": 1}, {"a": 1})
    assert "too few customers" in texts.sample_ratio(few)


def test_everything_that_is_missing_is_told() -> None:
    said = " ".join(texts.caveats(a_report()))
    for words in ("21 impressions (1.04%)", "9 impressions are younger", "4 events", "5 events"):
        assert words in said
    for words in ("3 events carry a token that is not", "6 purchases have no unit price"):
        assert words in said
    nothing = a_report(tally=Tally(0, 0, 0, 0, 0, 0), lost=0, open_impressions=0)
    assert list(texts.caveats(nothing)) == []


def test_sentences_are_of_whole_placements_and_certain_differences() -> None:
    said = list(texts.sentences(a_report()))
    assert len(said) == 3
    assert said[0].startswith("for_you was answered 1,000 times to 500 customers: 12.34 %")
    assert "bold is worse than control in click-through: -2.00 points (-16%)" in said[1]


def test_times_and_small_sums() -> None:
    found = a_report()
    assert texts.period(found) == "the beginning to 2024-01-01 12:00 UTC"
    assert texts.window(found) == "36 h"
    assert texts.number("revenue_per_thousand", 3.456) == "3.46"
    assert texts.short("b1") == "b1"


def test_the_document_is_json_with_everything_in_it() -> None:
    told = json.loads(json.dumps(document(a_report())))
    assert told["to"] == "2024-01-01T12:00:00+00:00"
    assert told["days"][0]["day"] == "2024-01-01"
    assert told["figures"][2]["bundle_version"] == ""
    assert told["comparisons"][0]["change"] == pytest.approx(-0.02 / 0.1234)
    assert told["sample_ratios"][0]["mismatch"] is True
    assert told["lost_impressions"] == 21


@pytest.mark.extra(name="report")
def test_the_page_says_what_is_wrong_first_and_draws_what_there_is() -> None:
    from evaluation.online.page import page  # noqa: PLC0415  # imports an extra

    now = datetime(2024, 2, 1, tzinfo=UTC)
    text = page(a_report(), now=now)
    assert text.index("mismatch") < text.index("All figures")
    assert text.count("<svg") == 2  # one day is no curve
    bare = page(a_report(figures=[figures(shown=0)], days=[], comparisons=[]), now=now)
    assert "<svg" not in bare
    assert len(METRICS) == 3
