"""Learned values of offers on disk: versions under a root, like bundles and by the same code."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from recsys.bundle import verify, write_bundle
from recsys.bundle_parts import load_arrays, save_arrays
from recsys.errors import BundleError
from recsys.models.small_trees import Trees
from recsys.models.uplift import UpliftModel
from recsys.offers.learned_values import Learned, LearnedValues

KIND = "offer-values"
LEARNED, ARRAYS = "learned.json", "trees"


def write_values(
    root: Path,
    learned: Learned,
    propensity: Trees,
    uplift: UpliftModel | None,
    *,
    data: Mapping[str, Any],
    metrics: Mapping[str, Any],
    now: datetime,
) -> Path:
    """Writes a new version and returns its folder; it is complete, and not yet current.

    Args:
        root: of the versions, made where it is missing.
        learned: what was learned beside trees.
        propensity: who redeems.
        uplift: who buys because of it, where that could be learned.
        data: `digest` and further facts on what it was learned from.
        metrics: figures worth keeping.
        now: the version's time.
    """

    def write_files(folder: Path) -> None:
        (folder / LEARNED).write_text(learned.model_dump_json(indent=2), encoding="utf-8")
        save_arrays(folder / ARRAYS, LearnedValues("", learned, propensity, uplift).arrays())

    config = {"kind": KIND, **learned.config.model_dump(mode="json")}
    return write_bundle(root, write_files, config=config, data=data, metrics=metrics, now=now)


def load_values(path: Path) -> LearnedValues:
    """Verifies a version and loads it.

    Raises:
        BundleError: it is damaged, holds something else, or is of another release.
    """
    manifest = verify(path)
    if manifest.config.get("kind") != KIND:
        message = f"{path}: holds no values of offers; fit some: recsys values"
        raise BundleError(message, file=str(path))
    try:
        learned = Learned.model_validate_json((path / LEARNED).read_bytes())
        arrays = load_arrays(path / ARRAYS)
        return LearnedValues.restore(manifest.bundle_version, learned, arrays)
    except (LookupError, OSError, ValueError, ValidationError) as error:
        # The files are as they were written, so what does not fit comes from another release.
        message = f"{path}: is whole, but not values that this release reads: {error}"
        raise BundleError(message, file=str(path)) from error
