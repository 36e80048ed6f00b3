"""A hold-out to a table of figures in one call: what a notebook needs."""

from collections.abc import Sequence
from pathlib import Path

from recsys.assembly import FitConfig
from recsys.backtest.compare import Contender, Study, compare
from recsys.backtest.contenders import baseline_contenders, fitted
from recsys.backtest.rolling import rolling
from recsys.backtest.rows import DEFAULT_CONFIGURATION, Row
from recsys.data.progress import Progress, silent
from recsys.errors import ConfigError
from recsys.fitting.config import load_config
from recsys.protocols.holdout import HoldOut
from recsys.protocols.truth import PROTOCOLS


def evaluate(
    holdout: HoldOut | Sequence[HoldOut],
    config: FitConfig | Path | None = None,
    *,
    placements: Sequence[str] | None = None,
    ks: Sequence[int] = (10, 20),
    dataset: str = "data",
    baselines: bool = True,
    seed: int = 0,
    progress: Progress = silent,
) -> list[Row]:
    """Fits on the training side and returns all figures, beside those of the baselines.

    Args:
        holdout: from `read_holdout` or `hold_out`; or several, from `rolling_origin`, whose rows
            are followed by those of their mean.
        config: a configuration, or a TOML file laid over the default one; None: the default.
        placements: what to ask; default: what suits the hold-out.
        ks: places that count.
        dataset: a name for the rows.
        baselines: also fit the baselines, and say how much better or worse we are.
        seed: decides draws and bootstrap samples.
        progress: hears of every fit and list.

    Raises:
        ConfigError: the configuration is wrong, or lacks a placement.
        DataError: the data cannot be fitted on, or no customer has a right answer.
    """
    if not isinstance(config, FitConfig):
        config = load_config(config)
    made = config
    first, *others = [holdout] if isinstance(holdout, HoldOut) else holdout
    study = Study(
        dataset=dataset,
        variant=first.variant,
        placements=answered(placements or first.placements, tuple(made.placements)),
        ks=tuple(sorted(set(ks))),
        protocol=first.protocol,
        seed=seed,
        mask=first.mask,
        skip_empty=not placements,
    )

    def contenders(held: HoldOut) -> list[Contender]:
        ours = fitted(DEFAULT_CONFIGURATION, made, held.split, mask=held.mask)
        return [ours, *(baseline_contenders(held.split, mask=held.mask) if baselines else [])]

    if others:
        return rolling([first, *others], contenders, study, progress=progress)
    return compare(first.split, contenders(first), study, progress=progress)


def answered(asked: Sequence[str] | None, known: Sequence[str]) -> tuple[str, ...]:
    """Returns the placements to measure: those asked for, or all that can be judged.

    Args:
        asked: names, None for all.
        known: what the configuration has.

    Raises:
        ConfigError: the configuration lacks one, or has none that can be judged.
    """
    wanted = tuple(name for name in PROTOCOLS if name in known) if asked is None else asked
    absent = [name for name in wanted if name not in known]
    if absent or not wanted:
        what = f"has no placement {absent[0]!r}" if absent else "has no placement to measure"
        message = f"the configuration {what}; it has {', '.join(known)}"
        raise ConfigError(message)
    return tuple(wanted)
