"""Ways to share out the customers of a back-test: by volume, by what they buy, by attribute."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.data.splits import PURCHASE, Split
from recsys.metrics.hits import ValueArray
from recsys.protocols.cases import Cases

FEW_VALUES = 12
"""A column of numbers with at most so many values is taken value by value, not in thirds."""
THIRDS = ("low", "middle", "high")


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """Each customer carries one label, or none."""

    name: str
    """What customers differ by, for example `region`."""
    definition: str
    labels: pl.Series
    """Shape (cases,) String; null where nothing is known."""


def partitions(split: Split, cases: Cases) -> list[Partition]:
    """Returns all ways in which the customers of some cases can be shared out.

    `volume` and the customer attributes say who they are, by what is known before the cutoff;
    `bought category` and `bought price` say what they then wanted, by their right items.
    """
    taken = [_volume(split, cases), _category(split, cases), _price(split, cases)]
    attributes = split.train.customers
    reserved = {partition.name for partition in taken}
    ids = pl.DataFrame({"customer_id": split.customers.series()[cases.customer_nums]})
    rows = ids.join(attributes, on="customer_id", how="left", maintain_order="left")
    for column in attributes.columns[1:]:
        name = f"customer {column}" if column in reserved else column
        found = _attribute(name, rows[column])
        taken += [found] if found is not None else []
    return [partition for partition in taken if partition.labels.null_count() < len(cases)]


def purchases(split: Split) -> ValueArray:
    """Returns how many purchases each customer made before the cutoff, shape (customers,)."""
    nums = split.before.filter(pl.col("code") == PURCHASE)["customer_num"].to_numpy()
    return np.bincount(nums, minlength=len(split.customers)).astype(np.float64)


def item_prices(split: Split) -> ValueArray:
    """Returns the catalogue's price of every item, else the median paid; NaN where neither is."""
    paid = (
        split.train.events.filter(pl.col("unit_price") > 0, event_type="purchase")
        .group_by("item_id")
        .agg(paid=pl.col("unit_price").median())
        .collect()
    )
    known = split.train.items.select("item_id", "price")
    rows = (
        pl.DataFrame({"item_id": split.items.series()})
        .join(known, on="item_id", how="left", maintain_order="left")
        .join(paid, on="item_id", how="left", maintain_order="left")
    )
    prices = rows.select(pl.coalesce("price", "paid").cast(pl.Float64).fill_null(float("nan")))
    return prices.to_series().to_numpy()


def _volume(split: Split, cases: Cases) -> Partition:
    counts = purchases(split)[cases.customer_nums]
    labels, bounds = _thirds(counts, ("light", "middle", "heavy"))
    definition = (
        f"light: at most {bounds[0]:,.0f} purchases before the cutoff, heavy: more than "
        f"{bounds[1]:,.0f}; a third of the customers each"
    )
    return Partition("volume", definition, labels)


def _category(split: Split, cases: Cases) -> Partition:
    catalogue = split.train.items.select("item_id", pl.col("category").list.first())
    ids = pl.DataFrame({"item_id": split.items.series()})
    widest = ids.join(catalogue, on="item_id", how="left", maintain_order="left")["category"]
    right = _right_items(cases).with_columns(label=widest[cases.truth_item_nums])
    most = (
        right.drop_nulls("label")
        .group_by("case", "label")
        .len()
        .sort("len", "label", descending=[True, False])
        .unique("case", keep="first", maintain_order=True)
    )
    definition = "the widest category of most of the right items"
    return Partition("bought category", definition, _by_case(cases, most))


def _price(split: Split, cases: Cases) -> Partition:
    right = _right_items(cases).with_columns(
        price=pl.Series(item_prices(split)[cases.truth_item_nums])
    )
    middle = right.group_by("case").agg(label=pl.col("price").drop_nans().median())
    paid = _by_case(cases, middle).cast(pl.Float64).fill_null(float("nan")).to_numpy()
    labels, bounds = _thirds(paid, THIRDS)
    definition = (
        f"the median price of the right items: low to {bounds[0]:,.2f}, high above "
        f"{bounds[1]:,.2f}; a third of the customers each"
    )
    return Partition("bought price", definition, labels)


def _attribute(name: str, column: pl.Series) -> Partition | None:
    if column.dtype.is_numeric() and column.n_unique() > FEW_VALUES:
        numbers = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        labels, bounds = _thirds(numbers, THIRDS)
        definition = f"low to {bounds[0]:,.6g}, high above {bounds[1]:,.6g}; a third each"
        return Partition(name, definition, labels)
    if column.dtype.is_nested() or column.dtype.is_temporal():
        return None
    return Partition(name, "as the customers' table says today", column.cast(pl.String))


def _thirds(values: ValueArray, names: tuple[str, ...]) -> tuple[pl.Series, ValueArray]:
    """Labels values by the third they lie in, NaN by none, and returns the two bounds.

    Equal values stay together, so the thirds need not be equally large.
    """
    known = ~np.isnan(values)
    if not known.any():
        return pl.Series([None] * len(values), dtype=pl.String), np.full(2, np.nan)
    bounds = np.quantile(values[known], [1 / 3, 2 / 3], method="inverted_cdf")
    places = np.searchsorted(bounds, values, side="left")
    labels = [names[place] if fine else None for place, fine in zip(places, known, strict=True)]
    return pl.Series(labels, dtype=pl.String), bounds


def _right_items(cases: Cases) -> pl.DataFrame:
    return pl.DataFrame({"case": np.repeat(np.arange(len(cases)), cases.truth_sizes)})


def _by_case(cases: Cases, labelled: pl.DataFrame) -> pl.Series:
    order = pl.DataFrame({"case": np.arange(len(cases))})
    return order.join(labelled, on="case", how="left", maintain_order="left")["label"]
