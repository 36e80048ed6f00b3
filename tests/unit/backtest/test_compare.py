import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recsys.backtest.compare import Contender, Study, compare, customer_values
from recsys.backtest.measures import METRICS, OF_ALL_LISTS
from recsys.backtest.outcomes import peak_mb
from recsys.backtest.rows import Row
from recsys.data.catalogue import Catalogue
from recsys.data.progress import Progress
from recsys.data.splits import Split
from recsys.errors import ConfigError, DataError
from tests.fixed_lists import FixedLists

STUDY = Study(
    dataset="tiny", variant="cutoff=day 10", placements=("for_you",), ks=(1, 2), min_customers=1
)
OURS = {"ann": ["tea", "jam"], "bob": ["cup", "tea"], "cat": ["jam", "milk"]}
THEIRS = {"ann": ["tea", "milk"], "bob": ["milk", "tea"], "cat": ["milk"]}


@pytest.fixture
def contenders(catalogue: Catalogue) -> list[Contender]:
    def contender(name: str, lists: dict[str, list[str]]) -> Contender:
        def build(progress: Progress) -> FixedLists:
            progress(f"{name}: fit", 1, 1)
            return FixedLists(catalogue, lists)

        return Contender(name, ("for_you", "popular"), build)

    return [contender("default", OURS), contender("rival", THEIRS)]


def find(rows: list[Row], configuration: str, metric: str, k: int, group: str = "all") -> Row:
    """Returns the one row of these words."""
    (row,) = (
        row
        for row in rows
        if (row.configuration, row.metric, row.k, row.slice) == (configuration, metric, k, group)
    )
    return row


def test_values_are_means_over_customers(split: Split, contenders: list[Contender]) -> None:
    rows = compare(split, contenders, STUDY)
    second = 1 / math.log2(3)
    expected = {
        ("precision", 1): 2 / 3,
        ("precision", 2): (1 + 1 / 2 + 1 / 2) / 3,
        ("recall", 1): (1 / 2 + 1 + 0) / 3,
        ("recall", 2): 1,
        ("ndcg", 1): 2 / 3,
        ("ndcg", 2): (1 + 1 + second) / 3,
        ("map", 2): (1 + 1 + 1 / 2) / 3,
        ("mrr", 2): (1 + 1 + 1 / 2) / 3,
        ("hr", 1): 2 / 3,
        ("hr", 2): 1,
        ("coverage", 1): 3 / 4,
        ("coverage", 2): 1,
        # Two customers bought before the cutoff: tea and milk by both, cup and jam by one.
        ("novelty", 1): (0 + 1 + 1) / 3,
        ("novelty", 2): (1 / 2 + 1 / 2 + 1 / 2) / 3,
    }
    for (metric, k), value in expected.items():
        assert find(rows, "default", metric, k).value == pytest.approx(value), (metric, k)


def test_rows_carry_everything_they_need(split: Split, contenders: list[Contender]) -> None:
    rows = compare(split, contenders, STUDY)
    for row in rows:
        assert (row.dataset, row.protocol, row.variant) == ("tiny", "temporal", "cutoff=day 10")
        assert row.source == "measured"
        assert row.customers is not None
        if row.metric in OF_ALL_LISTS:
            assert (row.low, row.high) == (None, None)
        else:
            assert row.low is not None
            assert row.high is not None
            assert row.low <= row.value <= row.high
        assert (row.seconds is None) == ("-minus-" in row.configuration)
    named = {row.metric for row in rows if row.configuration == "default"}
    assert named == set(METRICS) - {"ild_category", "calibration_kl", "revenue", "margin"}


def test_differences_are_paired(split: Split, contenders: list[Contender]) -> None:
    rows = compare(split, contenders, STUDY)
    difference = find(rows, "default-minus-rival", "recall", 2)
    ours, theirs = find(rows, "default", "recall", 2), find(rows, "rival", "recall", 2)
    assert difference.value == pytest.approx(ours.value - theirs.value)
    assert difference.customers == 3
    # Per customer 1/2, 1 and 0: never below zero, however they are drawn.
    assert difference.low is not None
    assert difference.low >= 0


def test_slices_are_reported_with_their_sizes(split: Split, contenders: list[Contender]) -> None:
    rows = compare(split, contenders, STUDY)
    assert {row.slice for row in rows} == {"all", "new", "occasional"}
    assert find(rows, "default", "recall", 1, "occasional").customers == 1
    assert find(rows, "default", "recall", 1, "new").value == pytest.approx((1 + 0) / 2)
    assert find(rows, "default", "coverage", 2, "occasional").value == pytest.approx(2 / 4)


def test_equal_seeds_give_equal_figures(split: Split, contenders: list[Contender]) -> None:
    one, two = (
        [(row.value, row.low, row.high) for row in compare(split, contenders, STUDY)]
        for _ in range(2)
    )
    assert one == two


def test_a_contender_is_only_asked_for_placements_it_has(
    split: Split, catalogue: Catalogue, contenders: list[Contender]
) -> None:
    personal = Contender("personal", ("for_you",), lambda _: FixedLists(catalogue, THEIRS))
    study = Study(dataset="tiny", variant="", placements=("for_you", "popular"), ks=(2,))
    rows = compare(split, [contenders[0], personal], study)
    asked = {(row.configuration, row.placement) for row in rows}
    assert asked == {
        ("default", "for_you"),
        ("default", "popular"),
        ("personal", "for_you"),
        ("default-minus-personal", "for_you"),
    }
    # There is nothing to subtract from where ours does not answer.
    swapped = compare(split, [personal, contenders[0]], study)
    assert {row.placement for row in swapped if "-minus-" in row.configuration} == {"for_you"}


def test_placements_nobody_has_an_answer_for_can_be_skipped(
    split: Split, contenders: list[Contender]
) -> None:
    no_baskets = Study(
        dataset="tiny", variant="", placements=("bought_together", "for_you"), ks=(2,)
    )
    split = replace(split, after=split.after.unique("customer_num"))
    with pytest.raises(DataError, match="bought_together"):
        compare(split, contenders, no_baskets)
    rows = compare(split, contenders, replace(no_baskets, skip_empty=True))
    assert {row.placement for row in rows} == {"for_you"}


def test_progress_hears_of_fits_and_lists(split: Split, contenders: list[Contender]) -> None:
    told: list[tuple[str, int, int | None]] = []
    compare(
        split,
        contenders,
        STUDY,
        progress=lambda stage, done, total=None: told.append((stage, done, total)),
    )
    assert told == [
        ("default: fit", 1, 1),
        ("default: for_you", 3, 3),
        ("rival: fit", 1, 1),
        ("rival: for_you", 3, 3),
    ]


def test_lists_without_items_have_nothing_but_zeros_for_accuracy(
    split: Split, catalogue: Catalogue
) -> None:
    silent = Contender("default", ("for_you",), lambda _: FixedLists(catalogue, {}))
    rows = compare(split, [silent], STUDY)
    assert {row.metric for row in rows} == {
        *("precision", "recall", "ndcg", "ndcg_full_ideal", "map", "map_full", "mrr", "hr"),
        *("repeat_recall", "explore_recall", "serendipity", "coverage"),
    }
    assert all(row.value == 0 for row in rows)


def test_catalogue_and_pasts_count_beyond_accuracy(
    split: Split, contenders: list[Contender]
) -> None:
    priced = {
        "category": [["kitchen", "ware"], ["food", "sweet"], ["food", "cold"], ["food", "hot"]],
        "price": [8.0, 4.0, None, 2.0],
        "cost": [5.0, None, None, 0.5],
    }
    items = split.train.items.with_columns(
        pl.Series(name, cells, split.train.items.schema[name]) for name, cells in priced.items()
    )
    split = replace(split, train=replace(split.train, items=items))
    rows = compare(split, contenders, STUDY)
    expected = {
        # ann is shown tea and jam (bought both, takes both), bob cup (new, taken) and tea,
        # cat jam and milk (taken): she has bought nothing.
        ("repeat_share", 2): (1 + 1 / 2 + 0) / 3,
        ("repeat_recall", 2): 1.0,
        ("explore_recall", 2): (1 + 1) / 2,
        # Milk and tea are the two bestsellers: jam and cup are hits that they would not show.
        ("serendipity", 2): (1 / 2 + 1 / 2 + 0) / 3,
        ("revenue", 2): (2 + 4 + 8 + 0) / 3,
        ("margin", 2): (1.5 + 3) / 3,
        # Two levels each; tea, jam and milk share the first, cup shares nothing.
        ("ild_category", 2): (1 / 2 + 1 + 1 / 2) / 3,
        ("arp", 2): (3 / 4 + 3 / 4 + 3 / 4) / 3,
        ("ndcg_full_ideal", 1): (1 / (1 + 1 / math.log2(3)) + 1) / 3,
        # Tea and jam are shown twice, cup and milk once.
        ("exposure_gini", 2): (-3 * 1 - 1 * 1 + 1 * 2 + 3 * 2) / (4 * 6),
    }
    for (metric, k), value in expected.items():
        assert find(rows, "default", metric, k).value == pytest.approx(value), (metric, k)
    # ann's past is three quarters food, her list all of it; bob's all food, his list half of it.
    ann = 3 / 4 * math.log(0.75 / (0.99 + 0.0075)) + 1 / 4 * math.log(0.25 / 0.0025)
    bob = math.log(1 / (0.99 / 2 + 0.01))
    found = find(rows, "default", "calibration_kl", 2)
    assert (found.value, found.customers) == (pytest.approx((ann + bob) / 2), 2)


def test_values_of_single_customers_can_be_had(split: Split, contenders: list[Contender]) -> None:
    found = customer_values(split, contenders, STUDY, "recall")
    assert {name: values.tolist() for name, values in found["for_you"].items()} == {
        "default": [1.0, 1.0, 1.0],
        "rival": [0.5, 0.0, 1.0],
    }
    with pytest.raises(ConfigError, match="no metric 'coverage' per customer"):
        customer_values(split, contenders, STUDY, "coverage")


def test_a_placement_without_protocol_fails_before_anything_is_fitted(split: Split) -> None:
    def never(_: Progress) -> FixedLists:
        pytest.fail("fitted although the placement is wrong")

    study = Study(dataset="tiny", variant="", placements=("homepage",), ks=(2,))
    with pytest.raises(ConfigError, match="homepage"):
        compare(split, [Contender("default", ("homepage",), never)], study)


def test_peak_memory_is_in_mebibytes() -> None:
    block = np.ones(40 * 2**17)  # 40 MiB, touched
    assert 40 < peak_mb() < 100_000
    del block
