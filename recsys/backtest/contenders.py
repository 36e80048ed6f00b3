"""Where the recommenders of a comparison come from: fitted on the past, or a bundle."""

from dataclasses import replace

from recsys.assembly import FitConfig, assemble
from recsys.backtest.baselines import baselines
from recsys.backtest.compare import Contender
from recsys.data.progress import Progress
from recsys.data.splits import Split
from recsys.fitting.fit import fit
from recsys.pipeline.recommender import Recommender
from recsys.protocols.mask import Mask, with_mask


def fitted(name: str, config: FitConfig, split: Split, *, mask: Mask | None = None) -> Contender:
    """Returns a contender that is fitted on the training side when it is built.

    Args:
        name: the configuration's name in the figures.
        config: what to fit.
        split: its training side is all that the fit sees.
        mask: laid over the maskable placements.
    """
    config = config.model_copy(update={"placements": with_mask(config.placements, mask)})

    def build(progress: Progress) -> Recommender:
        whole, finished = f"{name}: fit", 0

        def step(stage: str, done: int, total: int | None = None) -> None:
            del stage
            nonlocal finished
            finished += done == total
            progress(whole, finished)

        pipeline = fit(split.train, config, end_time=split.cutoff, progress=step).pipeline
        progress(whole, finished, finished)
        return assemble(pipeline, bundle_version=name)

    return Contender(name, tuple(config.placements), build)


def loaded(name: str, recommender: Recommender, *, mask: Mask | None = None) -> Contender:
    """Returns a contender that is ready, such as a bundle's recommender."""
    if mask is not None:
        configs = with_mask(recommender.placement_configs, mask)
        recommender = replace(recommender, placement_configs=configs)
    return Contender(name, recommender.placements, lambda _: recommender)


def baseline_contenders(split: Split, *, mask: Mask | None = None) -> list[Contender]:
    """Returns the baselines, each fitted on the same training side."""
    return [fitted(name, config, split, mask=mask) for name, config in baselines().items()]
