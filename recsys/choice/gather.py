"""Fits what is on the menu while there is time, and asks all of it about known customers."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.assembly import AlgorithmConfig, FitConfig, FittedPipeline, SourceConfig, assemble
from recsys.choice.costs import expected_seconds
from recsys.choice.evidence import Evidence, stack
from recsys.choice.menu import Menu
from recsys.data.progress import Progress
from recsys.data.splits import Split
from recsys.errors import ConfigError, DataError
from recsys.fitting.first_stage import fit_index, training_side
from recsys.index.config import IndexConfig
from recsys.pipeline.placements import PlacementConfig, SourceUse
from recsys.pipeline.recommender import Recommender
from recsys.protocols.cases import Cases

CANDIDATES = 60
"""Best items taken from each variant; those of all the others come on top."""
LEAST_CUSTOMERS = 300
"""Asked even when time has run out: fewer would choose by chance."""
EXACT = IndexConfig(kind="flat")
"""A graph would only blur the comparison."""


_SHORTEST_S = 0.01
"""Less than this is not known of a fit beforehand: it is as slow as its kin was."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One model on the menu, under a name of its own."""

    name: str
    family: str
    algorithm: AlgorithmConfig
    source: SourceConfig


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """What was fitted, and what was not."""

    recommender: Recommender
    """Of the fitted variants: each is a source under its name."""
    variants: Mapping[str, Variant]
    """Those fitted, by name."""
    seconds: Mapping[str, float]
    left_out: Mapping[str, str]
    """Those there was no time for, by name: about how long they would have taken."""
    failed: Mapping[str, str]
    """Those that cannot be fitted here, by name: why."""


def variants_of(menu: Menu, items: int, *, timeless: bool = False) -> list[Variant]:
    """Returns the variants that suit a catalogue, the first of every family first.

    Args:
        menu: what there is.
        items: of the catalogue.
        timeless: everything happened at one moment: variants that differ in how they fade are one.
    """
    found: list[tuple[int, Variant]] = []
    for family, config in menu.families.items():
        algorithms = list(config.variants) if config.suits(items) else []
        if timeless:
            plain = [
                algorithm.model_copy(update={"half_life_days": None}) for algorithm in algorithms
            ]
            algorithms = [each for place, each in enumerate(plain) if each not in plain[:place]]
        for place, algorithm in enumerate(algorithms):
            name = f"{family}-{place + 1}" if len(algorithms) > 1 else family
            found.append((place, Variant(name, family, algorithm, config.source(name))))
    return [variant for _, variant in sorted(found, key=lambda pair: pair[0])]


def _cheapest_first(variants: Sequence[Variant], pairs: int, items: int) -> list[Variant]:
    """Orders the first variants of all families by what they cost, then the second ones, ...

    A little time then tries many kinds of models, not one slow one.
    """
    places = {
        variant.name: sum(kin.family == variant.family for kin in variants[:number])
        for number, variant in enumerate(variants)
    }
    return sorted(
        variants,
        key=lambda each: (places[each.name], expected_seconds(each.algorithm, pairs, items)),
    )


def fit_variants(
    split: Split, base: FitConfig, menu: Menu, *, seconds: float, progress: Progress
) -> Fits:
    """Fits variants one after the other until the time is up.

    What cannot be fitted on these data, or not where a package is missing, is left out.

    Raises:
        DataError: the training side has no usable event.
    """
    started = time.perf_counter()
    first, last = (
        split.train.events.select(
            first=pl.col("event_time").min(), last=pl.col("event_time").max()
        )
        .collect()
        .row(0)
    )
    wanted = variants_of(menu, len(split.items), timeless=first == last)
    half_lives = {v.algorithm.half_life_days for v in wanted} - {None}
    catalogue, data = training_side(
        split.train,
        sorted(days for days in half_lives if days is not None),
        base.segment_columns,
        split.cutoff,
    )
    fitted: dict[str, Variant] = {}
    models, indexes = {}, {}
    took: dict[str, float] = {}
    left_out: dict[str, str] = {}
    failed: dict[str, str] = {}
    pairs, items = len(data.states.rows.item_nums), len(catalogue)
    for place, variant in enumerate(_cheapest_first(wanted, pairs, items)):
        progress("try models", place, len(wanted))
        spent = time.perf_counter() - started
        slower = [
            # As much slower, or faster, as its kin was than expected.
            took[kin.name] / max(expected_seconds(kin.algorithm, pairs, items), _SHORTEST_S)
            for kin in fitted.values()
            if kin.family == variant.family
        ]
        alone = expected_seconds(variant.algorithm, pairs, items)
        expected = max(alone, _SHORTEST_S) * max(slower) if slower else alone
        if spent + expected > seconds and fitted:
            left_out[variant.name] = f"about {expected:.0f} s"
            continue
        start = time.perf_counter()
        try:
            model = variant.algorithm.fit(data)
        except (ConfigError, DataError) as error:
            failed[variant.name] = str(error)
            continue
        if variant.source.kind == "vectors":
            exact = variant.source.model_copy(update={"index": EXACT})
            indexes[variant.name] = fit_index(exact, model, data.states).index
        took[variant.name] = time.perf_counter() - start
        models[variant.name] = model
        fitted[variant.name] = variant
    progress("try models", len(wanted), len(wanted))
    config = FitConfig(
        segment_columns=base.segment_columns,
        models={name: variant.algorithm for name, variant in fitted.items()},
        sources={name: variant.source for name, variant in fitted.items()},
        placements={},
    )
    pipeline = FittedPipeline(
        config=config,
        catalogue=catalogue,
        customers=data.interactions.customers,
        states=data.states,
        segments=data.segments,
        models=models,
        indexes=indexes,
    )
    return Fits(assemble(pipeline, "choice"), fitted, took, left_out, failed)


def ask(
    fits: Fits,
    split: Split,
    cases: Cases,
    placement: PlacementConfig,
    *,
    seconds: float,
    k: int,
    progress: Progress,
) -> Evidence:
    """Asks every variant about customers, as many as there is time for.

    Args:
        fits: what was fitted on the training side.
        split: whose cases they are.
        cases: questions of one placement, with what was right.
        placement: what may be shown, and what sources start from.
        seconds: after which no more than `LEAST_CUSTOMERS` are asked.
        k: places of a list that count.
        progress: hears how many were asked.
    """
    started = time.perf_counter()
    resolver, names = fits.recommender.resolver, tuple(fits.variants)
    everything = placement.model_copy(
        update={
            "sources": tuple(SourceUse(name=name, weight=1.0) for name in names),
            "boost": None,
            "candidates": CANDIDATES,
        }
    )
    numbers = fits.recommender.catalogue.items.numbers(split.items.series())
    # Spread over all, so that stopping early leaves out no kind of customer.
    order = np.random.default_rng(0).permutation(len(cases))
    lists, truths = [], []
    for done, case in enumerate(order.tolist()):
        if done % 50 == 0:
            progress(f"ask about {cases.queries[case].placement}", done, len(order))
            if done >= LEAST_CUSTOMERS and time.perf_counter() - started > seconds:
                break
        request = resolver.resolve(cases.queries[case], everything)
        pool = fits.recommender.candidates(request, everything)
        lists.append((pool.item_nums, pool.shares))
        start, end = cases.truth_offsets[case], cases.truth_offsets[case + 1]
        truths.append(np.sort(numbers[cases.truth_item_nums[start:end]]))
    progress(f"ask about {cases.queries[0].placement}", len(order), len(order))
    return stack(names, lists, truths, k)
