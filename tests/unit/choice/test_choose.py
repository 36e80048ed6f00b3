"""The choice on the small shop, with a menu that takes a second."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recsys.assembly import FitConfig
from recsys.backtest.significance import Interval
from recsys.choice import choose as module
from recsys.choice.automatic import automatic, choose_for, usual_budget
from recsys.choice.choose import Choice, choose
from recsys.choice.gather import Fits, fit_variants
from recsys.choice.menu import Menu
from recsys.choice.search import LEAST_GAIN
from recsys.choice.second_stage import Trial
from recsys.choice.tables import choice_tables
from recsys.choice.written import figures
from recsys.config import validated
from recsys.data.dataset import Dataset
from recsys.data.events import EVENT_SCHEMA
from recsys.data.progress import silent
from recsys.errors import DataError
from recsys.fitting.config import load_config
from recsys.models.item_item import ItemItem
from recsys.pipeline.query import Query
from recsys.protocols.mask import Mask
from recsys.protocols.temporal import temporal
from tests.small_shop import END, START, shop_dataset
from tests.unit.choice.menus import SMALL, printed

PLENTY = 600.0


def menu(**changes: object) -> Menu:
    return validated(Menu, {**SMALL, **changes}, where="test")


@pytest.fixture(scope="module")
def shop() -> Dataset:
    return shop_dataset()


@pytest.fixture(scope="module")
def chosen(shop: Dataset) -> Choice:
    return choose_for(shop, load_config(), menu(), budget_seconds=PLENTY)


def test_the_chosen_blend_beats_what_it_is_made_of(chosen):
    assert [each.placement for each in chosen.placements] == ["for_you", "discover"]
    for each in chosen.placements:
        best = each.steps[-1].value
        assert [step.value for step in each.steps] == sorted(step.value for step in each.steps)
        assert each.customers > 20
        for alternative in each.alternatives:
            assert alternative.value <= best * (1 + 3 * LEAST_GAIN)
    assert chosen.left_out == {}
    assert set(chosen.fit_seconds) == {
        "repurchase-1",
        "repurchase-2",
        "popular-1",
        "popular-2",
        "alike",
    }


def test_what_is_chosen_stands_in_the_configuration(chosen):
    for each in chosen.placements:
        placement = chosen.config.placements[each.placement]
        assert len(placement.sources) == len(each.blend.weights)
        assert max(use.weight for use in placement.sources) == 1.0
        assert (placement.boost is None) == (each.blend.boost is None)
        assert placement.fill == load_config().placements[each.placement].fill


def test_what_was_not_chosen_for_stays_as_it_was(chosen):
    base = load_config()
    for name in ("buy_again", "similar_items", "bought_together", "popular"):
        assert chosen.config.placements[name] == base.placements[name]
        for use in base.placements[name].sources:
            source = chosen.config.sources[use.name]
            assert source == base.sources[use.name]
            assert chosen.config.models[source.model] == base.models[source.model]


def test_the_same_data_choose_the_same(shop, chosen):
    again = choose_for(shop, load_config(), menu(), budget_seconds=PLENTY)
    assert again.config == chosen.config
    assert again.placements[0].steps == chosen.placements[0].steps


def test_another_seed_and_other_data_are_still_a_choice(shop):
    few = choose_for(shop, load_config(), menu(), budget_seconds=PLENTY, seed=5)
    assert few.config.placements.keys() == load_config().placements.keys()


def test_without_time_the_first_variant_and_few_customers_still_choose(shop):
    choice = choose_for(shop, load_config(), menu(ranker={}), budget_seconds=1e-6)
    assert len(choice.fit_seconds) == 1
    rankers = {f"ranker of {chosen.placement}" for chosen in choice.placements}
    tried_not = {"popular-1", "popular-2", "alike", "repurchase-2"}
    assert rankers
    assert set(choice.left_out) == rankers | tried_not
    assert choice.rankers == {}
    assert all(why.startswith("about ") for why in choice.left_out.values())
    assert "No time for" in printed(choice_tables(choice))


@pytest.mark.parametrize(("horizon_days", "share"), [(15, 0.25), (10_000, 0.65)])
def test_the_time_of_a_ranker_without_a_past_goes_to_fits(shop, monkeypatch, horizon_days, share):
    given = []

    def noted(*asked: object, seconds: float, **more: object) -> Fits:
        given.append(seconds)
        return fit_variants(*asked, seconds=seconds, **more)

    monkeypatch.setattr(module, "fit_variants", noted)
    ranker = {"horizon_days": horizon_days, "trees": 5, "cut_offs": 1, "customers": 50}
    choice = choose_for(shop, load_config(), menu(ranker=ranker), budget_seconds=PLENTY)
    assert given == [pytest.approx(share * PLENTY)]
    assert bool(choice.rankers) == (horizon_days == 15)


def test_a_variant_that_cannot_be_fitted_is_left_out_and_named(shop, monkeypatch):
    def broken(*_: object) -> None:
        message = "the [solver] ran out of memory"
        raise DataError(message)

    monkeypatch.setattr(ItemItem, "fit", broken)
    choice = choose_for(shop, load_config(), menu(), budget_seconds=PLENTY)
    assert choice.failed == {"alike": "the [solver] ran out of memory"}
    assert "Left out alike: the [solver] ran out of memory" in printed(choice_tables(choice))
    assert figures(choice)["failed"] == choice.failed


def test_a_menu_with_nothing_that_finds_anything_keeps_the_base(shop):
    nothing = {"families": {"alike": {"kind": "neighbours", "variants": [{"kind": "item-item"}]}}}
    wide = {**nothing["families"]["alike"], "least_items": 1_000}
    choice = choose_for(
        shop,
        load_config(),
        validated(Menu, {"families": {"alike": wide}}, where="test"),
        budget_seconds=PLENTY,
    )
    assert choice.placements == ()
    assert choice.config == load_config()


def test_a_ranker_that_does_not_surely_win_is_not_used(shop):
    """What people of the small shop choose is drawn: trees have nothing to learn there."""
    ranker = {"horizon_days": 15, "trees": 10, "cut_offs": 2, "customers": 100}
    choice = choose_for(shop, load_config(), menu(ranker=ranker), budget_seconds=PLENTY)
    assert set(choice.rankers) == {"for_you", "discover"}
    for name, trial in choice.rankers.items():
        assert trial.gain.low <= 0
        assert not trial.used
        assert choice.config.placements[name].ranker is None
        blend = next(each for each in choice.placements if each.placement == name)
        assert trial.blend == pytest.approx(blend.steps[-1].value, rel=0.05)
    text = printed(choice_tables(choice))
    assert "not used: not surely better" in text
    assert figures(choice)["rankers"]["for_you"]["used"] is False


def test_a_ranker_that_wins_is_used(monkeypatch, shop):
    found = {"for_you": Trial(0.2, Interval(0.02, 0.01, 0.03))}
    monkeypatch.setattr(module, "try_rankers", lambda *_, **__: found)
    wanted = menu(ranker={"trees": 7})
    choice = choose_for(shop, load_config(), wanted, budget_seconds=PLENTY)
    assert choice.config.placements["for_you"].ranker == wanted.ranker
    assert choice.config.placements["discover"].ranker is None
    assert "over the blend: used" in printed(choice_tables(choice))


def test_a_ranker_of_another_placement_stays(shop):
    base = load_config()
    mine = validated(Menu, {**SMALL, "ranker": {"trees": 3}}, where="test").ranker
    placements = {
        name: placement.model_copy(update={"ranker": mine})
        if name in {"buy_again", "for_you"}
        else placement
        for name, placement in base.placements.items()
    }
    ranked = base.model_copy(update={"placements": placements})
    choice = choose_for(shop, ranked, menu(), budget_seconds=PLENTY)
    assert choice.config.placements["buy_again"].ranker == mine
    assert choice.config.placements["for_you"].ranker is None, "the blend it ranked is gone"


def test_only_placements_that_there_are(shop):
    base = load_config()
    only = base.model_copy(update={"placements": {"discover": base.placements["discover"]}})
    choice = choose_for(shop, only, menu(), budget_seconds=PLENTY)
    assert list(choice.config.placements) == ["discover"]


def test_too_little_to_cut_is_a_data_error(shop):
    nobody = replace(shop, events=shop.events.filter(pl.col("event_type") == "view"))
    with pytest.raises(DataError):
        choose_for(nobody, load_config(), menu(), budget_seconds=PLENTY)


def test_where_time_cannot_tell_drawn_items_do(shop, chosen):
    events = shop.events.with_columns(event_time=pl.lit(START).cast(EVENT_SCHEMA["event_time"]))
    choice = choose_for(replace(shop, events=events), load_config(), menu(), budget_seconds=PLENTY)
    [only] = choice.placements
    assert (only.placement, choice.drawn, chosen.drawn) == ("discover", True, False)
    assert "alike" in only.blend.weights, "who drinks tea buys tea, at whatever time"
    assert choice.config.placements["for_you"] == load_config().placements["for_you"]
    assert "judged by a fifth of each customer's items" in printed(choice_tables(choice))
    assert "judged by a fifth" not in printed(choice_tables(chosen))
    assert figures(choice)["drawn"] is True


def first_visit() -> pl.Expr:
    return pl.col("event_time") == pl.col("event_time").min().over("customer_id")


def test_customers_who_come_once_still_say_what_goes_together(shop):
    """A ranker is tried, and has nothing to learn from."""
    once = replace(shop, events=shop.events.filter(first_visit()))
    wanted = menu(ranker={"horizon_days": 15, "trees": 5, "cut_offs": 1, "customers": 50})
    choice = choose_for(once, load_config(), wanted, budget_seconds=PLENTY)
    assert choice.drawn
    assert [each.placement for each in choice.placements] == ["discover"]
    assert not any(trial.used for trial in choice.rankers.values())


def test_a_contender_chooses_by_drawn_items_as_training_would(shop):
    """All come back after the cut-off, none before: what is evaluated is what training does."""
    moment = START.replace(month=2, day=10)
    late = pl.col("event_time") >= moment
    twice = replace(shop, events=shop.events.filter(first_visit() | late))
    held = temporal(twice, cutoff=moment)
    told: list[Choice] = []
    contender = automatic(
        "default",
        load_config(),
        menu(),
        held,
        placements=("for_you", "discover"),
        budget_seconds=PLENTY,
        told=told.append,
        unable=unexpected,
    )
    contender.build(silent)
    trained = choose_for(held.split.train, load_config(), menu(), budget_seconds=PLENTY)
    assert [each.drawn for each in told] == [True]
    assert told[0].placements[0].steps == trained.placements[0].steps


@pytest.mark.parametrize(
    ("events", "seconds"), [(0, 600), (999_999, 600), (1_000_000, 600), (10_000_000, 6_000)]
)
def test_the_usual_budget(events, seconds):
    assert usual_budget(events) == pytest.approx(seconds, rel=1e-3)


def with_another_future(dataset: Dataset, moment, seed: int) -> Dataset:
    random = np.random.default_rng(seed)
    events = dataset.events.collect()
    late = events.select(pl.col("event_time") >= moment).to_series()
    drawn = pl.Series(random.choice(dataset.items["item_id"].to_numpy(), size=len(events)))
    events = events.with_columns(item_id=pl.when(late).then(drawn).otherwise("item_id"))
    return replace(dataset, events=events.lazy())


def test_what_is_measured_later_never_matters_to_the_choice(shop):
    """Events after the inner split's end are other ones: the choice is the same, bit for bit."""
    moment = START.replace(month=3, day=10)
    choices = []
    for seed in (1, 2):
        held = temporal(with_another_future(shop, moment, seed), cutoff=moment)
        choices.append(
            choose(held.inner(held.split), load_config(), menu(), budget_seconds=PLENTY)
        )
    one, two = choices
    assert one.config == two.config
    assert one.placements[0].steps == two.placements[0].steps
    assert one.placements[0].alternatives == two.placements[0].alternatives


def unexpected(error: DataError) -> None:
    raise error


def test_a_contender_with_nothing_to_choose_by_is_fitted_as_it_is(shop):
    """Everybody bought once before the cut-off: no inner split has two sides."""
    events = shop.events.collect()
    moment = START.replace(month=3, day=10)
    late = pl.col("event_time") >= moment
    once = pl.concat([events.filter(~late).head(1), events.filter(late)])
    who = once["customer_id"][0]
    once = once.filter((pl.col("customer_id") == who) | ~late)
    more = once.head(1).with_columns(event_time=pl.lit(END), event_id=pl.lit("x"))
    tiny = replace(shop, events=pl.concat([once, more]).lazy())
    reasons: list[DataError] = []
    contender = automatic(
        "default",
        load_config(),
        menu(),
        temporal(tiny, cutoff=moment),
        placements=("for_you",),
        budget_seconds=PLENTY,
        told=lambda _: pytest.fail("there is nothing to choose by"),
        unable=reasons.append,
    )
    [found] = contender.build(silent).recommend([Query("for_you", int(END.timestamp()), who)])
    assert len(reasons) == 1
    assert found.items


@pytest.mark.parametrize("mask", [None, Mask.BOUGHT])
def test_as_a_contender_it_tells_and_then_fits_everything(shop, mask):
    held = temporal(shop, cutoff=START.replace(month=3, day=10), mask=mask)
    told: list[Choice] = []
    contender = automatic(
        "default",
        load_config(),
        menu(),
        held,
        placements=("for_you", "popular"),
        budget_seconds=PLENTY,
        told=told.append,
        unable=unexpected,
    )
    assert contender.name == "default"
    answers = contender.build(silent)
    [choice] = told
    assert [each.placement for each in choice.placements] == ["for_you"]
    [found] = answers.recommend([Query("for_you", int(END.timestamp()), "customer-01", limit=5)])
    assert len(found.items) == 5


def test_nothing_to_choose_for_is_fitted_as_it_is(shop):
    held = temporal(shop, cutoff=START.replace(month=3, day=10))
    told: list[Choice] = []
    contender = automatic(
        "default",
        load_config(),
        menu(),
        held,
        placements=("popular",),
        budget_seconds=PLENTY,
        told=told.append,
        unable=unexpected,
    )
    [found] = contender.build(silent).recommend([Query("popular", int(END.timestamp()))])
    assert (told, len(found.items)) == ([], 10)


def test_the_base_is_a_fit_config(chosen):
    assert FitConfig.model_validate(chosen.config.model_dump()) == chosen.config
