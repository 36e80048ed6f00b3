"""What would have been right for each placement, and the item its page is about."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.data.splits import PURCHASE, Split
from recsys.protocols.mask import MASKABLE, Mask
from recsys.types import EVENT_CODES, EventType

VIEW = EVENT_CODES[EventType.VIEW]
PAIR = ["customer_num", "item_num"]
HIDDEN_SHARE = 1 / 3
"""Of a basket's distinct items, rounded: what a list of what is missing should find."""


@dataclass(frozen=True, slots=True)
class Task:
    """Right items as (customer_num, item_num), and the context items of each customer."""

    truth: pl.DataFrame
    context: pl.DataFrame | None = None
    names_customer: bool = False


def personal(split: Split, mask: Mask) -> Task:
    """All distinct items bought after the cutoff, without those that the mask leaves out."""
    truth = _bought_after(split)
    if mask is Mask.BOUGHT:
        truth = truth.join(_bought_before(split), on=PAIR, how="anti")
    elif mask is Mask.SEEN:
        truth = truth.join(split.before.select(PAIR).unique(), on=PAIR, how="anti")
    return Task(truth, names_customer=True)


def for_you(split: Split, rng: np.random.Generator) -> Task:
    """All distinct items bought after the cutoff, repeats of earlier purchases included."""
    del rng
    return personal(split, MASKABLE["for_you"])


def discover(split: Split, rng: np.random.Generator) -> Task:
    """Items bought after the cutoff that the customer had not bought before."""
    del rng
    return personal(split, MASKABLE["discover"])


def buy_again(split: Split, rng: np.random.Generator) -> Task:
    """Items that the customer bought before the cutoff and after."""
    del rng
    truth = _bought_after(split).join(_bought_before(split), on=PAIR, how="semi")
    return Task(truth, names_customer=True)


def popular(split: Split, rng: np.random.Generator) -> Task:
    """All distinct items bought after the cutoff, asked for nobody in particular."""
    del rng
    return Task(_bought_after(split))


def similar_items(split: Split, rng: np.random.Generator) -> Task:
    """What was bought after the cutoff, given the last item viewed or bought before.

    Among items of the same second one is drawn: the order of rows means nothing. The context
    item itself is no right answer.
    """
    touched = split.before.filter(pl.col("code").is_in([PURCHASE, VIEW]))
    latest = touched.filter(pl.col("time") == pl.col("time").max().over("customer_num"))
    context = _one_per_customer(latest.select(PAIR).unique(), rng)
    return Task(_bought_after(split).join(context, on=PAIR, how="anti"), context)


def bought_together(split: Split, rng: np.random.Generator) -> Task:
    """The rest of a basket, given one of its items.

    For each customer one basket after the cutoff with two items or more is drawn, then one of
    its items: each customer counts once, however often they shop.
    """
    rows = split.after.select("customer_num", "basket_num", "item_num").unique()
    baskets = rows.group_by("customer_num", "basket_num").len().filter(pl.col("len") > 1)
    drawn = _one_per_customer(baskets.select("customer_num", "basket_num"), rng)
    basket = rows.join(drawn, on=["customer_num", "basket_num"], how="semi").select(PAIR)
    context = _one_per_customer(basket, rng)
    return Task(basket.join(context, on=PAIR, how="anti"), context)


def complete_the_basket(split: Split, rng: np.random.Generator) -> Task:
    """A random third of a basket, given the rest of it and whose it is.

    For each customer one basket after the cutoff with two items or more is drawn, as for
    `bought_together`, then which of its items are hidden: at least one, never all.
    """
    rows = basket_rows(split)
    drawn = _one_per_customer(rows.select("customer_num", "basket_num").unique(), rng)
    basket = rows.join(drawn, on=["customer_num", "basket_num"], how="semi")
    truth, context = hidden_parts(basket, rng)
    return Task(truth.select(PAIR), context.select(PAIR), names_customer=True)


def basket_rows(split: Split) -> pl.DataFrame:
    """Returns customer_num, basket_num, item_num of all baskets after with two items or more."""
    rows = split.after.select("customer_num", "basket_num", "item_num").unique()
    return rows.filter(pl.len().over("customer_num", "basket_num") > 1)


def hidden_parts(
    baskets: pl.DataFrame, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Draws which items of each basket are hidden.

    Args:
        baskets: customer_num, basket_num, item_num, distinct; two items or more a basket.
        rng: the same draws for the same baskets, whatever the order of their rows.

    Returns:
        The hidden rows, a third of each basket but at least one, and the others.
    """
    keys = ["customer_num", "basket_num"]
    ordered = baskets.sort(*keys, "item_num")
    place = pl.col("draw").rank("ordinal").over(keys)
    wanted = (pl.len().over(keys) * HIDDEN_SHARE).round().clip(lower_bound=1)
    marked = ordered.with_columns(draw=pl.Series(rng.random(len(ordered)))).with_columns(
        hidden=place <= wanted
    )
    hidden = marked.filter("hidden").select(baskets.columns)
    return hidden, marked.filter(~pl.col("hidden")).select(baskets.columns)


PROTOCOLS: dict[str, Callable[[Split, np.random.Generator], Task]] = {
    "for_you": for_you,
    "discover": discover,
    "buy_again": buy_again,
    "similar_items": similar_items,
    "bought_together": bought_together,
    "complete_the_basket": complete_the_basket,
    "popular": popular,
}
"""By placement, in the order of reports."""


def _bought_after(split: Split) -> pl.DataFrame:
    return split.after.select(PAIR).unique()


def _bought_before(split: Split) -> pl.DataFrame:
    return split.before.filter(pl.col("code") == PURCHASE).select(PAIR).unique()


def _one_per_customer(rows: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Draws one row of each customer, the same one whatever the order of `rows`."""
    ordered = rows.sort(rows.columns)
    drawn = ordered.with_columns(draw=pl.Series(rng.random(len(ordered)))).filter(
        pl.col("draw") == pl.col("draw").max().over("customer_num")
    )
    return drawn.drop("draw")
