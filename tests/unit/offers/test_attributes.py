"""Attributes of offers become columns of one kind each, or text."""

import pytest

from recsys.errors import DataError
from recsys.offers.attributes import AttributeKind, attribute_columns, kinds_of
from recsys.offers.offer import Offer

TEXT, NUMBER, FLAG = AttributeKind


def offer(offer_id: str = "tea", **attributes: object) -> Offer:
    given = {"offer_id": offer_id, "kind": "content", "channels": ("email",)}
    return Offer.model_validate({**given, "attributes": attributes})


def test_values_of_one_kind_keep_it_and_others_are_text() -> None:
    offers = [
        offer(a=1, b=True, c="x", d=1, e=None, f=2**60, g={"x": 1.0}),
        offer(a=2.5, b=None, d="x"),
    ]
    kinds = kinds_of(offers)
    assert kinds == {
        "a": NUMBER,
        "b": FLAG,
        "c": TEXT,
        "d": TEXT,
        "e": TEXT,
        "f": TEXT,
        "g": TEXT,
    }
    assert list(attribute_columns(offers[0], kinds).values()) == [
        *(1.0, True, "x", "1", None, "1152921504606846976", '{"x": 1}')
    ]
    assert list(attribute_columns(offers[1], kinds).values()) == [
        *(2.5, None, None, "x", None, None, None)
    ]


def test_an_offer_that_changed_its_kind_meanwhile_is_refused() -> None:
    kinds = kinds_of([offer(points=3)])
    with pytest.raises(DataError, match=r"attribute 'points' was a number .* is 'many' now"):
        attribute_columns(offer(points="many"), kinds)
