import pytest
import typer

from recsys.choice.options import seconds_of


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
