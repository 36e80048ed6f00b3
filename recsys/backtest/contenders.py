"""Where the recommenders of a comparison come from: fitted on the past, or a bundle."""

from recsys.assembly import FitConfig, assemble
from recsys.backtest.baselines import baselines
from recsys.backtest.compare import Contender
from recsys.data.progress import Progress
from recsys.data.splits import Split
from recsys.fitting.fit import fit
from recsys.pipeline.recommender import Recommender


def fitted(name: str, config: FitConfig, split: Split) -> Contender:
    """Returns a contender that is fitted on the training side when it is built."""

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


def loaded(name: str, recommender: Recommender) -> Contender:
    """Returns a contender that is ready, such as a bundle's recommender."""
    return Contender(name, recommender.placements, lambda _: recommender)


def baseline_contenders(split: Split) -> list[Contender]:
    """Returns the baselines, each fitted on the same training side."""
    return [fitted(name, config, split) for name, config in baselines().items()]
