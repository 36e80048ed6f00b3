"""Check 2: filters and rule sets on Complete Journey against plain Python, and hostile filters."""

from collections.abc import Iterator
from dataclasses import replace
from time import thread_time

import numpy as np
import polars as pl
from grpc import StatusCode

from recsys.assembly import load_recommender
from recsys.bundle import current
from recsys.data.dataset import Dataset
from recsys.errors import InvalidFilterError
from recsys.live.eligibility import Eligibility
from recsys.live.filter_parameters import to_parameters
from recsys.live.filters import compile_filter
from recsys.live.rules import Strictness
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.types import CustomerId
from serving.errors import CATALOGUE
from tests.qualification.offers import random_eligibility
from tests.qualification.room import Room
from tests.qualification.rows import Row, at_least, at_most, equal, figure
from tests.random_filters import Column, columns_of, random_case
from tests.random_rules import Words, random_rules
from tests.rule_ground import Ground
from tests.rule_oracle import Oracle
from tests.unit.live.test_hostile_filters import HOSTILE

FILTERS, SETS, SEED = 1_000, 200, 2
PLACEMENTS = ("for_you", "discover", "buy_again", "popular")
HOSTILE_PARAMETERS = (
    *(f"price < {sign}x" for sign in ("? ", "$", "@", "#", "::", ": ", ":'", ":1", "::x:", "{")),
    *(f":x {rest}" for rest in ("", "= :x", "IN :x", "IS NULL", "(1)", "price", ", 1")),
)
SLOWEST_MS = 50


def run(room: Room) -> Iterator[Row]:
    """Compares masks of all items, then lists, item by item."""
    recommender = load_recommender(current(room.demo_bundles()))
    random = np.random.default_rng(SEED)
    yield figure("items", len(recommender.catalogue))
    room.step("filters")
    yield from filters(recommender, random)
    room.step("rule sets")
    yield from rule_sets(recommender, Dataset.open(room.demo_data()), random)
    room.step("eligibilities")
    yield from random_eligibility.rows(recommender, Dataset.open(room.demo_data()), random)
    room.step("hostile filters")
    yield from hostile(recommender)


def filters(recommender: Recommender, random: np.random.Generator) -> Iterator[Row]:
    """Yields how many random filters keep other items than plain Python."""
    frame = recommender.catalogue.frame
    rows = frame.drop("markets").to_dicts()
    eligibility = Eligibility(frame, cache_size=1)
    columns = columns_of(frame, random)
    wrong = bound = 0
    kept = []
    for _ in range(FILTERS):
        case = random_case(columns, random)
        bound += bool(case.parameters)
        mask = eligibility.mask(case.text, None, to_parameters(case.parameters))
        expected = [case.truth(row) is True and row["available"] for row in rows]
        wrong += mask.tolist() != expected
        kept.append(float(mask.mean()))
    yield figure("random filters", FILTERS)
    yield figure("of them with parameters", bound)
    yield figure("share of items that the median filter keeps", float(np.median(kept)))
    yield equal("random filters that differ from plain Python", wrong, 0)


def words_of(columns: list[Column], frame: pl.DataFrame, now: int, ground: Ground) -> Words:
    """Returns what rules of this catalogue can say; tells the oracle what filters mean."""
    random = np.random.default_rng(SEED)
    texts: list[str] = []
    for _ in range(40):
        case = random_case([each for each in columns if each.kind != "flags"], random, depth=2)
        if case.parameters:
            continue
        texts.append(case.text)
        truth = case.truth
        ground.filters = {**ground.filters, case.text: lambda row, t=truth: t(row) is True}
    by_count = frame["item_id"].sample(300, seed=SEED).to_list()
    return Words(
        filters=texts,
        named={},
        parameters={},
        columns=[("brand", None), ("category", 1), ("category", 2), ("category", None)],
        item_ids=by_count,
        stock=None,
        now=now,
    )


def rule_sets(
    recommender: Recommender, data: Dataset, random: np.random.Generator
) -> Iterator[Row]:
    """Yields how many lists by random rule sets differ from plain Python."""
    events = data.events.select("customer_id", "item_id", "event_type", "event_time").collect()
    now = recommender.trained_until
    ground = Ground(recommender, events, {})
    frame = recommender.catalogue.frame
    words = words_of(columns_of(frame, random), frame, now, ground)
    customers = sorted(ground.purchases)
    wrong = changed = relaxed = 0
    for _ in range(SETS):
        rules = random_rules(words, random)
        query = Query(
            placement=str(random.choice(PLACEMENTS)),
            query_time=now,
            customer_id=CustomerId(customers[int(random.integers(len(customers)))]),
            limit=int(random.choice([5, 10, 20])),
        )
        strictness = Strictness(str(random.choice(list(Strictness))))
        expected = Oracle(ground, query, rules.rules, strictness).expected()
        asked = replace(query, rules=rules, strictness=strictness)
        plain, told = recommender.recommend([query, asked])
        ids = [item.item_id for item in told.items]
        wrong += ids != expected.item_ids or list(told.relaxed_rules) != expected.relaxed
        changed += ids != [item.item_id for item in plain.items]
        relaxed += bool(told.relaxed_rules)
    yield figure("random rule sets", SETS)
    yield figure("of them that changed their list", changed)
    yield figure("of them in which a rule gave way", relaxed)
    yield equal("lists that differ from plain Python", wrong, 0)


def hostile(recommender: Recommender) -> Iterator[Row]:
    """Yields what becomes of texts that are no filters."""
    schema = recommender.catalogue.frame.drop("markets").schema
    texts = [*HOSTILE, *HOSTILE_PARAMETERS]
    slowest, refused, placed = 0.0, 0, 0
    for text in texts:
        seconds = []
        for _ in range(3):
            start = thread_time()
            try:
                compile_filter(text, schema)
            except InvalidFilterError as error:
                found = error
                seconds.append(thread_time() - start)
        refused += len(seconds) == 3
        placed += len(seconds) == 3 and 0 <= found.position <= len(text)
        slowest = max(slowest, min(seconds, default=0.0))
    code = CATALOGUE[InvalidFilterError.reason].code
    yield at_least("malformed and hostile filters", len(texts), 200)
    yield equal("refused with a position", min(refused, placed), len(texts))
    yield equal("as INVALID_ARGUMENT", str(code is StatusCode.INVALID_ARGUMENT), "True")
    yield at_most("slowest, processor time in ms", slowest * 1000, SLOWEST_MS)
