"""Shares, independence and stability of who is in which arm."""

from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2_contingency

from recsys.live.deployment import HOLD_OUT, Arm, Experiment
from recsys.live.experiments import arm_of, uniform

CUSTOMERS = 2_000
names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,19}", fullmatch=True).filter(
    lambda name: name != HOLD_OUT
)
weights = st.one_of(st.integers(1, 9).map(float), st.floats(0.01, 100))
arms_of_experiments = st.dictionaries(names, weights, min_size=2, max_size=5)


def experiment_of(arms: dict[str, float], hold_out: float = 0.0) -> Experiment:
    return Experiment(
        placements=("p",),
        arms={name: Arm(weight=weight) for name, weight in arms.items()},
        hold_out=hold_out,
    )


def assigned(name: str, experiment: Experiment, count: int = CUSTOMERS) -> list[str]:
    return [arm_of(name, experiment, f"customer-{number}") for number in range(count)]


@settings(max_examples=40)
@given(name=names, arms=arms_of_experiments, hold_out=st.sampled_from([0.0, 0.05, 0.5]))
def test_shares_are_those_of_the_weights(
    name: str, arms: dict[str, float], hold_out: float
) -> None:
    counts = Counter(assigned(name, experiment_of(arms, hold_out)))
    whole = sum(arms.values())
    wanted = {arm: (1 - hold_out) * weight / whole for arm, weight in arms.items()}
    for arm, share in {**wanted, HOLD_OUT: hold_out}.items():
        low, high = binom.interval(1 - 1e-7, CUSTOMERS, share)
        assert low <= counts[arm] <= high, (arm, share, counts)


@settings(max_examples=30)
@given(two=st.lists(names, min_size=2, max_size=2, unique=True))
def test_experiments_are_independent(two: list[str]) -> None:
    experiment = experiment_of({"a": 1, "b": 1}, hold_out=0.2)
    pairs = Counter(zip(*(assigned(name, experiment) for name in two), strict=True))
    groups = ("a", "b", HOLD_OUT)
    table = [[pairs[first, second] for second in groups] for first in groups]
    assert chi2_contingency(table).pvalue > 1e-7


def test_the_hold_out_is_drawn_apart_from_the_arms() -> None:
    """Those who were held out are spread over the arms like everybody else."""
    held = [
        number
        for number, arm in enumerate(assigned("e", experiment_of({"a": 1, "b": 1}, 0.3)))
        if arm == HOLD_OUT
    ]
    later = assigned("e", experiment_of({"a": 1, "b": 1}))
    count = sum(later[number] == "a" for number in held)
    low, high = binom.interval(1 - 1e-6, len(held), 0.5)
    assert low <= count <= high


@settings(max_examples=40)
@given(name=names, arms=arms_of_experiments, factor=st.floats(1.1, 10), data=st.data())
def test_a_weight_that_grows_moves_nobody_between_the_others(
    name: str, arms: dict[str, float], factor: float, data: st.DataObject
) -> None:
    grown = data.draw(st.sampled_from(sorted(arms)))
    before = assigned(name, experiment_of(arms), 400)
    after = assigned(name, experiment_of({**arms, grown: arms[grown] * factor}), 400)
    assert all(new in (old, grown) for old, new in zip(before, after, strict=True))


@settings(max_examples=40)
@given(name=names, arms=arms_of_experiments, added=names, weight=weights)
def test_a_new_arm_takes_from_all_and_shuffles_none(
    name: str, arms: dict[str, float], added: str, weight: float
) -> None:
    assume(added not in arms)
    before = assigned(name, experiment_of(arms), 400)
    after = assigned(name, experiment_of({**arms, added: weight}), 400)
    assert all(new in (old, added) for old, new in zip(before, after, strict=True))


@settings(max_examples=40)
@given(
    name=names, arms=arms_of_experiments, shares=st.tuples(st.floats(0, 0.9), st.floats(0, 0.9))
)
def test_a_hold_out_that_grows_takes_from_the_arms_alone(
    name: str, arms: dict[str, float], shares: tuple[float, float]
) -> None:
    small, large = sorted(shares)
    before = assigned(name, experiment_of(arms, small), 400)
    after = assigned(name, experiment_of(arms, large), 400)
    assert all(new in (old, HOLD_OUT) for old, new in zip(before, after, strict=True))


@given(name=names, arms=arms_of_experiments, scale=st.sampled_from([0.5, 2.0, 4.0]))
def test_the_order_of_arms_and_the_unit_of_weights_do_not_count(
    name: str, arms: dict[str, float], scale: float
) -> None:
    turned = {arm: weight * scale for arm, weight in reversed(arms.items())}
    assert assigned(name, experiment_of(arms), 50) == assigned(name, experiment_of(turned), 50)


def test_an_arm_of_weight_0_gets_nobody() -> None:
    experiment = experiment_of({"a": 1, "b": 1, "c": 0})
    assert "c" not in assigned("e", experiment)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [("customer-1", "a"), ("visitor/v-1", "a"), ("Zoë", "hold-out"), ("42", "a")],
)
def test_assignments_never_change_with_a_release(subject: str, expected: str) -> None:
    """Customers of a running experiment must not move when the server is upgraded."""
    assert arm_of("e", experiment_of({"a": 1, "b": 2}, 0.3), subject) == expected


@given(texts=st.tuples(names, names, st.text(max_size=20)))
def test_numbers_lie_above_0_and_up_to_1(texts: tuple[str, str, str]) -> None:
    assert 0 < uniform(*texts) <= 1
