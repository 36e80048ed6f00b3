"""Groups of customers: one label per configured attribute, and one from recency and spending."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from recsys.data.events import event_type_code
from recsys.data.vocabulary import Vocabulary
from recsys.errors import ConfigError
from recsys.types import EVENT_CODES, CustomerId, EventType, NumArray, OffsetArray

RFM_CLASSES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """Which labels each customer carries; customer c has label_nums[offsets[c]:offsets[c + 1]]."""

    labels: Vocabulary[str]
    """Labels like `income=50-74K` and `rfm=321`."""
    offsets: OffsetArray
    label_nums: NumArray

    def of(self, customer_num: int) -> NumArray:
        """Returns the label numbers of one customer, ascending."""
        return self.label_nums[self.offsets[customer_num] : self.offsets[customer_num + 1]]

    def matrix(self) -> csr_array:
        """Returns customers x labels, 1 where a customer carries a label, float32."""
        ones = np.ones(len(self.label_nums), dtype=np.float32)
        shape = (len(self.offsets) - 1, len(self.labels))
        return csr_array((ones, self.label_nums, self.offsets), shape=shape)


def build_segments(
    customers: Vocabulary[CustomerId],
    attributes: pl.DataFrame,
    events: pl.LazyFrame,
    columns: Sequence[str],
) -> Segments:
    """Labels customers by their attributes and by what they bought.

    Args:
        customers: who gets labels.
        attributes: `CUSTOMER_SCHEMA` and attribute columns.
        events: canonical events, all before the end of training.
        columns: attribute columns that make segments.

    Raises:
        ConfigError: a column is not among the attributes.
    """
    missing = [column for column in columns if column not in attributes.columns]
    if missing:
        known = ", ".join(attributes.columns[1:]) or "none"
        message = f"segments.columns names {', '.join(missing)}; customers have: {known}"
        raise ConfigError(message, columns=",".join(missing))
    labelled = [
        attributes.lazy()
        .filter(pl.col(column).is_not_null())
        .select("customer_id", label=pl.lit(f"{column}=") + pl.col(column).cast(pl.String))
        for column in columns
    ]
    table = pl.concat([*labelled, rfm_labels(events)]).collect()
    table = table.with_columns(customer=pl.Series(customers.numbers(table["customer_id"]))).filter(
        pl.col("customer") >= 0
    )
    labels: Vocabulary[str] = Vocabulary.from_ids(table["label"])
    table = table.with_columns(number=pl.Series(labels.numbers(table["label"])))
    table = table.select("customer", "number").unique().sort("customer", "number")
    counts = np.bincount(table["customer"].to_numpy(), minlength=len(customers))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Segments(labels, offsets, table["number"].to_numpy())


def rfm_labels(events: pl.LazyFrame) -> pl.LazyFrame:
    """Labels buyers by recency, frequency and money, each a third of the buyers: 3 is the best.

    Recency is the last purchase, frequency the days with a purchase, money the amount spent
    (Hughes, Strategic Database Marketing, 1994; thirds instead of fifths, for small shops).

    Returns:
        Columns customer_id and label, `rfm=` and three digits.
    """

    def third(column: str) -> pl.Expr:
        place = (pl.col(column).rank("average") - 0.5) / pl.len()
        return (
            (place * RFM_CLASSES)
            .floor()
            .cast(pl.Int8)
            .cast(pl.String)
            .replace_strict({str(n): str(n + 1) for n in range(RFM_CLASSES)})
        )

    buyers = (
        events.filter(event_type_code() == EVENT_CODES[EventType.PURCHASE])
        .group_by("customer_id")
        .agg(
            recency=pl.col("event_time").max(),
            frequency=pl.col("event_time").dt.date().n_unique(),
            money=(pl.col("quantity") * pl.col("unit_price").fill_null(0.0)).sum(),
        )
        # Sums of floats differ in the last bits with the order of rows.
        .with_columns(pl.col("money").round(2))
    )
    digits = [third(column) for column in ("recency", "frequency", "money")]
    return buyers.select("customer_id", label=pl.concat_str(pl.lit("rfm="), *digits))
