"""Chooses a configuration for a shop nobody has seen, on an inner split of its past."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recsys.assembly import FitConfig
from recsys.choice.evidence import Evidence
from recsys.choice.gather import Fits, ask, fit_variants
from recsys.choice.menu import Menu
from recsys.choice.search import Blend, Step, changes, search, value, without
from recsys.choice.second_stage import (
    CUSTOMERS,
    Trial,
    has_past,
    sampled,
    trial_seconds,
    try_rankers,
    with_rankers,
)
from recsys.choice.settled import settled
from recsys.data.progress import Progress, silent
from recsys.data.splits import Split
from recsys.errors import DataError
from recsys.pipeline.placements import PlacementConfig
from recsys.pipeline.ranker import RankerConfig
from recsys.protocols.cases import Cases, cases_for
from recsys.protocols.mask import Mask, with_mask

K = 20
FIT_SHARE, ASK_SHARE, RANKERS_SHARE = 0.25, 0.15, 0.4
"""Of the time: to fit variants, to ask them, and to try rankers; the rest is the search's. Where
no ranker can be tried, for want of times or of a past, its share goes to fits."""
RANKING_SECONDS = 0.003
"""About what a list costs beside its sources."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A blend that was not chosen, and how it did on the same customers."""

    change: str
    value: float
    """Mean ndcg@20; the chosen blend's is the last step's."""
    fewer: bool
    """Whether a part is missing; else there is one more, or another."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen for a placement, and why."""

    placement: str
    customers: int
    question_seconds: float
    """To ask all variants about one of them."""
    steps: tuple[Step, ...]
    alternatives: tuple[Alternative, ...]

    @property
    def blend(self) -> Blend:
        """Returns the chosen blend."""
        return self.steps[-1].blend


@dataclass(frozen=True, slots=True)
class Choice:
    """A configuration, and how it came about."""

    config: FitConfig
    placements: tuple[Chosen, ...]
    rankers: Mapping[str, Trial]
    """By placement: those that were tried."""
    fit_seconds: Mapping[str, float]
    """Of every variant that was tried."""
    left_out: Mapping[str, str]
    """What there was no time to try, and about how long it would have taken."""
    failed: Mapping[str, str]
    """Variants that cannot be fitted on these data or in this place, and why."""
    seconds: float
    drawn: bool = False
    """Whether items drawn from all times judged, because the split meant for it had no sides."""


def choose(
    split: Split,
    base: FitConfig,
    menu: Menu,
    *,
    placements: Sequence[str] = ("for_you", "discover"),
    budget_seconds: float = 600.0,
    mask: Mask | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Choice:
    """Chooses models, sizes and weights of placements; everything else stays as in `base`.

    Args:
        split: an inner split: what happens after its cutoff chooses, so nothing that is to be
            measured later may be in it.
        base: the configuration that is changed.
        menu: what there is to choose from.
        placements: those to choose for; one without a right answer in the split is left alone.
        budget_seconds: when to stop trying; the last fit may go a little over.
        mask: what lists leave out, where it is not what the placement does by itself.
        seed: of the sampled customers.
        progress: hears of every part.

    Raises:
        DataError: the split has no usable event.
    """
    started = time.perf_counter()
    ranker = menu.ranker if menu.ranker and has_past(split, menu.ranker) else None
    share = FIT_SHARE if ranker else FIT_SHARE + RANKERS_SHARE
    fits = fit_variants(split, base, menu, seconds=budget_seconds * share, progress=progress)
    asked = questions(split, placements, mask, seed)
    found: list[Chosen] = []
    for name, cases in asked.items():
        evidence, seconds = _asked(
            fits,
            split,
            cases,
            with_mask(base.placements, mask)[name],
            seconds=budget_seconds * ASK_SHARE / len(asked),
            progress=progress,
        )
        progress(f"weigh {name}", 0, 1)
        found += _chosen(name, evidence, fits, menu, seconds)
        progress(f"weigh {name}", 1, 1)
    config = settled(base, {each.placement: each.blend for each in found}, fits.variants)
    left_out = dict(fits.left_out)
    trials: dict[str, Trial] = {}
    if ranker is not None:
        # One by one, the cheapest first: a list with slow sources must not cost another's ranker.
        costs = {each.placement: _trial_seconds(ranker, each, fits) for each in found}
        for name, cost in sorted(costs.items(), key=lambda pair: pair[1]):
            if time.perf_counter() - started + cost > budget_seconds:
                left_out[f"ranker of {name}"] = f"about {cost:.0f} s"
                continue
            theirs = {name: asked[name]}
            trials |= _trials(
                split, config, ranker, theirs, mask=mask, seed=seed, progress=progress
            )
    surely = {name: trial.used for name, trial in trials.items()}
    rankers = {each.placement: ranker if surely.get(each.placement) else None for each in found}
    return Choice(
        with_rankers(config, rankers),
        tuple(found),
        trials,
        fits.seconds,
        left_out,
        fits.failed,
        time.perf_counter() - started,
    )


def questions(
    split: Split, placements: Sequence[str], mask: Mask | None, seed: int
) -> dict[str, Cases]:
    """Returns questions about sampled customers, by placement; none where nobody has any.

    Args:
        split: whose customers are asked for.
        placements: the names.
        mask: what lists leave out, where it is not what the placement does by itself.
        seed: of the sample.
    """
    found: dict[str, Cases] = {}
    for name in placements:
        try:
            cases = cases_for(name, split, limit=K, seed=seed, mask=mask)
        except DataError:
            continue
        found[name] = sampled(cases, CUSTOMERS, seed)
    return found


def _asked(
    fits: Fits,
    split: Split,
    cases: Cases,
    placement: PlacementConfig,
    *,
    seconds: float,
    progress: Progress,
) -> tuple[Evidence, float]:
    """Returns what all variants say of a placement's customers, and the seconds that one takes."""
    started = time.perf_counter()
    evidence = ask(fits, split, cases, placement, seconds=seconds, k=K, progress=progress)
    return evidence, (time.perf_counter() - started) / len(evidence.truth_sizes)


def _trial_seconds(ranker: RankerConfig, chosen: Chosen, fits: Fits) -> float:
    """Returns about how long it takes to try a ranker on a chosen blend."""
    used = chosen.blend.sources()
    asking = chosen.question_seconds * len(used) / len(fits.variants) + RANKING_SECONDS
    customers = len(fits.recommender.resolver.customers)
    return trial_seconds(ranker, customers, sum(fits.seconds[name] for name in used), asking)


def _trials(
    split: Split,
    config: FitConfig,
    ranker: RankerConfig,
    cases: Mapping[str, Cases],
    *,
    mask: Mask | None,
    seed: int,
    progress: Progress,
) -> dict[str, Trial]:
    """Tries a ranker on every chosen blend."""
    wanted = with_rankers(config, dict.fromkeys(cases, ranker))
    wanted = wanted.model_copy(update={"placements": with_mask(wanted.placements, mask)})
    return try_rankers(split, wanted, cases, k=K, seed=seed, progress=progress)


def _chosen(name: str, evidence: Evidence, fits: Fits, menu: Menu, seconds: float) -> list[Chosen]:
    """Returns the choice for a placement; none where no source finds anything right."""
    families: dict[str, list[str]] = {}
    boosts: list[str] = []
    for variant in fits.variants.values():
        role = menu.families[variant.family].role
        if role != "boost":
            families.setdefault(variant.family, []).append(variant.name)
        if role != "source":
            boosts.append(variant.name)
    steps = search(evidence, families, boosts)
    if not steps:
        return []
    blend = steps[-1].blend
    alternatives = [
        Alternative(f"without {used}", without(evidence, blend, used), fewer=True)
        for used in sorted(blend.sources())
    ]
    alternatives += [
        Alternative(change, max(value(evidence, option) for option in options), fewer=False)
        for change, options in changes(blend, families, boosts).items()
    ]
    customers = len(evidence.truth_sizes)
    return [Chosen(name, customers, seconds, tuple(steps), tuple(alternatives))]
