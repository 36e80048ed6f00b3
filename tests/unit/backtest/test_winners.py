import numpy as np
import polars as pl
import pytest

from recsys.backtest.compare import Contender, Study, figures
from recsys.backtest.outcomes import Outcome, measure
from recsys.backtest.verdicts import verdicts, with_p_values
from recsys.backtest.winners import customer_differences, slice_differences
from recsys.data.catalogue import Catalogue
from recsys.data.splits import Split
from recsys.errors import ConfigError
from tests.fixed_lists import FixedLists

STUDY = Study(
    dataset="tiny", variant="day 10", placements=("for_you",), ks=(1, 2), min_customers=1
)
LISTS = {
    "ours": {"ann": ["tea", "jam"], "bob": ["cup", "tea"], "cat": ["jam", "milk"]},
    "rival": {"ann": ["tea", "milk"], "bob": ["milk", "tea"], "cat": ["milk"]},
    "third": {"ann": ["milk"], "bob": ["milk"], "cat": ["tea"]},
}


@pytest.fixture
def outcomes(split: Split, catalogue: Catalogue) -> dict[str, Outcome]:
    def contender(name: str) -> Contender:
        return Contender(name, ("for_you",), lambda _: FixedLists(catalogue, LISTS[name]))

    return measure(split, [contender(name) for name in LISTS], STUDY)


def test_groups_are_compared_on_their_own_customers() -> None:
    rng = np.random.default_rng(3)
    ours, theirs = rng.random(400), rng.random(400)
    group = np.arange(400) < 200
    ours[group] += 0.5
    values = {"ours": ours, "theirs": theirs, "same": ours.copy()}
    groups = {"all": np.ones(400, dtype=np.bool_), "up": group, "rest": ~group}
    found = slice_differences(values, groups, seed=0)
    assert [(each.slice, each.second) for each in found[:1]] == [("up", "theirs")]
    by_name = {(each.slice, each.second): each for each in found}
    assert set(by_name) == {(s, o) for s in ("up", "rest") for o in ("theirs", "same")}
    up = by_name["up", "theirs"]
    assert up.customers == 200
    assert up.values == pytest.approx((ours[group].mean(), theirs[group].mean()))
    assert up.difference.value == pytest.approx((ours - theirs)[group].mean())
    assert up.difference.low > 0.4
    assert up.p_holm < 0.01
    assert by_name["rest", "theirs"].p_holm > 0.05
    assert by_name["up", "same"].p_holm == 1


def test_customers_without_a_value_do_not_count() -> None:
    values = {"a": np.array([1.0, np.nan, 3.0]), "b": np.array([0.5, 1.0, np.nan])}
    groups = {"left": np.array([True, True, False]), "right": np.array([False, False, True])}
    (only,) = slice_differences(values, groups, seed=0)
    assert (only.slice, only.customers, only.difference.value) == ("left", 1, 0.5)


def test_without_slices_or_rivals_there_is_nothing_to_compare() -> None:
    one = {"a": np.ones(2)}
    assert slice_differences(one, {"x": np.ones(2, dtype=np.bool_)}, seed=0) == []
    both = {"a": np.ones(2), "b": np.zeros(2)}
    assert slice_differences(both, {"all": np.ones(2, dtype=np.bool_)}, seed=0) == []


def test_customers_with_the_largest_difference_come_first(
    split: Split, outcomes: dict[str, Outcome]
) -> None:
    table = customer_differences(split, outcomes["for_you"], "recall", 2)
    assert table.columns == [
        *("customer_id", "days", "purchases", "right_items"),
        *("ours", "rival", "third", "ours-minus-rival", "ours-minus-third"),
    ]
    rows = {row["customer_id"]: row for row in table.to_dicts()}
    assert rows["ann"]["right_items"] == 2
    assert (rows["ann"]["days"], rows["ann"]["purchases"]) == (4, 4)
    assert (rows["ann"]["ours"], rows["ann"]["rival"], rows["ann"]["third"]) == (1, 0.5, 0)
    assert rows["bob"]["ours-minus-rival"] == 1
    assert rows["cat"]["ours-minus-rival"] == 0
    largest = table.select(pl.max_horizontal(pl.col("^ours-minus-.*$").abs())).to_series()
    assert largest.is_sorted(descending=True)


def test_a_single_configuration_has_values_only(
    split: Split, outcomes: dict[str, Outcome]
) -> None:
    whole = outcomes["for_you"]
    alone = Outcome(
        whole.cases, whole.before, whole.slices, whole.ks, {"ours": whole.trials["ours"]}
    )
    table = customer_differences(split, alone, "ndcg", 1)
    assert table.columns[-1] == "ours"
    assert verdicts("for_you", alone, "ndcg", 1, seed=0).pairs == ()


def test_only_what_was_measured_can_be_asked_for(outcomes: dict[str, Outcome]) -> None:
    for metric, k in (("coverage", 2), ("ndcg", 3)):
        with pytest.raises(ConfigError, match="known: precision"):
            outcomes["for_you"].values(metric, k)


def test_rows_get_the_tests_of_all_pairs_and_slices(
    split: Split, outcomes: dict[str, Outcome]
) -> None:
    found = verdicts("for_you", outcomes["for_you"], "recall", 2, seed=0)
    assert {(pair.first, pair.second) for pair in found.pairs} == {
        ("ours", "rival"),
        ("ours", "third"),
        ("rival", "third"),
    }
    plain = list(figures(split, outcomes, STUDY))
    rows = list(with_p_values(plain, [found]))
    tested = {(row.configuration, row.slice): row for row in rows if row.p_holm is not None}
    assert all((row.metric, row.k) == ("recall", 2) for row in tested.values())
    groups = set(outcomes["for_you"].slices.groups)
    assert set(tested) == {
        *((f"ours-minus-{other}", group) for other in ("rival", "third") for group in groups),
        ("rival-minus-third", "all"),
    }
    added = tested["rival-minus-third", "all"]
    assert (added.dataset, added.variant, added.customers) == ("tiny", "day 10", 3)
    assert len(rows) == len(plain) + 1
    for pair in found.pairs:
        assert tested[f"{pair.first}-minus-{pair.second}", "all"].p_holm == pair.p_holm
