"""Eligibilities drawn at random, judged by plain Python over customers counted from raw events."""

from collections.abc import Iterator
from time import thread_time
from typing import Any

import numpy as np
import polars as pl

from recsys.data.dataset import Dataset
from recsys.offers.eligibility import Conditions
from recsys.offers.facts import Knowledge
from recsys.offers.offer import Offer
from recsys.offers.values import Audience, PastContacts
from recsys.pipeline.recommender import Recommender
from recsys.types import DAY_S, VISITOR_PREFIX, ItemId
from tests.qualification.rows import Row, at_most, equal, figure
from tests.random_filters import columns_of, random_case
from tests.unit.live.test_hostile_filters import HOSTILE

ELIGIBILITIES, AT_ONCE = 200, 20
SLOWEST_MS = 50


def rows(recommender: Recommender, dataset: Dataset, random: np.random.Generator) -> Iterator[Row]:
    """Yields how many eligibilities hold for other customers than plain Python says."""
    known = Knowledge.of(recommender)
    audience = everybody(recommender, random)
    told = counted(audience, known, dataset)
    frame = pl.DataFrame(told, infer_schema_length=None).with_columns(markets=None)
    yield figure("eligibility: customers", len(told))
    yield equal(
        "eligibility: columns that are looked at", len(frame.columns) - 1, len(known.schema())
    )
    columns = columns_of(frame, random)
    drawn = [random_case(columns, random) for _ in range(3 * ELIGIBILITIES)]
    cases = [case for case in drawn if not case.parameters][:ELIGIBILITIES]
    wrong, kept = 0, []
    for start in range(0, len(cases), AT_ONCE):
        part = cases[start : start + AT_ONCE]
        held = Conditions.of([_offer(case.text) for case in part], known).hold(audience)
        for place, case in enumerate(part):
            expected = [case.truth(row) is True for row in told]
            wrong += held[:, place].tolist() != expected
            kept.append(float(np.mean(expected)))
    yield equal("eligibility: random ones", len(cases), ELIGIBILITIES)
    yield figure(
        "eligibility: share of customers that the median one keeps", float(np.median(kept))
    )
    yield equal("eligibility: random ones that differ from plain Python", wrong, 0)
    yield from _hostile(known)


def everybody(recommender: Recommender, random: np.random.Generator) -> Audience:
    """Returns all customers of a bundle, with contacts that were drawn."""
    resolver = recommender.resolver
    ids = resolver.customers.series().to_list()
    now, count = resolver.states.scale.reference_time, len(ids)
    contacts = random.integers(0, 4, count).astype(np.int32)
    last = np.where(contacts > 0, now - random.integers(1, 90 * DAY_S, count), -1)
    past = PastContacts(contacts, contacts // 2, last, last)
    return Audience(ids, resolver.states, past, now)


def counted(audience: Audience, known: Knowledge, dataset: Dataset) -> list[dict[str, Any]]:
    """Returns each customer's columns, counted from the events one customer at a time."""
    events = dataset.events.select("customer_id", "item_id", "event_type", "event_time").collect()
    by_customer = events.drop_nulls("item_id").partition_by("customer_id", as_dict=True)
    items = {row["item_id"]: row for row in dataset.items.iter_rows(named=True)}
    attributes = {row["customer_id"]: row for row in dataset.customers.iter_rows(named=True)}
    found = []
    for place, name in enumerate(audience.customer_ids):
        own = by_customer.get((name,), events.clear())
        row: dict[str, Any] = dict.fromkeys(known.schema())
        row |= attributes.get(name, {})
        row |= {"customer_id": name, "is_visitor": name.startswith(VISITOR_PREFIX)}
        row |= _history(own, items, audience.query_time)
        row |= {"days_until_due": _due(own, known, audience.query_time)}
        labels = known.segments.labels.ids(known.segments.of(place))
        row["segments"] = labels
        row["rfm"] = next((each[4:] for each in labels if each.startswith("rfm=")), None)
        row["contacts"] = int(audience.past.contacts[place])
        row["redemptions"] = int(audience.past.redemptions[place])
        last = int(audience.past.last_contact_times[place])
        row["days_since_contact"] = None if last < 0 else (audience.query_time - last) / DAY_S
        found.append(row)
    return found


def _history(own: pl.DataFrame, items: dict[str, dict[str, Any]], now: int) -> dict[str, Any]:
    seen: set[tuple[str, object]] = set()
    bought: set[str] = set()
    times, touched = [], []
    for _, item_id, kind, moment in own.iter_rows():
        second = int(moment.timestamp())
        touched.append(second)
        if kind == "purchase":
            seen.add((item_id, moment.date()))
            bought.add(item_id)
            times.append(second)
    steps = {step for each in bought for step in items[each]["category"] or ()}
    brands = {items[each]["brand"] for each in bought} - {None}
    return {
        "purchases": len(seen),
        "purchased_items": len(bought),
        "days_since_purchase": (now - max(times)) / DAY_S if times else None,
        "days_since_event": (now - max(touched)) / DAY_S if touched else None,
        "bought_item_ids": sorted(bought),
        "bought_categories": sorted(steps),
        "bought_brands": sorted(brands),
    }


def _due(own: pl.DataFrame, known: Knowledge, now: int) -> float | None:
    """Returns in how many days the first item is due that was bought on two days or more."""
    times: dict[str, list[int]] = {}
    for _, item_id, kind, moment in own.iter_rows():
        if kind == "purchase":
            times.setdefault(item_id, []).append(int(moment.timestamp()))
    found = []
    for item_id, bought in times.items():
        days = len({time // DAY_S for time in bought})
        if days < 2 or known.forecaster is None:
            continue
        num = known.catalogue.items.number(ItemId(item_id))
        prior = known.forecaster.priors(np.array([num], dtype=np.int32))
        first, last = min(bought), max(bought)
        span = (last - first) / DAY_S
        interval = (float(prior.scale[0]) + span) / (float(prior.shape) + days - 1)
        due = last + round(interval * DAY_S)
        if now - due <= due - last:
            found.append((due - now) / DAY_S)
    return min(found, default=None)


def _hostile(known: Knowledge) -> Iterator[Row]:
    accepted, slowest = 0, 0.0
    for text in HOSTILE:
        offer = _offer("purchases > 0").model_copy(update={"eligibility": text})
        began = thread_time()
        refused = Conditions.of([offer], known).refused
        slowest = max(slowest, thread_time() - began)
        accepted += bool(text.strip()) and 0 not in refused
    yield figure("eligibility: hostile texts", len(HOSTILE))
    yield equal("eligibility: hostile texts that were accepted", accepted, 0)
    yield at_most("eligibility: slowest refusal, ms", 1_000 * slowest, SLOWEST_MS)


def _offer(eligibility: str) -> Offer:
    return Offer(offer_id="o", kind="content", channels=("email",), eligibility=eligibility)
