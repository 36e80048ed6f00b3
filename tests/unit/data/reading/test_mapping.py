from pathlib import Path

import pytest

from recsys.data.reading.mapping import EventMapping, Mapping, load_mapping
from recsys.errors import ConfigError

EXAMPLES = Path(__file__).parents[4] / "docs/examples"


def test_no_file_means_guess_everything() -> None:
    assert load_mapping(None) == Mapping()


def test_the_examples_are_valid() -> None:
    examples = sorted(EXAMPLES.glob("online_*.toml"))
    assert examples
    for path in examples:
        assert load_mapping(path) != Mapping(), path.name


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[events.columns]\nuser = "x"', "user: not a column of ours"),
        ('[items.columns]\ncolour = "x"', "colour: not a column of ours"),
        ('[customers.columns]\nage = "x"', "age: not a column of ours"),
        ("[items.require]\ntags = { above = 1 }", "tags: holds a list"),
        ('[events]\nzone = "Middle Earth"', "not a time zone"),
        ('[events.require]\nitem_id = { pattern = "(" }', "not a regular expression"),
        ('[events.returns]\nprefix = "C"', "belong together"),
        ('[events]\ndelimiter = ";;;;"', "delimiter"),
        ("max_reject_rate = 2", "max_reject_rate"),
        ("[event]\n", "event"),
        ('[events]\nline_value = "v"\ncolumns = { unit_price = "p" }', "unit_price: is given"),
        ('[events]\nproperties = ["v"]\ncolumns = { properties = "p" }', "properties: is given"),
        (
            '[events]\nconstants = { channel = "v" }\ncolumns = { channel = "p" }',
            "channel: is given in two ways",
        ),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=words):
        load_mapping(path)


def test_names_of_event_types_are_plain_text() -> None:
    """Polars makes an enum of a list that begins with a member, and refuses all other texts."""
    mapping = EventMapping.model_validate(
        {"event_types": {"gekauft": "buy"}, "type_when": {"buy": {"s": {"present": True}}}}
    )
    names = [*mapping.event_types.values(), *mapping.type_when]
    assert names == ["purchase", "purchase"]
    assert {type(name) for name in names} == {str}
