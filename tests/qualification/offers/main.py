"""Proves placements, rules and offers: `python -m tests.qualification.offers.main`."""

from typing import Annotated

import typer

from tests.qualification.main import qualify
from tests.qualification.offers.checks import CHECKS


def main(
    *,
    only: Annotated[
        int | None, typer.Option(help="Run this check, even if it is finished.", metavar="N")
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Forget what was finished before.")] = False,
) -> None:
    """Run the acceptance checks of placements and offers; what is finished on this commit is kept.

    Figures are in var/qualify/offers.json, what commands printed in var/qualify/logs/. Exit status
    0 only if every row holds. RECSYS_SHARED says where the evaluation data are (../shared); a
    check without its data fails. All servers listen on loopback and are stopped.
    """
    qualify(CHECKS, "offers.json", only=only, fresh=fresh)


if __name__ == "__main__":
    typer.run(main)
