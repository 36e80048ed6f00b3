"""Chooses a configuration for a shop nobody has seen, on an inner split of its past."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from recsys.assembly import FitConfig
from recsys.choice.evidence import Evidence
from recsys.choice.gather import Fits, Variant, ask, fit_variants
from recsys.choice.menu import Menu
from recsys.choice.search import Blend, Step, changes, search, value, without
from recsys.choice.second_stage import (
    CUSTOMERS,
    Trial,
    sampled,
    trial_seconds,
    try_rankers,
    with_rankers,
)
from recsys.data.progress import Progress, silent
from recsys.data.splits import Split
from recsys.errors import DataError
from recsys.fitting.reduce import needed
from recsys.pipeline.placements import Boost, SourceUse
from recsys.protocols.cases import Cases, cases_for
from recsys.protocols.mask import Mask, with_mask

K = 20
FIT_SHARE, ASK_SHARE = 0.5, 0.25
"""Of the time: to fit variants, and to ask them; the rest is the search's."""


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
    """Variants that were not tried, and why."""
    seconds: float


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
    fits = fit_variants(split, base, menu, seconds=budget_seconds * FIT_SHARE, progress=progress)
    asked = _cases(split, placements, mask, seed)
    found: list[Chosen] = []
    question_seconds: dict[str, float] = {}
    for name, cases in asked.items():
        asking = time.perf_counter()
        evidence = ask(
            fits,
            split,
            cases,
            with_mask(base.placements, mask)[name],
            seconds=budget_seconds * ASK_SHARE / len(asked),
            k=K,
            progress=progress,
        )
        spent = time.perf_counter() - asking
        question_seconds[name] = spent / len(evidence.truth_sizes)
        progress(f"weigh {name}", 0, 1)
        found += _chosen(name, evidence, fits, menu)
        progress(f"weigh {name}", 1, 1)
    config = settled(base, {each.placement: each.blend for each in found}, fits.variants)
    trials: dict[str, Trial] = {}
    left_out = dict(fits.left_out)
    if menu.ranker is not None and found:
        wanted = with_rankers(
            config, dict.fromkeys((each.placement for each in found), menu.ranker)
        )
        cost = trial_seconds(
            menu.ranker,
            len(fits.recommender.resolver.customers),
            sum(fits.seconds[name] for name in set().union(*(e.blend.sources() for e in found))),
            {each.placement: question_seconds[each.placement] for each in found},
        )
        if time.perf_counter() - started + cost > budget_seconds:
            left_out["ranker"] = f"about {cost:.0f} s"
        else:
            masked = with_mask(wanted.placements, mask)
            trials = try_rankers(
                split,
                wanted.model_copy(update={"placements": masked}),
                {each.placement: asked[each.placement] for each in found},
                k=K,
                seed=seed,
                progress=progress,
            )
    used = {each.placement: trials.get(each.placement) for each in found}
    rankers = {name: menu.ranker if trial and trial.used else None for name, trial in used.items()}
    return Choice(
        with_rankers(config, rankers),
        tuple(found),
        trials,
        fits.seconds,
        left_out,
        time.perf_counter() - started,
    )


def _cases(
    split: Split, placements: Sequence[str], mask: Mask | None, seed: int
) -> dict[str, Cases]:
    """Returns questions about sampled customers, by placement; none where nobody has any."""
    found: dict[str, Cases] = {}
    for name in placements:
        try:
            cases = cases_for(name, split, limit=K, seed=seed, mask=mask)
        except DataError:
            continue
        found[name] = sampled(cases, CUSTOMERS, seed)
    return found


def _chosen(name: str, evidence: Evidence, fits: Fits, menu: Menu) -> list[Chosen]:
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
    return [Chosen(name, len(evidence.truth_sizes), tuple(steps), tuple(alternatives))]


def settled(
    base: FitConfig, blends: Mapping[str, Blend], variants: Mapping[str, Variant]
) -> FitConfig:
    """Returns the configuration with these blends; what no placement uses any more is left out.

    What other placements use stays as it is. A variant is called by its family's name where it is
    the only one of its family and the name is free.
    """
    names = _names(base, blends, variants)
    fresh = {name: variant for variant, name in names.items() if name not in _kept(base, blends)}
    models = dict(base.models) | {name: variants[key].algorithm for name, key in fresh.items()}
    sources = dict(base.sources) | {
        name: variants[key].source.model_copy(update={"model": name})
        for name, key in fresh.items()
    }
    placements = dict(base.placements)
    for placement, blend in blends.items():
        scale = max(blend.weights.values())
        placements[placement] = placements[placement].model_copy(
            update={
                "sources": tuple(
                    SourceUse(name=names[name], weight=float(f"{weight / scale:.4g}"))
                    for name, weight in sorted(blend.weights.items(), key=lambda pair: -pair[1])
                ),
                "boost": Boost(name=names[blend.boost[0]], power=blend.boost[1])
                if blend.boost
                else None,
            }
        )
    return needed(
        base.model_copy(update={"models": models, "sources": sources, "placements": placements})
    )


def _kept(base: FitConfig, blends: Mapping[str, Blend]) -> set[str]:
    """Returns the base's sources that are still asked when these placements have new blends."""
    kept: set[str] = set()
    for name, placement in base.placements.items():
        kept |= set(placement.fill)
        if name not in blends:
            kept |= {use.name for use in placement.sources}
            kept |= {placement.boost.name} if placement.boost else set()
    return kept


def _names(
    base: FitConfig, blends: Mapping[str, Blend], variants: Mapping[str, Variant]
) -> dict[str, str]:
    """Returns what each used variant is called: as the base does where it has the very same."""
    kept = _kept(base, blends)
    taken = kept | {base.sources[name].model for name in kept}
    used = sorted(set().union(*(blend.sources() for blend in blends.values())))
    families = [variants[name].family for name in used]
    names: dict[str, str] = {}
    for name, family in zip(used, families, strict=True):
        variant = variants[name]
        same = [
            other
            for other in sorted(kept)
            if base.models.get(base.sources[other].model) == variant.algorithm
            and base.sources[other].model_copy(update={"model": name}) == variant.source
        ]
        wanted = family if families.count(family) == 1 else name
        free = (call for call in _calls(wanted, name) if call not in taken)
        names[name] = same[0] if same else next(free)
        taken.add(names[name])
    return names


def _calls(*wanted: str) -> Iterator[str]:
    """Yields names to call something by, the nicest first, without end."""
    yield from wanted
    for number in count(2):
        yield f"{wanted[-1]}-chosen-{number}"
