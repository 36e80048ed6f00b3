"""Check 5: what an offer is worth: uplift found where it is, propensity better than baselines."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from evaluation.uplift.table import UpliftColumns, trial_of
from recsys.backtest.uplift import RANDOM, Judged, balance, judge, mean_effect, spread
from recsys.data.progress import Progress
from recsys.models.small_trees import TreesConfig
from recsys.models.uplift import LearnerKind, Trial, UpliftConfig
from tests.planted import EFFECT, planted
from tests.qualification.room import Room
from tests.qualification.rows import Row, above, at_least, between, equal, figure

SPLITS = range(50)
FEATURES = ("recency", "history", "mens", "womens", "zip_code", "newbie", "channel")
ARMS = {"womens": "Womens E-Mail", "mens": "Mens E-Mail"}
OURS: LearnerKind = UpliftConfig().learner
CLASSES: LearnerKind = "class-transformation"
# Each at its best on inner parts of one training half, see docs/offer-values.md: stumps suit the
# class transformation, whose labels are the noisiest.
STUMPS = TreesConfig(leaves=2)
CONTENDERS = {
    OURS: UpliftConfig(),
    CLASSES: UpliftConfig(learner=CLASSES),
    f"{CLASSES}, stumps": UpliftConfig(learner=CLASSES, trees=STUMPS),
    "s-learner": UpliftConfig(learner="s-learner"),
    "transformed-outcome": UpliftConfig(learner="transformed-outcome"),
}


def run(room: Room) -> Iterator[Row]:
    """Learns what offers are worth and judges it on customers and campaigns not seen."""
    yield from _simulation(room)
    for arm, name in ARMS.items():
        yield from _hillstrom(room, arm, name)


def _simulation(room: Room) -> Iterator[Row]:
    """A planted effect is found, and none where there is none."""
    room.step("planted effect")
    train, test = planted(101, 20_000), planted(102, 20_000)
    moved = test.truth > 0
    for name in (OURS, CLASSES):
        found = UpliftConfig(learner=name).fit(train.trial).uplift(test.trial.rows)
        lead = float(found[moved].mean() - found[~moved].mean())
        yield between(f"planted effect of {EFFECT}: as {name} sees it", lead, 0.15, 0.25)
        best = np.argsort(-found)[: int(moved.sum())]
        share = float(moved[best].mean())
        yield at_least(f"planted effect: moved among as many best, {name}", share, 0.9)
    judged = judge(train.trial, {OURS: UpliftConfig()}, range(10), progress=_told(room))
    lead = spread(judged[OURS].of("qini") - judged[RANDOM].of("qini"))
    yield above("planted effect: Qini over random, low end", lead.campaign.low, 0.0)
    none = np.random.default_rng(3).permutation(len(train.trial))
    shuffled = replace(train.trial, treated=train.trial.treated[none])
    judged = judge(shuffled, {OURS: UpliftConfig()}, range(10), progress=_told(room))
    lead = spread(judged[OURS].of("qini") - judged[RANDOM].of("qini"))
    yield between("no effect: Qini over random", lead.value, -0.01, 0.01)


def _hillstrom(room: Room, arm: str, name: str) -> Iterator[Row]:
    """Fifty half splits; splits, learners and their trees were fixed before."""
    rows = pl.read_parquet(room.shared("hillstrom") / "hillstrom.parquet")
    columns = UpliftColumns("segment", name, "No E-Mail", "visit", FEATURES)
    trial, _ = trial_of(rows, columns)
    what = f"hillstrom, {arm} against none, visit"
    effect, error = mean_effect(trial)
    yield figure(f"{what}: mean effect", effect)
    yield figure(f"{what}: its standard error", error)
    yield equal(f"{what}: sides look drawn by lot", str(balance(trial).is_random), "True")
    room.step(what)
    judged = judge(trial, CONTENDERS, SPLITS, progress=_told(room))
    for contender, found in judged.items():
        yield from _figures(f"{what}: {contender}", found)
    yield from _lead(f"{what}: Qini of {OURS} - random", judged, OURS, RANDOM, sure=True)
    for other in (each for each in judged if each.startswith(CLASSES)):
        yield from _lead(f"{what}: Qini of {OURS} - {other}", judged, OURS, other, sure=False)
    yield from _control(what, trial, room)


def _figures(what: str, found: Judged) -> Iterator[Row]:
    qini = spread(found.of("qini"))
    yield figure(f"{what}: mean Qini x 1000", qini.value * 1e3)
    yield figure(f"{what}: mean uplift in the top 30 %", float(found.of("uplift@30%").mean()))


def _lead(
    what: str, judged: dict[str, Judged], one: str, other: str, *, sure: bool
) -> Iterator[Row]:
    """The mean paired difference, and its interval over splits and over campaigns."""
    lead = spread((judged[one].of("qini") - judged[other].of("qini")) * 1e3)
    bar = above if sure else at_least
    yield bar(f"{what} (x 1000), mean of {len(SPLITS)}, paired", lead.value, 0.0)
    low = lead.splits.low
    yield (
        above(f"{what}, 95 % over splits: low", low, 0.0)
        if sure
        else figure(f"{what}, 95 % over splits: low", low)
    )
    yield figure(f"{what}, 95 % over splits: high", lead.splits.high)
    yield figure(f"{what}, 95 % with shared customers put back: low", lead.campaign.low)
    yield figure(f"{what}, 95 % with shared customers put back: high", lead.campaign.high)


def _control(what: str, trial: Trial, room: Room) -> Iterator[Row]:
    """With sides shuffled there is nothing to find: else the rows above prove nothing."""
    order = np.random.default_rng(11).permutation(len(trial))
    shuffled = replace(trial, treated=trial.treated[order])
    judged = judge(shuffled, {OURS: UpliftConfig()}, SPLITS[:20], progress=_told(room))
    lead = spread(judged[OURS].of("qini") - judged[RANDOM].of("qini"))
    inside = lead.campaign.low <= 0 <= lead.campaign.high
    yield equal(f"{what}, sides shuffled (control): 0 lies in the interval", str(inside), "True")


def _told(room: Room) -> Progress:
    def tell(stage: str, done: int, total: int | None = None) -> None:
        room.step(f"{stage}: {done} of {total}")

    return tell
