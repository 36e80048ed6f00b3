import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.choice.evidence import Evidence
from recsys.choice.search import (
    LEAST_GAIN,
    POWERS,
    WEIGHTS,
    Blend,
    changes,
    search,
    totals,
    value,
    without,
)

CUSTOMERS, CANDIDATES = 300, 80


def planted(columns: dict[str, np.ndarray], liking: np.ndarray, right: int = 3) -> Evidence:
    """Customers who choose what `liking` puts first."""
    shares = np.stack(list(columns.values())).astype(np.float32)
    places = np.argsort(-liking, axis=1)[:, :right]
    relevant = np.zeros(liking.shape, dtype=bool)
    np.put_along_axis(relevant, places, values=True, axis=1)
    sizes = np.full(len(liking), right, np.int32)
    return Evidence(tuple(columns), shares, relevant, sizes, 10)


def noise(seed: int, power: float = 4.0) -> np.ndarray:
    """Shares of a source that likes a few candidates much."""
    drawn = np.random.default_rng(seed).uniform(size=(CUSTOMERS, CANDIDATES)) ** power
    return (drawn / drawn.sum(axis=1, keepdims=True)).astype(np.float32)


def alone(columns: dict[str, np.ndarray]) -> dict[str, list[str]]:
    """Every column its own family."""
    return {name: [name] for name in columns}


def test_a_planted_blend_is_found_and_what_is_useless_left_out():
    columns = {name: noise(seed) for seed, name in enumerate(("a", "b", "chance", "more chance"))}
    evidence = planted(columns, columns["a"] + 0.3 * columns["b"])
    steps = search(evidence, alone(columns), [])
    blend = steps[-1].blend
    assert blend.sources() == {"a", "b"}
    assert blend.weights["b"] / blend.weights["a"] == pytest.approx(0.3, rel=0.25)
    assert steps[-1].value > 0.97
    assert [step.change for step in steps] == ["add a", "add b"]
    assert [step.value for step in steps] == sorted(step.value for step in steps)


def test_a_planted_boost_is_found():
    columns = {"liked": noise(1), "recent": noise(2, power=1.0), "chance": noise(3)}
    evidence = planted(columns, columns["liked"])
    boosted = columns["liked"] * evidence.factors("recent", 0.5)
    evidence = planted(columns, boosted)
    sources = {"liked": ["liked"], "chance": ["chance"]}
    steps = search(evidence, sources, ["recent"])
    assert steps[-1].blend.boost is not None
    assert steps[-1].blend.boost[0] == "recent"
    assert steps[-1].blend.boost[1] in {0.3, 0.5, 0.75}
    assert steps[-1].value > 0.97
    assert set(steps[-1].blend.weights) == {"liked"}


def test_of_a_family_one_is_used():
    columns = {"good": noise(1), "other": noise(2)}
    columns["worse"] = 0.5 * columns["good"] + 0.5 * noise(4)
    evidence = planted(columns, columns["good"] + columns["other"])
    steps = search(evidence, {"family": ["worse", "good"], "second": ["other"]}, [])
    assert steps[-1].blend.sources() == {"good", "other"}
    for step in steps:
        assert len(step.blend.sources() & {"good", "worse"}) <= 1


def test_a_part_that_others_make_needless_is_dropped():
    """Alone the mixture is best; once both of its parts are there it says nothing new."""
    one, two = noise(1), noise(2)
    columns = {"mixture": 0.7 * (one + two) / 2 + 0.3 * noise(5), "one": one, "two": two}
    evidence = planted(columns, one + two)
    steps = search(evidence, alone(columns), [])
    assert steps[0].change == "add mixture"
    assert steps[-1].blend.sources() == {"one", "two"}
    rest = without(evidence, steps[-1].blend, "one")
    assert rest < steps[-1].value * (1 - LEAST_GAIN)


def test_what_is_left_over_of_a_mixture_is_dropped():
    """Tuning keeps a trace of it that brings less than a part must."""
    one, two = noise(428)[:60], noise(429)[:60]
    columns = {"mixture": 0.6 * (one + two) / 2 + 0.4 * noise(432)[:60], "one": one, "two": two}
    luck = 0.01 * np.random.default_rng(61).uniform(size=one.shape)
    steps = search(planted(columns, one + two + luck), alone(columns), [])
    assert [step.change for step in steps[-2:]] == ["add one", "drop mixture"]
    assert "mixture" in steps[-2].blend.sources()
    assert steps[-1].blend.sources() == {"one", "two"}
    assert steps[-2].value >= steps[-1].value >= steps[-2].value * (1 - LEAST_GAIN)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_no_alternative_is_ahead_by_more_than_a_part_must_bring(seed):
    """Whatever the shop: forcing a part in, out or into another's place gains nothing."""
    random = np.random.default_rng(seed)
    columns = {
        name: random.uniform(size=(40, 30)).astype(np.float32) ** 3
        for name in ("a", "b", "c", "d")
    }
    liking = sum(random.uniform() * column for column in columns.values())
    evidence = planted(columns, liking + 0.2 * random.uniform(size=liking.shape))
    families, boosts = {"first": ["a", "b"], "second": ["c"]}, ["c", "d"]
    steps = search(evidence, families, boosts)
    chosen, best = steps[-1].blend, steps[-1].value
    assert value(evidence, chosen) == best
    for options in changes(chosen, families, boosts).values():
        for option in options:
            assert value(evidence, option) <= best * (1 + 3 * LEAST_GAIN)
    for name in chosen.sources():
        if len(chosen.weights) > 1:
            assert without(evidence, chosen, name) <= best * (1 + LEAST_GAIN)


def test_nothing_found_is_no_step():
    columns = {"silent": np.zeros((5, 4), np.float32)}
    evidence = planted(columns, np.ones((5, 4)))
    assert search(evidence, alone(columns), ["silent"]) == []
    assert search(evidence, {}, []) == []


def test_ties_go_to_what_is_tried_first():
    columns = {"first": noise(1), "second": noise(1)}
    steps = search(planted(columns, columns["first"]), alone(columns), [])
    assert steps[-1].blend.sources() == {"first"}


def test_totals_are_the_served_sum():
    columns = {"a": noise(1), "b": noise(2), "c": noise(3)}
    evidence = planted(columns, columns["a"])
    found = totals(evidence, Blend({"a": 2.0, "b": 0.5}, ("c", 0.3)))
    shares = 2 * columns["a"] + 0.5 * columns["b"]
    assert found == pytest.approx(shares * evidence.factors("c", 0.3), rel=1e-5)


def test_changes_are_all_there_is_to_force():
    families = {"first": ["a", "b"], "second": ["c"]}
    start = changes(Blend(), families, ["c"])
    assert list(start) == ["add a", "add b", "add c"]
    assert all(len(options) == 1 for options in start.values()), "alone a weight says nothing"
    blend = Blend({"a": 2.0, "c": 1.0}, ("c", 0.3))
    found = changes(blend, families, ["c", "d"])
    assert list(found) == ["b in place of a", "boost by d"]
    assert [option.weights["b"] for option in found["b in place of a"]] == [
        2.0 * weight for weight in WEIGHTS
    ]
    assert all(set(option.weights) == {"b", "c"} for option in found["b in place of a"])
    assert [option.boost for option in found["boost by d"]] == [("d", power) for power in POWERS]


def test_a_blend_without_a_source():
    blend = Blend({"a": 1.0, "c": 1.0}, ("c", 0.3))
    assert blend.dropping("a") == Blend({"c": 1.0}, ("c", 0.3))
    assert blend.dropping("c") == Blend({"a": 1.0})
    evidence = planted({"a": noise(1)}, noise(1))
    assert without(evidence, Blend({"a": 1.0}), "a") == 0
