"""Which items an offer is about."""

import numpy as np
import polars as pl
import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.events import ITEM_SCHEMA
from recsys.offers.offer import Offer, OfferKind
from recsys.offers.scopes import scoped

PATHS = {
    "a": ["drinks", "tea", "green"],
    "b": ["drinks", "coffee"],
    "c": None,
    "d": ["drinks", "tea"],
    "e": ["drinks"],
    "f": ["drinks and tea"],
}


@pytest.fixture
def catalogue() -> Catalogue:
    rows = [{"item_id": name, "category": path, "available": True} for name, path in PATHS.items()]
    return Catalogue.from_frame(pl.DataFrame(rows, schema=ITEM_SCHEMA))


def numbers(catalogue: Catalogue, **scope: object) -> list[int] | None:
    offer = Offer.model_validate(
        {"offer_id": "o", "kind": OfferKind.CONTENT, "channels": ["web"], "scope": scope}
    )
    found = scoped(offer, catalogue).item_nums
    if found is None:
        return None
    assert found.dtype == np.int32
    return found.tolist()


def test_items_are_numbered_ascending_and_unknown_ones_left_out(catalogue: Catalogue) -> None:
    assert numbers(catalogue, item_ids=["d", "nothing", "a"]) == [0, 3]
    assert numbers(catalogue, item_ids=["nothing"]) == []


def test_a_category_is_all_whose_path_begins_so(catalogue: Catalogue) -> None:
    assert numbers(catalogue, category=["drinks", "tea"]) == [0, 3]
    assert numbers(catalogue, category=["drinks"]) == [0, 1, 3, 4]
    assert numbers(catalogue, category=["tea"]) == []


def test_a_basket_names_no_items(catalogue: Catalogue) -> None:
    assert numbers(catalogue) is None
