"""Tunes a configuration: settings of models, weights of blends, rankers, as long as wanted."""

from collections.abc import Mapping
from pathlib import Path

from recsys.assembly import FitConfig
from recsys.choice.search import LEAST_GAIN
from recsys.choice.second_stage import with_rankers
from recsys.choice.settled import settled
from recsys.data.progress import Progress, silent
from recsys.tuning.bench import bench_of
from recsys.tuning.folder import alone, refuse_another
from recsys.tuning.job import Clock, Job, News, Watch
from recsys.tuning.journal import Journal
from recsys.tuning.lines import lines_of
from recsys.tuning.models import ModelSearch
from recsys.tuning.rankers import RankerSearch, can_be_ranked
from recsys.tuning.shelf import Shelf
from recsys.tuning.standing import Scored, Standing
from recsys.tuning.start import begin
from recsys.tuning.verdict import Tuned, verdicts

COLUMNS = "columns"
MODELS_SHARE = 0.75
"""Of time and trials where rankers can be tried: for models; the rest is the rankers'."""


def tune(
    job: Job,
    folder: Path,
    *,
    seconds: float,
    trials: int | None = None,
    watch: Watch = lambda _: None,
    progress: Progress = silent,
) -> Tuned:
    """Goes on with the study of a folder, or begins it, and returns the best configuration.

    Args:
        job: what is tuned; a folder's study is of one job.
        folder: of the study; what was tried and what every model says is kept there.
        seconds: after which nothing more is tried; the last comparison comes on top.
        trials: settings to try, with those of earlier runs; None: as many as there is time for.
        watch: hears of every setting.
        progress: hears of the parts of the work.

    Raises:
        ConfigError: the study is of something else, or another process is at it.
        DataError: the split has no usable event, or nothing finds anything right.
    """
    clock = Clock(seconds)
    with alone(folder):
        models = _begun(job, folder, clock, progress)
        share = MODELS_SHARE if can_be_ranked(job) else 1.0
        most = None if trials is None else round(trials * share)

        def tell(tried: str, done: int) -> None:
            best = {name: each.figure for name, each in models.standing.best.items()}
            watch(News(tried, done, best, max(clock.left(), 0.0)))

        while clock.left(share) > 0 and (most is None or models.history.done < most):
            line = models.next_line()
            if line is None:
                break
            tell(models.step(line), models.history.done)
        tuned = _settled(job, models, {name: _last_search(models, name) for name in models.start})
        cases = {name: models.standing.bench.asked[name].cases for name in models.start}
        rankers = RankerSearch(job, tuned, cases, models.journal, progress)
        rest = None if trials is None else trials - models.history.done
        while rankers.possible and (rest is None or rankers.done < rest):
            if clock.left() <= rankers.seconds:
                break
            tell(rankers.step(), models.history.done + rankers.done)
        config = with_rankers(tuned, rankers.best())
        return Tuned(
            config,
            verdicts(job, cases, _settled(job, models, models.start), config, progress),
            models.history.done + rankers.done,
            models.history.given_up + rankers.given_up,
        )


def _begun(job: Job, folder: Path, clock: Clock, progress: Progress) -> ModelSearch:
    """Returns the search for models where it was left, or with what the menu brings."""
    bench = bench_of(job.split, job.base, job.placements, job.mask, job.seed)
    refuse_another(folder, job, bench)
    journal = Journal(folder, job.seed)
    lines = lines_of(job.menu, job.spaces, len(job.split.items), timeless=bench.timeless)
    standing = Standing(job.menu, bench, Shelf(folder / COLUMNS))
    broken = begin(folder, job, standing, journal, lines, clock=clock, progress=progress)
    return ModelSearch(lines, standing, journal, dict(standing.best), broken, clock)


def _settled(job: Job, models: ModelSearch, best: Mapping[str, Scored]) -> FitConfig:
    """Returns the configuration with these blends, not ranked."""
    blends = {name: each.blend for name, each in best.items()}
    config = settled(job.base, blends, models.standing.variants)
    return with_rankers(config, dict.fromkeys(best))


def _last_search(models: ModelSearch, placement: str) -> Scored:
    """Returns the best blend of what did best: also of models that never met so far."""
    standing = models.standing
    best = standing.best[placement]
    families = {standing.variants[name].family for name in best.blend.sources()}
    names = [
        name for name in sorted(models.finalists()) if standing.variants[name].family in families
    ]
    found = standing.searched(placement, names)
    # A search drops what brings next to nothing: as good for less is better.
    return found if found and found.figure > best.figure * (1 - LEAST_GAIN) else best
