"""Lines: kinds of models of the menu's families, with their ranges."""

from hypothesis import given
from hypothesis import strategies as st

from recsys.choice.menu import Menu, load_menu
from recsys.config import validated
from recsys.tuning.lines import Line, again, lines_of, named
from recsys.tuning.spaces import load_spaces
from tests.unit.choice.menus import SMALL

MENU, SPACES = load_menu(), load_spaces()


def line(name: str, *, timeless: bool = False) -> Line:
    return next(
        each for each in lines_of(MENU, SPACES, 10_000, timeless=timeless) if each.name == name
    )


def test_every_kind_of_every_family_that_suits_is_a_line():
    names = {each.name for each in lines_of(MENU, SPACES, 10_000)}
    assert {"taste/als", "taste/ials", "linear/ease", "sparse_linear/slim"} <= names
    small = {each.name for each in lines_of(MENU, SPACES, 1_000)}
    large = {each.name for each in lines_of(MENU, SPACES, 100_000)}
    assert "sparse_linear/slim" not in small
    assert "linear/ease" not in large


def test_kinds_without_ranges_are_left_as_the_menu_has_them():
    only = load_spaces().model_copy(update={"models": {"ease": SPACES.models["ease"]}})
    assert [each.name for each in lines_of(MENU, only, 10_000)] == ["linear/ease"]


def test_without_times_nothing_fades():
    fading = line("same_customers/item-item")
    assert "half_life_days" in fading.ranges
    timeless = line("same_customers/item-item", timeless=True)
    assert "half_life_days" not in timeless.ranges
    assert timeless.template.half_life_days is None
    assert timeless.template.over == fading.template.over


@given(st.data())
def test_a_drawn_model_has_its_settings_and_leads_back(data):
    at = data.draw(st.sampled_from(lines_of(MENU, SPACES, 10_000)))
    drawn = {
        name: data.draw(
            st.integers(int(limits.low), int(limits.end))
            if name in at.whole
            else st.floats(limits.low, limits.end)
        )
        for name, limits in at.ranges.items()
    }
    variant = at.variant(drawn)
    for name, limits in at.ranges.items():
        assert getattr(variant.algorithm, name) == limits.value(drawn[name])
    back = at.drawn(variant.algorithm)
    assert back is not None
    assert at.variant(back) == variant
    dumped = variant.algorithm.model_dump(mode="json")
    assert again(at.family, dumped, MENU) == variant


def test_other_models_have_other_names():
    ease = line("linear/ease")
    one, other = ease.variant({"regularization": 100.0}), ease.variant({"regularization": 101.0})
    assert one.name.startswith("linear-")
    assert one.name != other.name
    assert one.source.model == one.name
    assert named("linear", one.algorithm, ease.source).name == one.name


def test_what_the_ranges_do_not_reach_leads_nowhere():
    ease = line("linear/ease")
    assert ease.drawn(ease.template) == {"regularization": 500.0}
    far = ease.template.model_copy(update={"regularization": 1e6})
    assert ease.drawn(far) is None
    other = ease.template.model_copy(update={"item_limit": 7})
    assert ease.drawn(other) is None


def test_a_menu_of_ones_own_is_searched():
    menu = validated(Menu, SMALL, where="test")
    assert [each.name for each in lines_of(menu, SPACES, 48)] == [
        "repurchase/repurchase",
        "popular/popularity",
        "alike/item-item",
    ]
