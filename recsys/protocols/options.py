"""The options that commands share where they split data, and which of them go together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from recsys.errors import did_you_mean
from recsys.protocols.holdout import HoldOut
from recsys.protocols.mask import Mask
from recsys.protocols.presplit import read_holdout
from recsys.protocols.single import Cut, ProtocolName, hold_out, open_log, refuse_made_up
from recsys.protocols.temporal import (
    DEFAULT_FOLDS,
    DEFAULT_TEST_DAYS,
    ROLLING_ORIGIN,
    TEMPORAL,
    rolling_origin,
)
from recsys.protocols.truth import PROTOCOLS

SELECTION = "FILE[::COLUMN=VALUE]"
MOST_DAYS = 36_525
"""A century: more days before a date of ours need not exist."""

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Prepared data set (recsys prepare), or one file of pairs, sequences, "
        "baskets or events for --protocol to split.",
    ),
]
TrainOption = Annotated[
    str | None,
    typer.Option(
        "--train",
        metavar=SELECTION,
        help="Instead of --data: what may be fitted on, as somebody else has split it. Of a file "
        "with a column `split` only the part's rows are read.",
    ),
]
TestOption = Annotated[
    str | None, typer.Option("--test", metavar=SELECTION, help="What should be found.")
]
ValidationOption = Annotated[
    str | None,
    typer.Option("--validation", metavar=SELECTION, help="What choices may be judged by."),
]
GivenOption = Annotated[
    str | None,
    typer.Option(
        "--given",
        metavar=SELECTION,
        help="More of the test customers' past: comes with the query, is not fitted.",
    ),
]
FitValidationOption = Annotated[
    bool,
    typer.Option(
        "--fit-validation",
        help="Also fit on the validation part; otherwise it only comes with the query.",
    ),
]
MaskOption = Annotated[
    Mask | None,
    typer.Option(
        "--mask",
        help="What lists and truth leave out of the customer's past [as the protocol does].",
    ),
]
ProtocolOption = Annotated[
    ProtocolName | None,
    typer.Option(
        "--protocol",
        metavar="NAME",
        help=f"How data are split (docs/evaluation.md): {', '.join(ProtocolName)} "
        f"[{ProtocolName.TEMPORAL.value}]; with --train and --test only "
        f"{ProtocolName.NEXT_ITEM.value} changes anything.",
    ),
]
FoldsOption = Annotated[
    int | None,
    typer.Option(
        "--folds",
        metavar="N",
        min=2,
        help=f"Cut-offs of {ROLLING_ORIGIN} [{DEFAULT_FOLDS}].",
    ),
]
CutoffOption = Annotated[
    datetime | None,
    typer.Option(
        "--cutoff",
        metavar="DATE[THH:MM:SS]",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
        help="Fit on events before this UTC time, judge by those after.",
    ),
]
TestDaysOption = Annotated[
    int | None,
    typer.Option(
        "--test-days",
        metavar="N",
        min=1,
        max=MOST_DAYS,
        help="Instead of --cutoff: the last so many days are judged by "
        f"[{DEFAULT_TEST_DAYS}; one cut of short data: the last fifth of purchases].",
    ),
]
MinItemEventsOption = Annotated[
    int,
    typer.Option(
        "--min-item-events",
        metavar="N",
        min=0,
        help="Leave out items with fewer purchases before the cutoff.",
    ),
]
PlacementsOption = Annotated[
    str | None,
    typer.Option(
        "--placements",
        help="Names with commas between them [all that can be judged: "
        + ", ".join(PROTOCOLS)
        + "].",
    ),
]


@dataclass(frozen=True, slots=True)
class SplitOptions:
    """What was given."""

    data: Path | None
    train: str | None
    test: str | None
    validation: str | None
    given: str | None
    fit_validation: bool
    protocol: ProtocolName | None
    mask: Mask | None
    cutoff: datetime | None
    test_days: int | None
    min_item_events: int
    folds: int | None
    seed: int

    def __post_init__(self) -> None:
        if problem := self._problem():
            raise typer.BadParameter(problem)

    def _problem(self) -> str | None:
        """Returns the first thing that does not go together."""
        parts = ("train", "test", "validation", "given")
        cuts = ("cutoff", "test_days", "min_item_events", "folds")
        told, cutting = self._named(parts), self._named(cuts)
        rolls = self.protocol is ProtocolName.ROLLING_ORIGIN
        steps = ProtocolName.NEXT_ITEM
        problems = (
            (self.data and told, f"give either --data or {told}"),
            (
                not self.data and not (self.train and self.test),
                "give --data, or --train and --test",
            ),
            (self.cutoff and self.test_days, "give either --cutoff or --test-days"),
            (self.folds and not rolls, f"--folds goes with --protocol {ROLLING_ORIGIN}"),
            (self.cutoff and rolls, "cut-offs are counted from the end: leave out --cutoff"),
            (told and cutting, f"data that are split already are not cut: leave out {cutting}"),
            (
                told and self.protocol not in (None, steps),
                f"data that are split already know no other --protocol than {steps.value}",
            ),
        )
        return next((text for wrong, text in problems if wrong), None)

    def _named(self, fields: Sequence[str]) -> str:
        """Returns the first of some options that was given, empty where none was."""
        given = (name for name in fields if getattr(self, name))
        return next((f"--{name.replace('_', '-')}" for name in given), "")

    @property
    def name(self) -> str:
        """Returns a short name of the data: the folder's, or the file's."""
        path = self.data or Path((self.test or "").partition("::")[0])
        path = path.resolve()
        if self.data is None and path.stem in ("test", "testing"):
            return path.parent.name
        return path.name if path.is_dir() else path.stem

    def holdouts(self) -> Sequence[HoldOut]:
        """Splits the data: one hold-out, or several of several cut-offs.

        Raises:
            ConfigError: the protocol and the data do not go together.
            DataError: the data cannot be read or split.
        """
        if self.data is None:
            return [self._read()]
        log, protocol = open_log(self.data), self.protocol or ProtocolName.TEMPORAL
        if protocol is ProtocolName.ROLLING_ORIGIN:
            refuse_made_up(log, protocol)
            return rolling_origin(
                log.dataset,
                test_days=self.test_days or DEFAULT_TEST_DAYS,
                folds=self.folds or DEFAULT_FOLDS,
                min_item_events=self.min_item_events,
                mask=self.mask,
            )
        cut = Cut(
            cutoff=self.cutoff.replace(tzinfo=UTC) if self.cutoff else None,
            test_days=self.test_days,
            min_item_events=self.min_item_events,
            fit_validation=self.fit_validation,
            seed=self.seed,
        )
        return [hold_out(log, protocol, cut, mask=self.mask)]

    def _read(self) -> HoldOut:
        return read_holdout(
            self.train or "",
            self.test or "",
            validation=self.validation,
            given=self.given,
            mask=self.mask,
            fit_validation=self.fit_validation,
            every_step=self.protocol is ProtocolName.NEXT_ITEM,
            seed=self.seed,
        )


def introduce(console: Console, holdout: HoldOut) -> None:
    """Prints what is on the two sides, and what was left out."""
    split, counts = holdout.split, holdout.split.counts
    if holdout.protocol in (TEMPORAL, ROLLING_ORIGIN):
        sides = f"Cut at {split.cutoff:%Y-%m-%d %H:%M} UTC"
        asked = "customers known before who buy after"
    else:
        sides, asked = f"{holdout.protocol} ({holdout.variant})", "asked for"
    left_out = [
        f"{count:,} {what}"
        for count, what in (
            (counts.new_customers, "new customers"),
            (counts.unknown_item_pairs, "purchases of items not known then"),
        )
        if count
    ]
    console.print(
        f"{sides}: {len(split.items):,} items, every list ranks them all; "
        f"{len(split.customers):,} {asked}."
        + (f" Left out: {', '.join(left_out)}." if left_out else ""),
        highlight=False,
    )


def parse_placements(text: str | None) -> tuple[str, ...] | None:
    """Returns the names of `--placements`, None where it is not given."""
    if text is None:
        return None
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if unknown := [name for name in names if name not in PROTOCOLS]:
        hint = did_you_mean(unknown[0], PROTOCOLS)
        message = f"--placements: {unknown[0]!r} is not one of {', '.join(PROTOCOLS)}{hint}"
        raise typer.BadParameter(message)
    return names
