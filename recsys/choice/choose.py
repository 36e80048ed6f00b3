"""Chooses a configuration for a shop nobody has seen, on an inner split of its past."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recsys.assembly import FitConfig
from recsys.choice.evidence import Evidence
from recsys.choice.gather import Fits, Variant, ask, fit_variants
from recsys.choice.menu import Menu
from recsys.choice.search import Blend, Step, changes, search, value, without
from recsys.choice.second_stage import Trial, sampled, try_rankers, with_rankers
from recsys.data.progress import Progress, silent
from recsys.data.splits import Split
from recsys.errors import DataError
from recsys.fitting.reduce import needed
from recsys.pipeline.placements import Boost, SourceUse
from recsys.protocols.cases import Cases, cases_for
from recsys.protocols.mask import Mask, with_mask

K = 20
CUSTOMERS = 2_000
FIT_SHARE, ASK_SHARE = 0.5, 0.25
"""Of the time: to fit variants, and to ask them; the rest is the search's."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A blend that was not chosen, and how it did on the same customers."""

    change: str
    value: float
    """Mean ndcg@20; the chosen blend's is the last step's."""


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
    for name, cases in asked.items():
        evidence = ask(
            fits,
            split,
            cases,
            with_mask(base.placements, mask)[name],
            seconds=budget_seconds * ASK_SHARE / len(asked),
            k=K,
            progress=progress,
        )
        progress(f"weigh {name}", 0, 1)
        found += _chosen(name, evidence, fits, menu)
        progress(f"weigh {name}", 1, 1)
    config = settled(base, {each.placement: each.blend for each in found}, fits.variants)
    trials: dict[str, Trial] = {}
    if menu.ranker is not None and found:
        left = budget_seconds - (time.perf_counter() - started)
        used = set().union(*(each.blend.sources() for each in found))
        cost = sum(fits.seconds[name] for name in used) * (menu.ranker.cut_offs + 1)
        if cost < left:
            wanted = with_rankers(config, {each.placement: menu.ranker for each in found})
            wanted = wanted.model_copy(update={"placements": with_mask(wanted.placements, mask)})
            trials = try_rankers(
                split,
                wanted,
                {each.placement: asked[each.placement] for each in found},
                k=K,
                seed=seed,
                progress=progress,
            )
    better = {name: menu.ranker for name, trial in trials.items() if trial.used and menu.ranker}
    return Choice(
        with_rankers(config, better),
        tuple(found),
        trials,
        fits.seconds,
        fits.left_out,
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
        Alternative(f"without {used}", without(evidence, blend, used))
        for used in sorted(blend.sources())
    ]
    alternatives += [
        Alternative(change, max(value(evidence, option) for option in options))
        for change, options in changes(blend, families, boosts).items()
    ]
    return [Chosen(name, len(evidence.truth_sizes), tuple(steps), tuple(alternatives))]


def settled(
    base: FitConfig, blends: Mapping[str, Blend], variants: Mapping[str, Variant]
) -> FitConfig:
    """Returns the configuration with these blends; what no placement uses any more is left out.

    A variant is called by its family's name where it is the only one of its family.
    """
    used = sorted(set().union(*(blend.sources() for blend in blends.values())))
    names = {}
    for name in used:
        family = variants[name].family
        alone = [other for other in used if variants[other].family == family] == [name]
        names[name] = family if alone else name
    models = dict(base.models) | {names[name]: variants[name].algorithm for name in used}
    sources = dict(base.sources) | {
        names[name]: variants[name].source.model_copy(update={"model": names[name]})
        for name in used
    }
    placements = dict(base.placements)
    for placement, blend in blends.items():
        scale = max(blend.weights.values())
        placements[placement] = placements[placement].model_copy(
            update={
                "sources": tuple(
                    SourceUse(name=names[name], weight=round(weight / scale, 4))
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
