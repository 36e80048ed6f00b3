"""The result of a campaign, case by case: who counts, what counts, and when nothing is said."""

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.errors import DataError
from recsys.online.campaign import CampaignResult, Verdict, campaign
from recsys.online.campaign_effects import METRICS, EffectVerdict, effects, smallest
from recsys.online.campaign_reading import outcomes, read_ledger
from recsys.online.ratios import change, difference
from recsys.store.contacts import Contact
from recsys.store.events import LogEvent
from recsys.store.open import open_store
from recsys.store.plans import PlanNote, Plans
from recsys.types import visitor_key
from tests.campaign_trial import OFFER, CampaignTrial, add_contacts, bought, store_trial
from tests.stores import DAY_US, NOON

WINDOW = 7 * DAY_US
PLAN = "plan-20240101t120000z-1a2b3c4d"


def contact(customer: str, *, name: str = "", held_out: bool = False, **given: object) -> Contact:
    base = {
        "contact_id": name or f"contact-{customer}",
        "customer_id": customer,
        "offer_id": OFFER.offer_id,
        "channel": "email",
        "choose_time": NOON,
        "held_out": held_out,
        "hold_out_share": 0.5,
        "contact_cost": 0 if held_out else 100_000,
        "cost": 0 if held_out else 100_000,
    }
    return Contact(**{**base, **given})


class Shop:
    """A store with an offer, filled by hand."""

    def __init__(self, folder: Path) -> None:
        self.url = f"store://{folder / 'store'}"
        store_trial(self.url, CampaignTrial(customers=1).rows(0).clear(), NOON)

    def add(self, *contacts: Contact, events: tuple[LogEvent, ...] = ()) -> None:
        store = open_store(self.url)
        store.append(events)
        store.close()
        add_contacts(self.url, contacts)

    def rows(self, **of: str) -> dict[str, tuple[bool, float, float, float]]:
        """Returns by customer: held out, bought, revenue, cost."""
        store = open_store(self.url, role="reader")
        ledger = read_ledger(store, **(of or {"offer_id": OFFER.offer_id}))
        rows, self.unpriced = outcomes(store, ledger, ledger.assigned, WINDOW)
        store.close()
        columns = ("customer", "held_out", "bought", "revenue", "cost")
        return {row[0]: row[1:] for row in rows.select(columns).iter_rows()}

    def result(self, **asked: object) -> CampaignResult:
        store = open_store(self.url, role="reader")
        asked = {"offer_id": OFFER.offer_id, "now": NOON + 30 * DAY_US, "window": WINDOW, **asked}
        found = campaign(store, **asked)
        store.close()
        return found


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def trial_result(tmp_path: Path, trial: CampaignTrial, seed: int, **asked: object):
    url = f"store://{tmp_path / f'store-{seed}'}"
    store_trial(url, trial.rows(seed), NOON)
    store = open_store(url, role="reader")
    asked = {"now": NOON + 30 * DAY_US, "window": WINDOW, **asked}
    found = campaign(store, offer_id=OFFER.offer_id, **asked)
    store.close()
    return found


def test_the_window_begins_with_the_draw_and_ends_before_its_length(shop: Shop) -> None:
    shop.add(
        contact("anna"),
        contact("ben", held_out=True),
        events=(
            bought("anna", NOON - 1, 1.0),
            bought("anna", NOON, 2.0),
            bought("anna", NOON + WINDOW - 1, 4.0),
            bought("anna", NOON + WINDOW, 8.0),
            bought("ben", NOON + WINDOW, 16.0),
            bought("carl", NOON + 1, 32.0),
        ),
    )
    assert shop.rows() == {"anna": (False, 1.0, 6.0, 0.1), "ben": (True, 0.0, 0.0, 0.0)}


def test_returns_are_taken_off_and_purchases_without_a_price_are_counted(shop: Shop) -> None:
    shop.add(
        contact("anna"),
        events=(
            bought("anna", NOON + 1, 10.0, units=3.0),
            bought("anna", NOON + 2, 10.0, kind="return"),
            bought("anna", NOON + 3, None),
            bought("anna", NOON + 4, 5.0, kind="view"),
        ),
    )
    assert shop.rows() == {"anna": (False, 1.0, 20.0, 0.1)}
    assert shop.unpriced == 1


def test_who_was_drawn_counts_whatever_became_of_the_contact(shop: Shop) -> None:
    """Leaving out cancelled or unsent contacts would filter one side alone."""
    shop.add(
        contact("anna", cancelled_time=NOON + 5, cost=0),
        contact("ben", sent_time=NOON + 1, redeemed_time=NOON + 2, cost=3_100_000),
        contact("carl", redeemed_time=NOON + WINDOW, cost=3_100_000),
    )
    assert shop.rows() == {
        "anna": (False, 0.0, 0.0, 0.0),
        "ben": (False, 0.0, 0.0, 3.1),
        "carl": (False, 0.0, 0.0, 0.1),
    }
    told = shop.result().deliveries
    assert (told.contacts, told.sent, told.redeemed, told.cancelled) == (3, 1, 2, 1)


def test_the_first_draw_counts_and_later_contacts_only_cost(shop: Shop) -> None:
    shop.add(
        contact("anna"),
        contact("anna", name="again", choose_time=NOON + DAY_US),
        contact("anna", name="after", choose_time=NOON + WINDOW),
        contact("ben", held_out=True),
        contact("ben", name="given", choose_time=NOON + DAY_US),
    )
    assert shop.rows() == {"anna": (False, 0.0, 0.0, 0.2), "ben": (True, 0.0, 0.0, 0.1)}
    assert shop.result().crossed == 1


def test_a_visitor_and_the_customer_are_one(shop: Shop) -> None:
    visitor = visitor_key("v1")
    shop.add(contact(visitor), events=(bought(visitor, NOON + 1, 3.0),))
    store = open_store(shop.url)
    store.append([bought("anna", NOON + 2, 4.0)])
    store.link_visitor("v1", "anna")
    store.close()
    assert shop.rows() == {"anna": (False, 1.0, 7.0, 0.1)}


def test_contacts_without_a_draw_count_nowhere(shop: Shop) -> None:
    shop.add(contact("anna", hold_out_share=0.0), contact("ben"), contact("carl", held_out=True))
    assert set(shop.rows()) == {"ben", "carl"}
    assert shop.result().undrawn == 1


def test_what_stands_in_for_a_planned_offer_draws_nobody(shop: Shop) -> None:
    """Only who opens a mail gets another offer in its place; held-out customers never do."""
    planned = contact(
        "anna", name=f"{PLAN}-000000001", plan_id=PLAN, cancelled_time=NOON + 1, cost=0
    )
    other = contact("anna", name=f"{PLAN}-000000001r1", plan_id=PLAN, choose_time=NOON + 1)
    shop.add(planned._replace(offer_id="gone"), other)
    assert shop.rows() == {}
    assert shop.rows(plan_id=PLAN) == {"anna": (False, 0.0, 0.0, 0.1)}


def test_without_a_hold_out_nothing_is_said(shop: Shop) -> None:
    shop.add(*(contact(f"c{number}", hold_out_share=0.0) for number in range(300)))
    found = shop.result()
    assert found.verdict is Verdict.NO_HOLD_OUT
    assert found.effects == []


def test_sizes_that_no_draw_gives_forbid_a_comparison(tmp_path: Path) -> None:
    rows = CampaignTrial(customers=4_000, lift=0.2).rows(1)
    # As if a tool had taken a fourth of the held-out customers out of the ledger.
    kept = rows.filter(~pl.col("held_out") | (pl.int_range(pl.len()) % 4 > 0))
    url = f"store://{tmp_path / 'store'}"
    store_trial(url, kept, NOON)
    store = open_store(url, role="reader")
    found = campaign(store, offer_id=OFFER.offer_id, now=NOON + 30 * DAY_US, window=WINDOW)
    store.close()
    assert found.verdict is Verdict.SAMPLE_RATIO
    assert found.sample_ratio.mismatch
    assert found.effects == []


def test_while_windows_are_open_it_is_too_early(tmp_path: Path) -> None:
    trial = CampaignTrial(customers=2_000, lift=0.2)
    for now, share in ((NOON + WINDOW - 1, 1.0), (NOON + WINDOW, 0.0)):
        name = tmp_path / str(now)
        found = trial_result(name, trial, 1, now=now)
        assert found.open_share == share
        assert (found.verdict is Verdict.TOO_EARLY) == (share > 0)
        assert found.ready_time == NOON + WINDOW
        assert bool(found.effects) == (share == 0)


def test_later_draws_can_be_left_out(shop: Shop) -> None:
    shop.add(
        *(contact(f"a{number}", held_out=number % 2 == 0) for number in range(40)),
        contact("late", choose_time=NOON + DAY_US),
    )
    asked = {"now": NOON + WINDOW + 1}
    assert shop.result(**asked).verdict is Verdict.TOO_EARLY
    assert shop.result(**asked).open_share == pytest.approx(1 / 21)
    before = shop.result(**asked, until=NOON + DAY_US)
    assert before.verdict is Verdict.TOO_FEW
    assert before.contacted.customers == 20
    assert shop.result(**asked, since=NOON + DAY_US).contacted.customers == 1


def test_too_few_customers_say_how_small_an_effect_could_be_seen(tmp_path: Path) -> None:
    found = trial_result(tmp_path, CampaignTrial(customers=300, lift=0.3), 1)
    assert found.verdict is Verdict.TOO_FEW
    assert found.effects == []
    assert 0.05 < found.smallest["conversion"] < 0.3


def test_a_planted_effect_is_found_and_none_is_not(tmp_path: Path) -> None:
    some = trial_result(tmp_path, CampaignTrial(lift=0.15), 1)
    assert some.verdict is Verdict.COMPARABLE
    by_metric = {each.metric: each for each in some.effects}
    assert list(by_metric) == list(METRICS)
    conversion = by_metric["conversion"]
    assert conversion.verdict is EffectVerdict.MORE
    assert conversion.difference.value == pytest.approx(0.15, abs=0.04)
    assert conversion.total.value == pytest.approx(
        conversion.difference.value * some.contacted.customers
    )
    assert conversion.change is not None
    assert conversion.change.value == pytest.approx(
        conversion.contacted.value / conversion.held_out.value - 1
    )
    assert by_metric["cost"].verdict is EffectVerdict.MORE
    none = trial_result(tmp_path, CampaignTrial(lift=0.0), 2)
    by_metric = {each.metric: each for each in none.effects}
    assert by_metric["conversion"].verdict is EffectVerdict.TOO_FEW
    assert by_metric["revenue"].verdict is EffectVerdict.TOO_FEW
    assert by_metric["gain"].difference.value < by_metric["revenue"].difference.value


@pytest.mark.parametrize("lift", [0.0, 0.05])
def test_intervals_hold_the_planted_effect(lift: float) -> None:
    trial, seeds = CampaignTrial(customers=2_000, lift=lift), 100
    truth, usual = trial.truth(), sum(trial.base) / 2
    held: Counter[str] = Counter()
    seen, least = 0, 0.0
    for seed in range(seeds):
        rows = trial.rows(seed)
        least += smallest(rows, 1.0)["conversion"] / seeds
        for each in effects(rows, 1.0):
            low, high = each.difference.low, each.difference.high
            assert low is not None
            assert high is not None
            held[each.metric] += low <= truth[each.metric] <= high
            seen += each.metric == "conversion" and each.verdict is not EffectVerdict.TOO_FEW
            if each.metric == "conversion":
                assert each.change is not None
                low, high = each.change.low, each.change.high
                assert low is not None
                assert high is not None
                held["uplift"] += low <= lift / usual <= high
    assert set(held) == {*METRICS, "uplift"}
    assert min(held.values()) >= 88, held
    if lift:
        assert lift < least
        assert 40 < seen < 100  # an effect near the smallest one is seen mostly, not always
    else:
        assert seen <= 12


def test_shares_that_changed_do_not_bend_the_comparison() -> None:
    """Half were held out of a dear first week, a tenth of a cheap second: no effect in either."""
    rng = np.random.default_rng(1)
    parts = []
    for share, level in ((0.5, 0.6), (0.1, 0.1)):
        held_out = rng.random(20_000) < share
        is_bought = (rng.random(20_000) < level).astype(float)
        columns = {"held_out": held_out, "share": share, "bought": is_bought}
        parts.append(pl.DataFrame({**columns, "revenue": is_bought * 10, "cost": 0.0}))
    rows = pl.concat(parts)
    plain = rows.group_by("held_out").agg(pl.col("bought").mean()).sort("held_out")["bought"]
    assert plain[1] - plain[0] > 0.15
    assert effects(rows, 1.0)[0].difference.value == pytest.approx(0.0, abs=0.03)


def test_the_uplift_leaves_out_nothing_exactly_where_the_difference_does() -> None:
    verdicts = set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        side = (rng.random(400) < 0.5).astype(float)
        value = rng.exponential(size=400) * (1 + 0.3 * side)
        sums = value * side, side, value * (1 - side), 1 - side
        plain, part = difference(*sums), change(*sums)
        assert plain.low is not None
        assert part is not None
        assert part.low is not None
        assert (plain.low > 0) == (part.low > 0)
        verdicts.add(plain.low > 0)
    assert verdicts == {True, False}


def test_a_plan_is_read_by_the_window_that_it_was_made_with(shop: Shop) -> None:
    store = open_store(shop.url)
    details = '{"result_window_days": 3}'
    Plans(store).begin(PlanNote(PLAN, NOON, NOON, 0, 0.0, 0.0, finished=False, details=details))
    Plans(store).finish(PLAN, row_count=1, expected_value=0.0, gap=0.0)
    store.close()
    shop.add(contact("anna", name=f"{PLAN}-000000001", plan_id=PLAN))
    of_plan = {"offer_id": "", "plan_id": PLAN}
    found = shop.result(**of_plan, window=None)
    assert found.window == found.registered_window == 3 * DAY_US
    found = shop.result(**of_plan)
    assert (found.window, found.registered_window) == (WINDOW, 3 * DAY_US)


def test_what_is_not_there_is_refused(shop: Shop) -> None:
    for asked, text in (
        ({"offer_id": "cake"}, "there is no offer 'cake'"),
        ({"offer_id": "", "plan_id": "cake"}, "there is no finished plan 'cake'"),
        ({}, "tea-week: has no contacts"),
    ):
        with pytest.raises(DataError, match=text):
            shop.result(**asked)
    for asked in ({"offer_id": ""}, {"plan_id": PLAN}, {"window": 0}):
        with pytest.raises(ValueError, match=r"must be above 0|and not both"):
            shop.result(**asked)
