from pathlib import Path

import pytest
import typer

from recsys.choice.options import is_chosen, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("60s", 60),
        ("90", 90),
        ("20m", 1_200),
        ("1.5h", 5_400),
        (" 10 m ", 600),
        ("0.5s", 0.5),
    ],
)
def test_times_as_people_write_them(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-5s", "five", "10d", "1m30s", "s", "1e3", "nan"])
def test_what_is_no_time_is_refused_with_an_example(text):
    with pytest.raises(typer.BadParameter, match="60s, 10m or 1h"):
        seconds_of(text)


FILE = Path("mine.toml")


@pytest.mark.parametrize(
    ("choose", "config", "wanted"),
    [
        (None, None, True),
        (None, FILE, False),
        (True, FILE, True),
        (True, None, True),
        (False, None, False),
        (False, FILE, False),
    ],
)
def test_there_is_a_choice_unless_a_configuration_is_given(choose, config, wanted):
    assert is_chosen(config, choose=choose, budget=None, menu=None) is wanted
    if wanted:
        assert is_chosen(config, choose=choose, budget="60s", menu=FILE)


@pytest.mark.parametrize(("budget", "menu"), [("60s", None), (None, FILE)])
def test_what_a_choice_needs_is_refused_where_there_is_none(budget, menu):
    with pytest.raises(typer.BadParameter, match="add --choose"):
        is_chosen(FILE, choose=None, budget=budget, menu=menu)
