import pytest

from recsys.assembly import FitConfig
from recsys.choice.gather import Variant, variants_of
from recsys.choice.menu import Menu
from recsys.choice.search import Blend
from recsys.choice.settled import settled
from recsys.config import validated
from recsys.fitting.config import load_config
from tests.unit.choice.menus import SMALL


@pytest.fixture
def base() -> FitConfig:
    return load_config()


@pytest.fixture
def variants() -> dict[str, Variant]:
    menu = validated(Menu, SMALL, where="test")
    return {variant.name: variant for variant in variants_of(menu, 100)}


def uses(config: FitConfig, placement: str) -> dict[str, float]:
    return {use.name: use.weight for use in config.placements[placement].sources}


def test_a_variant_that_the_base_has_keeps_its_name_there(base, variants):
    """Other placements ask the very same: one model, fitted once."""
    found = settled(base, {"for_you": Blend({"repurchase-1": 2.0, "popular-1": 0.5})}, variants)
    assert uses(found, "for_you") == {"repurchase": 1.0, "popular": 0.25}
    assert found.sources["popular"] == base.sources["popular"]
    assert set(found.models) <= set(base.models)


def test_a_name_that_others_use_is_not_taken(base, variants):
    found = settled(base, {"for_you": Blend({"repurchase-2": 1.0, "popular-2": 1.0})}, variants)
    assert uses(found, "for_you") == {"repurchase-2": 1.0, "popular-2": 1.0}
    assert found.models["repurchase-2"].half_life_days == 30
    assert found.models["popular-2"].half_life_days is None
    assert found.models["repurchase"] == base.models["repurchase"]
    assert found.placements["buy_again"] == base.placements["buy_again"]


def test_alone_of_its_family_a_variant_has_the_familys_name(base, variants):
    found = settled(base, {"discover": Blend({"alike": 1.0}, ("popular-2", 0.3))}, variants)
    assert uses(found, "discover") == {"alike": 1.0}
    assert found.sources["alike"].model == "alike"
    boost = found.placements["discover"].boost
    assert boost is not None
    assert (boost.name, boost.power) == ("popular-2", 0.3)


def test_what_nobody_asks_any_more_goes(base, variants):
    only = base.model_copy(update={"placements": {"for_you": base.placements["for_you"]}})
    found = settled(only, {"for_you": Blend({"alike": 1.0})}, variants)
    assert set(found.sources) == {"alike", "popular", "popular_in_segment"}
    assert set(found.models) == {"alike", "popularity"}


def test_a_freed_name_is_used_again(base, variants):
    """Nobody else asks `repurchase`, so the chosen one is called so."""
    only = base.model_copy(update={"placements": {"for_you": base.placements["for_you"]}})
    found = settled(only, {"for_you": Blend({"repurchase-2": 1.0})}, variants)
    assert uses(found, "for_you") == {"repurchase": 1.0}
    assert found.models["repurchase"].half_life_days == 30


def test_two_placements_share_what_both_chose(base, variants):
    blends = {
        "for_you": Blend({"repurchase-2": 1.0, "alike": 0.5}),
        "discover": Blend({"alike": 1.0}),
    }
    found = settled(base, blends, variants)
    assert uses(found, "for_you").keys() & uses(found, "discover").keys() == {"alike"}


def test_a_choice_can_be_chosen_anew(base, variants):
    """Its names are taken by then, by other models."""
    first = settled(base, {"for_you": Blend({"repurchase-2": 1.0})}, variants)
    kept = first.model_copy(
        update={"placements": {**first.placements, "mine": first.placements["for_you"]}}
    )
    other = dict(variants)
    slower = variants["repurchase-2"].algorithm.model_copy(update={"half_life_days": 77.0})
    other["repurchase-2"] = Variant(
        "repurchase-2", "repurchase", slower, variants["repurchase-2"].source
    )
    again = settled(kept, {"for_you": Blend({"repurchase-2": 1.0})}, other)
    assert uses(again, "mine") == {"repurchase-2": 1.0}
    assert again.models["repurchase-2"].half_life_days == 30
    assert uses(again, "for_you") == {"repurchase-2-chosen-2": 1.0}
    assert again.models["repurchase-2-chosen-2"].half_life_days == 77


def test_a_weight_may_be_tiny_but_never_nothing(base, variants):
    found = settled(base, {"for_you": Blend({"alike": 1.0, "popular-2": 3.21049e-7})}, variants)
    assert uses(found, "for_you")["popular-2"] == 3.21e-7
    assert FitConfig.model_validate(found.model_dump()) == found


def test_heavier_sources_stand_first(base, variants):
    found = settled(base, {"for_you": Blend({"alike": 0.1, "popular-2": 0.4})}, variants)
    assert list(uses(found, "for_you").items()) == [("popular-2", 1.0), ("alike", 0.25)]
