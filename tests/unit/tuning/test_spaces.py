"""Ranges: what a drawn number stands for, and what files are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.choice.menu import load_menu
from recsys.config import validated
from recsys.errors import ConfigError
from recsys.models.ials import Ials
from recsys.tuning.spaces import Range, Spaces, load_spaces, whole_numbers

FADES = Range(low=10, high=400, log=True, or_none=True)


def test_a_last_stretch_stands_for_none():
    assert FADES.end == 800
    assert FADES.value(400.0) == 400
    assert FADES.value(400.1) is None
    assert FADES.value(123.456) == 123
    assert FADES.drawn(None) == 800
    assert FADES.drawn(9) is None
    assert Range(low=0, high=1).end == 1
    assert Range(low=0, high=1).drawn(None) is None


@given(st.floats(10, 800))
def test_what_a_number_stands_for_leads_back_to_it(drawn):
    value = FADES.value(drawn)
    back = FADES.drawn(value)
    assert back is not None
    assert FADES.value(back) == value


def test_whole_numbers_are_told_by_the_setting():
    ranges = load_spaces().models["ials"]
    assert whole_numbers(Ials, ranges) == {"embedding_size"}
    assert Range(low=8, high=64).value(33) == 33


def test_the_library_has_ranges_for_all_that_is_on_its_menu():
    """But for what takes most of an hour to fit."""
    kinds = {
        algorithm.kind for family in load_menu().families.values() for algorithm in family.variants
    }
    assert kinds - {"sequence"} <= set(load_spaces().models)
    assert load_spaces().ranker


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[models.ease]\nregularization = { low = 5, high = 5 }", "no range: from 5 to 5"),
        ("[models.ease]\nregularization = { low = 0, high = 5, log = true }", "no range"),
        ("[models.ease]\nregularisation = { low = 1, high = 5 }", "models.ease.regularisation"),
        ("[models.ease]\nregularization = { low = -1, high = 5 }", "models.ease.regularization"),
        ("[models.east]\nregularization = { low = 1, high = 5 }", "models.east.regularization"),
        ("[models.ease]\nregularization = { low = 1, high = 5, or_none = true }", "None"),
        ("[ranker]\ntrees = { low = 0, high = 5 }", "ranker.trees"),
        ("[rankers]", "rankers"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path, text, said):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.toml") as caught:
        load_spaces(file)
    assert said in str(caught.value)


def test_a_file_of_ones_own(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[models.ease]\nregularization = { low = 1, high = 5 }\n")
    assert load_spaces(file) == validated(
        Spaces, {"models": {"ease": {"regularization": {"low": 1, "high": 5}}}}, where="test"
    )
