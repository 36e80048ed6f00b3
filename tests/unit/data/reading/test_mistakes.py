"""Mistakes that people make in a mapping file, and what they read about them."""

import tomllib
from pathlib import Path

import pytest

from recsys.config import validated
from recsys.data.dataset import Dataset
from recsys.data.reading.mapping import Mapping
from recsys.data.reading.readers import find_files
from recsys.errors import ConfigError, DataError
from tests.odd_files import catalogue, orders, prepared


def read(text: str) -> Mapping:
    return validated(Mapping, tomllib.loads(text), where="m.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[events.columns]\ncustomer = "x"',
            "m.toml: events: customer: not a column of ours (event_id, ",
        ),
        ('[events.columns]\ncustomer = "x"', "did you mean 'customer_id'?"),
        ('[events]\nzone = "Berlin"', "events.zone: 'Berlin' is not a time zone"),
        ('[events]\ntime_format = "DD.MM.YYYY"', "write %d.%m.%Y %H:%M for 31.12.2025 18:30"),
        ('[items]\nmore_time_formats = ["MM/YY"]', "'MM/YY' has no part that begins with %"),
        (
            "[events.require]\nqty = 1",
            (
                "events.require.qty: 1 is no rule: write a table, such as "
                '{ any_of = ["1"] } or { above = 0 }'
            ),
        ),
        (
            '[events.require]\nqty = { pattern = "[" }',
            "'[' is not a regular expression: unclosed character class",
        ),
        (
            (
                "[events.type_when]\nbuy = { q = { above = 0 } }\nOrder = { q = { above = 1 } }\n"
                "purchase = { q = { above = 2 } }"
            ),
            "several are names of one type",
        ),
    ],
)
def test_a_wrong_setting_says_what_would_be_right(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(text)
    assert words in str(error.value)
    assert "Value error" not in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_usual_names_of_types_are_ours_in_the_mapping_too() -> None:
    events = read(
        '[events.event_types]\nsale = "buy"\nlook = "Product Viewed"\nmine = "own thing"\n'
        "[events.type_when.buy]\nqty = { above = 0 }\n"
    ).events
    assert events.event_types == {"sale": "purchase", "look": "view", "mine": "own thing"}
    assert list(events.type_when) == ["purchase"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[events.columns]\nchannel = "PRICE"', "; did you mean 'price'?"),
        ('[events.columns]\nchannel = "quantitty"', "; did you mean 'quantity'?"),
        (
            '[events]\nmissing_in = { who = ["0"] }',
            "no column 'who', which the mapping names in missing_in",
        ),
        (
            '[items]\nmissing_in = { Titel = ["-"] }',
            "no column 'Titel', which the mapping names in missing_in",
        ),
    ],
)
def test_a_column_that_is_not_there(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        prepared(tmp_path, orders(), catalogue(), mapping=tomllib.loads(text))
    assert words in str(error.value)


def test_too_many_rejects_show_a_value(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1,500 x event_time: bad time \('2024-03-01T09:00:00"):
        prepared(tmp_path, orders(), mapping=tomllib.loads('[events]\ntime_format = "%d/%m/%Y"'))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("https://shop.example/orders.csv", "is an address of the web: download the file"),
        ("a.csv,b.csv", "for several, name their folder, or a quoted pattern"),
    ],
)
def test_what_is_no_file_says_what_to_give(source: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        find_files(source)


def test_the_folder_of_a_store_is_no_data_set(tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(b"")
    with pytest.raises(DataError, match=f"is a store, .*write store://{tmp_path}"):
        Dataset.open(tmp_path)
