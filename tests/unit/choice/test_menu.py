import pytest

from recsys.assembly import MODELS_OF_SOURCE
from recsys.choice.gather import variants_of
from recsys.choice.menu import Family, Menu, load_menu
from recsys.config import validated
from recsys.errors import ConfigError
from tests.unit.choice.menus import SMALL


def test_the_menu_that_comes_with_it_can_be_served():
    menu = load_menu()
    assert menu.ranker is not None
    for family in menu.families.values():
        for algorithm in family.variants:
            assert isinstance(algorithm, MODELS_OF_SOURCE[family.kind])
            assert family.source("any").model == "any"


def test_every_variant_is_there_once():
    for family in load_menu().families.values():
        for place, algorithm in enumerate(family.variants):
            assert algorithm not in family.variants[:place]


def test_a_menu_of_ones_own_stands_alone(tmp_path):
    file = tmp_path / "menu.toml"
    file.write_text(
        '[families.popular]\nkind = "popular"\nrole = "boost"\n'
        'variants = [{ kind = "popularity", half_life_days = "none" }]\n'
    )
    menu = load_menu(file)
    assert list(menu.families) == ["popular"]
    assert menu.families["popular"].variants[0].half_life_days is None
    assert menu.ranker is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[families.x]\nkind = "popular"\nvariants = []\n', "families.x.variants"),
        ('[families.x]\nkind = "popular"\nvariants = [{ kind = "magic" }]\n', "magic"),
        (
            '[families.x]\nkind = "popular"\nrole = "all"\nvariants = [{ kind = "trend" }]\n',
            "families.x.role",
        ),
        ("[family.x]\n", "family"),
        ("[ranker]\ntree = 3\n", "ranker.tree"),
        (
            '[families.x]\nkind = "vectors"\nvariants = [{ kind = "popularity" }]\n',
            "need models of kind 'als'",
        ),
        ('[families.x]\nkind = "vectrs"\nvariants = [{ kind = "als" }]\n', "'vectrs' is not one"),
    ],
)
def test_a_wrong_menu_is_refused_and_the_place_named(tmp_path, text, says):
    file = tmp_path / "menu.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_menu(file)
    assert "menu.toml" in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("least", "most", "items", "suits"),
    [
        (None, None, 1, True),
        (None, 10, 10, True),
        (None, 10, 11, False),
        (5, None, 4, False),
        (5, None, 5, True),
        (5, 10, 7, True),
    ],
)
def test_a_family_suits_catalogues_of_its_size(least, most, items, suits):
    family = validated(
        Family,
        {
            "kind": "popular",
            "variants": [{"kind": "popularity"}],
            "least_items": least,
            "most_items": most,
        },
        where="test",
    )
    assert family.suits(items) is suits


def test_the_first_of_every_family_comes_first():
    menu = validated(Menu, SMALL, where="test")
    names = [variant.name for variant in variants_of(menu, 10)]
    assert names == ["repurchase-1", "popular-1", "alike", "repurchase-2", "popular-2"]
    for variant in variants_of(menu, 10):
        assert variant.source.model == variant.name


def test_without_times_what_fades_differently_is_the_same():
    menu = validated(Menu, SMALL, where="test")
    found = variants_of(menu, 10, timeless=True)
    assert [variant.name for variant in found] == ["repurchase", "popular", "alike"]
    assert all(variant.algorithm.half_life_days is None for variant in found)
