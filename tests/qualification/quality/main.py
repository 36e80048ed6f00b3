"""Proves the quality of a release: `python -m tests.qualification.quality.main`."""

from typing import Annotated

import typer

from tests.qualification.main import qualify
from tests.qualification.quality.checks import CHECKS

LIMIT_S = 8 * 60 * 60
"""All sets with their choices, baselines and peers take hours; each set is kept when measured."""


def main(
    *,
    only: Annotated[
        int | None, typer.Option(help="Run this check, even if it is finished.", metavar="N")
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Forget what was finished before.")] = False,
) -> None:
    """Run the acceptance checks of quality; what is finished on this commit is kept.

    Figures are in var/qualify/quality.json, what commands printed in var/qualify/logs/. Exit
    status 0 only if every row holds. RECSYS_SHARED says where the evaluation data are
    (../shared); a check without its data fails.
    """
    qualify(CHECKS, "quality.json", only=only, fresh=fresh, limit_s=LIMIT_S)


if __name__ == "__main__":
    typer.run(main)
