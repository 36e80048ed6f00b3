"""What caps, cooldowns and earlier contacts leave of a customer's room."""

import numpy as np

from recsys.live.contact_limits import ContactLimits
from recsys.offers.offer import Offer
from recsys.offers.plan_room import Past, contacts_of, cooling, purposes, room_at

DAY = 86_400_000_000
NOW = 1_000 * DAY


def past(*rows: tuple[int, int, str, float], held_out: tuple[int, ...] = ()) -> Past:
    """Contacts as customer, offer, channel and days before now."""
    names = ("email", "web", "app")
    return Past(
        np.array([row[0] for row in rows], np.int32),
        np.array([row[1] for row in rows], np.int32),
        np.array([names.index(row[2]) for row in rows], np.int32),
        np.array([NOW - int(row[3] * DAY) for row in rows], np.int64),
        np.isin(np.arange(len(rows)), held_out),
        np.full(len(rows), -1, np.int64),
        names,
    )


def room(caps: list[dict[str, object]], had: Past, channels: tuple[str, ...], most: int = 3):
    limits = ContactLimits.model_validate({"caps": caps})
    found = room_at(limits, had, 2, channels=channels, time=NOW, most=most)
    return found.room.tolist(), found.most.tolist()


def test_without_caps_there_is_room_for_the_plan_alone() -> None:
    assert room([], past((0, 0, "email", 1)), ("email", "web")) == ([[3, 3], [3, 3]], [3, 3])


def test_a_cap_on_a_channel_counts_its_own_contacts_of_its_days() -> None:
    had = past((0, 0, "email", 1), (0, 0, "email", 6), (0, 0, "email", 8), (0, 0, "web", 1))
    caps = [{"channels": ["email"], "most": 2, "days": 7}]
    assert room(caps, had, ("email", "web")) == ([[0, 3], [2, 3]], [3, 3])


def test_a_contact_that_lies_ahead_counts_too() -> None:
    caps = [{"channels": ["email"], "most": 1, "days": 7}]
    assert room(caps, past((1, 0, "email", -3)), ("email", "web"))[0] == [[1, 3], [0, 3]]


def test_a_cap_on_all_channels_counts_those_that_are_not_planned() -> None:
    caps = [{"most": 2, "days": 7}]
    assert room(caps, past((0, 0, "app", 1)), ("email", "web")) == ([[3, 3], [3, 3]], [1, 2])
    assert room(caps, past((0, 0, "app", 1)), ("email",))[1] == [1, 2]


def test_a_cap_on_other_channels_takes_nothing() -> None:
    caps = [{"channels": ["app"], "most": 0, "days": 7}]
    assert room(caps, past(), ("email",)) == ([[3], [3]], [3, 3])


def test_a_cap_is_never_exceeded_where_room_is_already_overdrawn() -> None:
    caps = [{"channels": ["email"], "most": 1, "days": 7}]
    had = past((0, 0, "email", 1), (0, 0, "email", 2))
    assert room(caps, had, ("email",))[0] == [[0], [1]]


def test_offers_cool_down() -> None:
    base = {"kind": "content", "channels": ["email"]}
    offers = [
        Offer.model_validate({**base, "offer_id": "a", "cooldown_days": 2}),
        Offer.model_validate({**base, "offer_id": "b"}),
    ]
    had = past((0, 0, "email", 1), (1, 0, "email", 3), (1, 1, "email", 0.1), (0, -1, "web", 0.1))
    rows, places = cooling(offers, had, NOW)
    assert (rows.tolist(), places.tolist()) == ([0], [0])


def test_facts_of_contacts_leave_out_the_held_out_and_what_lies_ahead() -> None:
    had = past((0, 0, "email", 2), (0, 0, "web", 1), (1, 0, "email", 1), held_out=(2,))
    had = had._replace(redeemed_times=np.array([NOW - DAY, -1, -1]))
    found = contacts_of(had, 2, NOW)
    assert found.contacts.tolist() == [2, 0]
    assert found.redemptions.tolist() == [1, 0]
    assert found.last_contact_times.tolist() == [(NOW - DAY) // 1_000_000, -1]
    assert found.last_redemption_times.tolist() == [(NOW - DAY) // 1_000_000, -1]


def test_channels_need_their_consent() -> None:
    limits = ContactLimits.model_validate({"email_channels": ["email", "letter"]})
    assert purposes(limits, ("letter", "web")) == {
        "letter": "use_in_email",
        "web": "recommend_on_site",
    }
