from recsys.backtest.background import background
from recsys.backtest.histories import histories
from recsys.backtest.item_facts import item_facts
from recsys.data.splits import Split
from recsys.protocols.cases import cases_for

CUP, JAM, MILK, TEA = range(4)


def test_the_past_is_what_was_bought_and_not_what_was_seen(split: Split) -> None:
    past = histories(split, cases_for("for_you", split, limit=3, seed=0))
    # ann, bob, and cat who only looked at tea.
    assert past.offsets.tolist() == [0, 4, 6, 6]
    assert past.item_nums.tolist() == [CUP, JAM, MILK, TEA, MILK, TEA]
    assert past.repeat_sizes.tolist() == [2, 0, 0]
    assert past.explore_sizes.tolist() == [0, 1, 1]


def test_cases_of_some_customers_have_their_own_pasts(split: Split) -> None:
    past = histories(split, cases_for("discover", split, limit=3, seed=0))
    assert past.offsets.tolist() == [0, 2, 2]
    assert past.item_nums.tolist() == [MILK, TEA]


def test_nobodys_departments_are_known_without_categories(split: Split) -> None:
    cases = cases_for("for_you", split, limit=3, seed=0)
    assert background(split, item_facts(split), cases).tastes.nnz == 0
