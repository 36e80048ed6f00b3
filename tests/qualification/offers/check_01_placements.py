"""Check 1: every placement on The Complete Journey: an example, its latency, its figures."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import numpy as np
import polars as pl

from recsys.assembly import assemble
from recsys.backtest.baselines import baselines
from recsys.backtest.forecasts import forecast_quality
from recsys.backtest.run import judge
from recsys.backtest.significance import bootstrap
from recsys.data.dataset import Dataset
from recsys.data.splits import Split, temporal_split
from recsys.fitting.config import FitConfig, load_config
from recsys.fitting.fit import fit
from recsys.fitting.reduce import needed
from recsys.metrics.ndcg import ndcg_at
from recsys.metrics.recall import recall_at
from recsys.pipeline.answers import CustomersQuery
from recsys.pipeline.customers import recommend_customers
from recsys.pipeline.labels import recommend_labels
from recsys.pipeline.query import Query, RecentEvent
from recsys.pipeline.recommender import Recommender
from recsys.protocols.cases import cases_for
from recsys.types import EventType
from tests.qualification.offers import shop_placements
from tests.qualification.offers.hidden_baskets import Found, found, gain, hidden_baskets
from tests.qualification.reads import note
from tests.qualification.room import Room
from tests.qualification.rows import Row, above, at_most, figure

CUTOFF, MIN_ITEM_EVENTS, K, SEED = datetime(2017, 12, 4, tzinfo=UTC), 5, 20, 0
CALLS, WARM_UP = 220, 20
CALIBRATION_ERROR = {"all": 0.01, "shown": 0.03}
"""By how much probabilities may be off, of all pairs and of those in lists. Told four weeks
earlier, within the training side, they were off by 0.003 and 0.012 at most."""
WITH_CONTEXT = 3
"""Context items of the calls whose time is taken."""


def run(room: Room) -> Iterator[Row]:
    """Fits the default configuration on what lay before the cutoff, and asks all placements."""
    dataset = shop_placements.with_paid_prices(Dataset.open(room.demo_data()), CUTOFF)
    split = temporal_split(dataset, cutoff=CUTOFF, min_item_events=MIN_ITEM_EVENTS)
    room.step("fit the default configuration")
    recommender = _fitted(load_config(), split)
    for placement in recommender.placements:
        yield from _asked(placement, recommender, split)
    last = dataset.events.select(pl.col("event_time").max().dt.epoch("s")).collect().item()
    yield from _noted(_bought_again(recommender, split, last + 1, room.step))
    room.step("fit plain co-occurrence")
    together = _fitted(baselines()["co-occurrence"], split)
    yield from _noted(_bought_together(recommender, together, split))
    yield from _noted(_completed(recommender, together, split, room.step))
    yield from _noted(shop_placements.rows(recommender, split, room.step))


def _noted(rows: Iterable[Row]) -> Iterator[Row]:
    what = f"complete-journey cutoff={CUTOFF:%Y-%m-%d} min_item_events={MIN_ITEM_EVENTS}"
    return note("qualify-offers", what, rows)


def _fitted(config: FitConfig, split: Split) -> Recommender:
    return assemble(fit(split.train, config, end_time=split.cutoff).pipeline, "judged")


def _asked(placement: str, recommender: Recommender, split: Split) -> Iterator[Row]:
    """Shows what one call is answered with, and how long many take, one at a time."""
    ask = _caller(placement, recommender, split)
    times = []
    draw = np.random.default_rng(SEED)
    for customer in draw.integers(len(split.customers), size=CALLS).tolist():
        began = time.perf_counter()
        ask(customer)
        times.append((time.perf_counter() - began) * 1e3)
    yield Row(check=f"{placement}: an example", value=ask(0), bar="not empty", holds=bool(ask(0)))
    for share in (50, 99):
        yield figure(f"{placement}: p{share}, ms", float(np.percentile(times[WARM_UP:], share)))


def _caller(placement: str, recommender: Recommender, split: Split) -> Callable[[int], str]:
    """Returns what asks a placement for a customer and shows the answer's first three parts."""
    config, now = recommender.placement_configs[placement], split.cutoff_time
    bought = split.before.group_by("customer_num").agg(pl.col("item_num").unique().sort())
    items = dict(bought.iter_rows())

    def titles(item_ids: list[str]) -> str:
        nums = recommender.catalogue.items.numbers(item_ids).tolist()
        rows = recommender.catalogue.rows(nums, ["title"])
        return ", ".join(str(title) for (title,) in rows)

    def context(customer: int) -> tuple[str, ...]:
        return tuple(split.items.id(num) for num in items[customer][:WITH_CONTEXT])

    def query(customer: int) -> Query:
        ids = context(customer) if config.seeds == "context" else ()
        who = split.customers.id(customer)
        # The log has purchases alone: what was bought stands in for what is looked at.
        views = tuple(RecentEvent(each, EventType.VIEW, now - 60) for each in context(customer))
        events = views if placement == "recently_viewed" else ()
        return Query(placement, now, who, limit=K, context_item_ids=ids, events=events)

    def of_items(customer: int) -> str:
        [told] = recommender.recommend([query(customer)])
        return titles([item.item_id for item in told.items[:3]])

    def of_labels(customer: int) -> str:
        [told] = recommend_labels(recommender, [query(customer)])
        return ", ".join("/".join(label.label) for label in told.labels[:3])

    def of_customers(customer: int) -> str:
        asked = CustomersQuery(placement, context(customer)[0], now, limit=K)
        told = recommend_customers(recommender, asked)
        return ", ".join(one.customer_id for one in told.customers[:3])

    return {"items": of_items, "labels": of_labels, "customers": of_customers}[config.answers]


def _bought_again(
    recommender: Recommender, split: Split, end_time: int, step: Callable[[str], None]
) -> Iterator[Row]:
    cases = cases_for("buy_again", split, limit=K, seed=SEED)
    judged = judge(recommender, split, cases)
    yield figure(f"buy_again recall@{K}", recall_at(judged.hits, judged.truth_sizes, K).mean())
    yield figure(f"buy_again ndcg@{K}", ndcg_at(judged.hits, judged.truth_sizes, K).mean())
    step("tell everybody when items are needed again")
    for told in forecast_quality(recommender, split, end_time=end_time, limit=K):
        name = f"buy_again, {told.days} days, {told.which}"
        yield figure(f"{name}: pairs", told.pairs)
        yield figure(f"{name}: probability told, mean", told.expected)
        yield figure(f"{name}: bought, share", told.happened)
        yield at_most(f"{name}: calibration error", told.error, CALIBRATION_ERROR[told.which])
        yield above(f"{name}: Brier skill", told.brier_skill, 0)
        yield figure(f"{name}: AUC", told.auc)


def _bought_together(
    recommender: Recommender, together: Recommender, split: Split
) -> Iterator[Row]:
    cases = cases_for("bought_together", split, limit=K, seed=SEED)
    values = []
    for name, asked in (("ours", recommender), ("plain co-occurrence", together)):
        judged = judge(asked, split, cases)
        values.append(ndcg_at(judged.hits, judged.truth_sizes, K))
        yield figure(f"bought_together ndcg@{K}, {name}", values[-1].mean())
        recall = recall_at(judged.hits, judged.truth_sizes, K)
        yield figure(f"bought_together recall@{K}, {name}", recall.mean())
    [interval] = bootstrap((values[0] - values[1])[:, None], seed=SEED)
    yield figure("bought_together, gain over plain co-occurrence", interval.value)
    yield above("bought_together, the gain's lower end", interval.low, 0)
    yield figure("bought_together, the gain's upper end", interval.high)


def _completed(
    recommender: Recommender,
    together: Recommender,
    split: Split,
    step: Callable[[str], None],
) -> Iterator[Row]:
    baskets = hidden_baskets(split, limit=K, seed=SEED)
    yield figure("complete_the_basket: baskets", len(baskets.queries))
    popularity = _fitted(needed(baselines()["popularity"], ["complete_the_basket"]), split)
    nobody = baskets.without_customers()
    asked = {
        "ours": (recommender, baskets),
        "ours, customer unknown": (recommender, nobody),
        "popularity": (popularity, nobody),
        "plain co-occurrence": (together, nobody),
    }
    figures: dict[str, Found] = {}
    for name, (who, carts) in asked.items():
        figures[name] = found(who, split, carts, limit=K, step=step)
        yield figure(f"complete_the_basket ndcg@{K}, {name}", figures[name].ndcg.mean())
        yield figure(f"complete_the_basket recall@{K}, {name}", figures[name].recall.mean())
    for name in ("popularity", "plain co-occurrence"):
        for mine in ("ours", "ours, customer unknown"):
            interval = gain(figures[mine], figures[name], seed=SEED)
            yield figure(f"complete_the_basket {mine}, gain over {name}", interval.value)
            yield above(f"complete_the_basket {mine}, lower end over {name}", interval.low, 0)
