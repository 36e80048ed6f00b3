"""Figures of the placements that show a shop: what is new, rising or reduced, and for whom."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from recsys.data.dataset import Dataset
from recsys.data.splits import Split
from recsys.fitting.first_stage import training_side
from recsys.models.trend import Trend
from recsys.pipeline.answers import CustomersQuery
from recsys.pipeline.customers import recommend_customers
from recsys.pipeline.labels import recommend_labels
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.weeks import WEEK_S, week_start
from recsys.pipeline.worth import Worth, interest, plain
from recsys.types import CustomerId, EventType, ItemId
from tests.qualification.rows import Row, above, at_least, at_most, figure

K = 20
ASKED = 300
"""Customers, spread over all."""
AUDIENCE, LEAST_BUYERS, ITEMS = 100, 20, 100
"""Customers told about an item, buyers that it must find, and items asked about."""
WEEKS = 4
PRICE_DAYS = 28
SEED = 0

Step = Callable[[str], None]


def with_paid_prices(dataset: Dataset, until: datetime) -> Dataset:
    """Returns the data with prices in the catalogue, as they were paid before a moment.

    The Complete Journey has no list of prices. An item's price is the median paid in the last
    four weeks, its list price what nine of ten paid at most in all the time before.
    """
    late = pl.col("event_time") >= until - timedelta(days=PRICE_DAYS)
    paid = (
        dataset.events.filter((pl.col("event_time") < until) & (pl.col("unit_price") > 0))
        .group_by("item_id")
        .agg(
            price=pl.col("unit_price").filter(late).median().round(2),
            list_price=pl.col("unit_price").quantile(0.9).round(2),
        )
        .collect()
    )
    items = dataset.items.drop("price", "list_price").join(paid, on="item_id", how="left")
    return replace(dataset, items=items.select(dataset.items.columns))


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Customers who are asked for, and what each bought afterwards."""

    customers: Sequence[CustomerId]
    truths: Sequence[frozenset[str]]

    @classmethod
    def of(cls, split: Split) -> "Known":
        """Takes customers spread over all."""
        ids = np.array(split.items.series().to_list(), dtype=object)
        chosen = np.unique(np.linspace(0, len(split.customers) - 1, ASKED).astype(int))
        bought = dict(split.after.group_by("customer_num").agg("item_num").iter_rows())
        return cls(
            [split.customers.id(num) for num in chosen.tolist()],
            [frozenset(ids[bought[num]]) for num in chosen.tolist()],
        )


def rows(recommender: Recommender, split: Split, step: Step) -> Iterator[Row]:
    """Judges lists by what was bought after the cutoff."""
    known, now = Known.of(split), split.cutoff_time
    step("ask for what is new, reduced, picked and titled")
    popular = _hits(recommender, known, "popular", now)
    yield figure(f"popular: bought of {K}", popular)
    titled = _hits(recommender, known, "because_you_bought", now)
    unbought = _hits(_unbought(recommender, "popular"), known, "popular", now)
    yield figure(f"because_you_bought: bought of {K}, none bought before", titled)
    yield figure(f"popular: bought of {K}, none bought before", unbought)
    yield from _titles(recommender, known, now)
    yield from _new_and_reduced(recommender, known, now)
    step("ask for the picks of four weeks")
    yield from _picks(recommender, known, now)
    step("see what rises on")
    yield from _rising(recommender, split)
    step("ask for labels")
    yield from _labels(recommender, known, now)
    step("ask whom to tell")
    yield from _whom(recommender, split)


def _hits(recommender: Recommender, known: Known, placement: str, now: int) -> float:
    """Returns how many items of a list were bought, on average."""
    counts = [
        len(truth & set(_list(recommender, placement, customer, now)))
        for customer, truth in zip(known.customers, known.truths, strict=True)
    ]
    return float(np.mean(counts))


def _list(
    recommender: Recommender, placement: str, customer: CustomerId, now: int
) -> list[ItemId]:
    [told] = recommender.recommend([Query(placement, now, customer_id=customer, limit=K)])
    return [item.item_id for item in told.items]


def _unbought(recommender: Recommender, placement: str, **changes: object) -> Recommender:
    """Returns a recommender whose placement leaves out what was bought, or differs otherwise."""
    config = recommender.placement_configs[placement]
    other = config.model_copy(update={"exclude": "bought", **changes})
    return replace(
        recommender, placement_configs={**recommender.placement_configs, placement: other}
    )


def _titles(recommender: Recommender, known: Known, now: int) -> Iterator[Row]:
    titles = []
    for customer in known.customers:
        query = Query("because_you_bought", now, customer_id=customer, limit=K)
        titles.append(recommender.recommend([query])[0].title)
    anchors = [title.item_ids[0] for title in titles if title is not None]
    yield at_least(
        "because_you_bought: share of lists with a title", len(anchors) / len(titles), 1
    )
    yield figure("because_you_bought: different purchases as titles", len(set(anchors)))


def _new_and_reduced(recommender: Recommender, known: Known, now: int) -> Iterator[Row]:
    """Compares with the popular ones among the same items."""
    for placement in ("new_arrivals", "on_sale"):
        config = recommender.placement_configs[placement]
        popular = config.model_copy(
            update={"sources": recommender.placement_configs["popular"].sources}
        )
        configs = {**recommender.placement_configs, placement: popular}
        by_popularity = replace(recommender, placement_configs=configs)
        ours, theirs = (
            _hits(each, known, placement, now) for each in (recommender, by_popularity)
        )
        yield figure(f"{placement}: bought of {K}, the popular ones first", theirs)
        yield above(f"{placement}: bought of {K}", ours, theirs)


def _picks(recommender: Recommender, known: Known, now: int) -> Iterator[Row]:
    yield figure(f"discover: bought of {K}", _hits(recommender, known, "discover", now))
    yield figure(f"weekly_picks: bought of {K}", _hits(recommender, known, "weekly_picks", now))
    changed, repeated = 0, 0
    for customer in known.customers:
        weeks = []
        for week in range(WEEKS):
            start = week_start(now) + week * WEEK_S
            first = _list(recommender, "weekly_picks", customer, start)
            last = _list(recommender, "weekly_picks", customer, start + WEEK_S - 1)
            changed += first != last
            weeks.append(first)
        repeated += WEEKS * K - len(set().union(*weeks))
    yield at_most("weekly_picks: lists that changed within a week", changed, 0)
    yield at_most(f"weekly_picks: picks that came again within {WEEKS} weeks", repeated, 0)


def _rising(recommender: Recommender, split: Split) -> Iterator[Row]:
    """Measures by the two weeks after the cutoff how far listed items rose beyond their past."""
    config, end = Trend(), split.cutoff + timedelta(days=Trend().window_days)
    before = split.train.events.select("customer_id", "item_id", "event_time")
    after = split.after.select(
        customer_id=pl.Series(split.customers.ids(split.after["customer_num"].to_numpy())),
        item_id=pl.Series(split.items.ids(split.after["item_num"].to_numpy())),
        event_time=pl.from_epoch("time", "s").cast(pl.Datetime("us", "UTC")),
    ).filter(pl.col("event_time") < end)
    events = _purchases(split.train, pl.concat([before.collect(), after]))
    _, data = training_side(replace(split.train, events=events), (), (), end)
    lifts = config.fit(data).scores
    for placement in ("trending", "popular"):
        [told] = recommender.recommend([Query(placement, split.cutoff_time, limit=K)])
        ids = [item.item_id for item in told.items]
        lift = lifts[data.interactions.items.numbers(ids)]
        yield figure(f"{placement}: customers two weeks later, of those expected", lift.mean())


def _purchases(train: Dataset, rows: pl.DataFrame) -> pl.LazyFrame:
    """Returns events of all canonical columns."""
    schema = train.events.collect_schema()
    given = {"event_id", "customer_id", "item_id", "event_time", "event_type", "quantity"}
    return (
        rows.lazy()
        .with_row_index("number")
        .with_columns(
            event_id=pl.col("number").cast(pl.String),
            event_type=pl.lit(EventType.PURCHASE.value),
            quantity=pl.lit(1.0),
        )
        .with_columns(
            pl.lit(None, schema[name]).alias(name) for name in schema if name not in given
        )
        .select(pl.col(name).cast(schema[name]) for name in schema)
        .sort("event_time", "event_id")
    )


def _labels(recommender: Recommender, known: Known, now: int) -> Iterator[Row]:
    for placement in ("categories_for_you", "brands_for_you"):
        config = recommender.placement_configs[placement]
        if config.labels is None:
            raise AssertionError(placement)
        labels = recommender.catalogue.labels(config.labels.column, config.labels.depth)
        figures: dict[str, list[float]] = {"known": [], "nobody": []}
        for customer, truth in zip(known.customers, known.truths, strict=True):
            nums = labels.label_nums[recommender.catalogue.items.numbers(sorted(truth))]
            bought = {labels.labels[num] for num in nums.tolist() if num >= 0}
            for who, customer_id in (("known", customer), ("nobody", None)):
                query = Query(placement, now, customer_id=customer_id, limit=10)
                [told] = recommend_labels(recommender, [query])
                shown = {each.label for each in told.labels}
                figures[who].append(len(shown & bought) / len(shown))
        ours, popular = float(np.mean(figures["known"])), float(np.mean(figures["nobody"]))
        if len(labels.labels) > len(set(labels.labels[:10])):
            yield above(f"{placement}: share of 10 that was bought from", ours, popular)
        else:
            yield figure(f"{placement}: share of all that was bought from", ours)


def _whom(recommender: Recommender, split: Split) -> Iterator[Row]:
    """Compares with the most active customers, and with the item's own buyers."""
    resolver, now = recommender.resolver, split.cutoff_time
    counts = split.after.group_by("item_num").agg(pl.col("customer_num").unique())
    asked = counts.filter(pl.col("customer_num").list.len() >= LEAST_BUYERS).sort("item_num")
    asked = asked.sample(min(ITEMS, len(asked)), seed=SEED)
    purchases = {EventType.PURCHASE: 1.0}
    items = len(recommender.catalogue)
    every = Worth(np.ones(items, np.float32), purchases, None, plain)
    activity = interest(resolver.states, items, every, now)
    active = resolver.customers.ids(np.argsort(-activity, kind="stable").astype(np.int32))
    shares: dict[str, list[float]] = {"ours": [], "active": [], "ours, new": [], "active, new": []}
    for item_num, buyers in asked.iter_rows():
        item_id = split.items.id(item_num)
        truth = {split.customers.id(num) for num in buyers}
        new = replace(CustomersQuery("customers_for_item", item_id, now), exclude_buyers=True)
        told = recommend_customers(recommender, replace(new, exclude_buyers=False))
        shares["ours"].append(_share(truth, [each.customer_id for each in told.customers]))
        shares["active"].append(_share(truth, active[:AUDIENCE]))
        fresh = recommend_customers(recommender, replace(new, limit=10_000)).customers
        fresh_ids = [each.customer_id for each in fresh]
        if not truth & set(fresh_ids):
            continue
        shares["ours, new"].append(_share(truth, fresh_ids[:AUDIENCE]))
        others = set(fresh_ids)
        active_new = [each for each in active if each in others][:AUDIENCE]
        shares["active, new"].append(_share(truth, active_new))
    for suffix, who in (("", ""), (", new", ", who never did")):
        ours, plain_ones = (
            float(np.mean(shares[f"{name}{suffix}"])) for name in ("ours", "active")
        )
        name = f"customers_for_item: share of {AUDIENCE} who bought it{who}"
        yield figure(f"{name}, the most active", plain_ones)
        yield above(name, ours, plain_ones)


def _share(truth: set[CustomerId], told: Sequence[CustomerId]) -> float:
    return len(truth & set(told)) / AUDIENCE
