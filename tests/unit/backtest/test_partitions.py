from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recsys.backtest.partitions import item_prices, partitions, purchases
from recsys.backtest.slices import all_slices
from recsys.data.splits import Split, temporal_split
from recsys.protocols.cases import cases_for
from tests.shops import Event, day, tiny_shop

CATEGORIES = {"tea": ["drinks", "hot"], "milk": ["drinks"], "ham": ["meat"], "soap": None}
PRICES = {"tea": 3.0, "milk": 1.0, "ham": None, "soap": 9.0}


@pytest.fixture
def split() -> Split:
    """Six customers with 1 to 6 purchases before the cutoff, who then buy one thing each."""
    events = [Event(f"c{n}", "tea", number) for n in range(1, 7) for number in range(n)]
    events += [Event("c1", item, 3, kind="view") for item in ("milk", "ham", "soap")]
    wants = {"c1": "tea", "c2": "tea", "c3": "milk", "c4": "ham", "c5": "soap", "c6": "soap"}
    events += [Event(who, item, 31) for who, item in wants.items()]
    events += [Event("c1", "milk", 31), Event("c1", "ham", 31), Event("c1", "soap", 31)]
    shop = tiny_shop(events)
    items = shop.items.with_columns(
        category=pl.Series(
            [CATEGORIES[item] for item in shop.items["item_id"]], dtype=pl.List(pl.String)
        ),
        price=pl.Series([PRICES[item] for item in shop.items["item_id"]], dtype=pl.Float64),
    )
    customers = pl.DataFrame(
        {
            "customer_id": ["c1", "c2", "c3", "c4", "c6"],
            "region": ["north", "north", None, "south", "south"],
            "spend": [1.5, 2.5, 3.5, 4.5, 6.5],
            "volume": ["a", "a", "b", "b", "b"],
            "since": [day(0)] * 5,
            "blank": pl.Series([None] * 5, dtype=pl.String),
        }
    )
    return temporal_split(replace(shop, items=items, customers=customers), cutoff=day(30))


def labels(split: Split) -> dict[str, list[str | None]]:
    cases = cases_for("for_you", split, limit=3, seed=0)
    return {found.name: found.labels.to_list() for found in partitions(split, cases)}


def test_volume_is_counted_before_the_cutoff(split: Split) -> None:
    assert purchases(split).tolist() == [1, 2, 3, 4, 5, 6]
    assert labels(split)["volume"] == [
        *("light", "light", "middle", "middle", "heavy", "heavy"),
    ]


def test_the_category_is_that_of_most_right_items(split: Split) -> None:
    # c1 buys two drinks, meat and something without a category.
    assert labels(split)["bought category"] == ["drinks", "drinks", "drinks", "meat", None, None]


def test_the_price_is_that_of_the_right_items(split: Split) -> None:
    # Medians: c1 3 (of 1, 3, 9), c2 3, c3 1, c4 unknown, c5 and c6 9: nothing costs more.
    assert labels(split)["bought price"] == ["low", "low", "low", None, "middle", "middle"]


def test_attributes_are_taken_as_they_are_or_in_thirds(
    split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = labels(split)
    assert found["region"] == ["north", "north", None, "south", None, "south"]
    assert found["customer volume"] == ["a", "a", "b", "b", None, "b"]
    assert found["spend"] == ["1.5", "2.5", "3.5", "4.5", None, "6.5"]
    assert not {"since", "blank"} & set(found)
    monkeypatch.setattr("recsys.backtest.partitions.FEW_VALUES", 2)
    assert labels(split)["spend"] == ["low", "low", "middle", "middle", None, "high"]


def test_prices_that_the_catalogue_lacks_are_those_paid(split: Split) -> None:
    assert dict(zip(split.items.series(), item_prices(split).tolist(), strict=True)) == (
        pytest.approx({"ham": float("nan"), "milk": 1, "soap": 9, "tea": 3}, nan_ok=True)
    )
    paid = split.train.events.with_columns(
        unit_price=pl.when(item_id="ham", event_type="view").then(7.0).otherwise(5.0)
    )
    bought = paid.with_columns(event_type=pl.lit("purchase"))
    other = replace(split, train=replace(split.train, events=bought))
    assert np.isclose(item_prices(other), [7, 1, 9, 3]).all()


def test_slices_are_named_after_their_label_and_have_a_minimum(split: Split) -> None:
    cases = cases_for("for_you", split, limit=3, seed=0)
    found = all_slices(split, cases, min_customers=2)
    assert list(found.groups)[:2] == ["all", "new"]
    assert found.groups["region=north"].tolist() == [True, True] + [False] * 4
    assert "region=south" in found.groups
    assert "bought category=meat" not in found.groups
    named = {name.split("=")[0] for name in found.groups} - {"all"}
    assert named <= set(found.definitions)
    assert "2 purchases" in found.definitions["volume"]


def test_only_the_largest_labels_are_kept(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.backtest.slices.MAX_LABELS", 1)
    cases = cases_for("for_you", split, limit=3, seed=0)
    found = all_slices(split, cases, min_customers=1)
    assert [name for name in found.groups if name.startswith("customer volume")] == [
        "customer volume=b"
    ]
