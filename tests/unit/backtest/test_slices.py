import pytest

from recsys.backtest.slices import DEFINITIONS, purchase_days, slices
from recsys.data.splits import Split, temporal_split
from recsys.protocols.cases import cases_for
from tests.shops import Event, day, tiny_shop


@pytest.fixture
def split() -> Split:
    """Customers who bought on 1, 3, 4, 20 and 21 days, and one who only looked."""
    events = [
        Event(f"c{days:02}", "tea", number + hour / 24)
        for days in (1, 3, 4, 20, 21)
        for number in range(days)
        for hour in (1, 2)
    ]
    events += [Event("c00", "tea", 3, kind="view")]
    events += [Event(f"c{days:02}", "tea", 31) for days in (0, 1, 3, 4, 20, 21)]
    return temporal_split(tiny_shop(events), cutoff=day(30))


def test_days_not_events_are_counted(split: Split) -> None:
    assert purchase_days(split).tolist() == [0, 1, 3, 4, 20, 21]


def test_groups_share_out_the_population(split: Split) -> None:
    cases = cases_for("for_you", split, limit=5, seed=0)
    groups = slices(split, cases, min_customers=1)
    assert list(groups) == ["all", *DEFINITIONS]
    assert {name: rows.tolist() for name, rows in groups.items()} == {
        "all": [True] * 6,
        "new": [True, True, True, False, False, False],
        "occasional": [False, False, False, True, True, False],
        "loyal": [False] * 5 + [True],
    }


def test_groups_follow_the_cases_of_a_placement(split: Split) -> None:
    cases = cases_for("buy_again", split, limit=5, seed=0)
    assert len(cases) == 5
    assert slices(split, cases, min_customers=1)["new"].tolist() == [True, True] + [False] * 3


def test_small_groups_are_left_out_but_never_the_whole(split: Split) -> None:
    cases = cases_for("for_you", split, limit=5, seed=0)
    assert list(slices(split, cases, min_customers=2)) == ["all", "new", "occasional"]
    assert list(slices(split, cases)) == ["all"]
