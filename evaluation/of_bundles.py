"""A bundle as what is judged: where it lies, what it was fitted with, and what came after it."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from recsys.assembly import FitConfig
from recsys.bundle import MANIFEST, current, read_manifest
from recsys.config import validated
from recsys.data.dataset import Dataset
from recsys.data.splits import split_for
from recsys.errors import DataError
from recsys.pipeline.recommender import Recommender
from recsys.protocols.holdout import HoldOut
from recsys.protocols.mask import Mask
from recsys.protocols.temporal import TEMPORAL, by_time, variant


def path_of(bundle: Path) -> Path:
    """Returns a bundle's folder: itself, or the current one of a bundle root."""
    return bundle if (bundle / MANIFEST).exists() else current(bundle)


def config_in(bundle: Path) -> FitConfig:
    """Returns what a bundle was fitted with."""
    path = path_of(bundle)
    said = read_manifest(path).config
    known = {name: said[name] for name in FitConfig.model_fields if name in said}
    return validated(FitConfig, known, where=str(path))


def since(recommender: Recommender, dataset: Dataset, mask: Mask | None) -> HoldOut:
    """Holds out what happened after a bundle was trained, of the items that it knows.

    Raises:
        DataError: the data hold nothing later.
    """
    cutoff = datetime.fromtimestamp(recommender.trained_until, UTC)
    last = dataset.events.select(pl.col("event_time").max()).collect().item()
    if last is None or last < cutoff:
        message = (
            f"{recommender.bundle_version}: was trained on everything before "
            f"{cutoff:%Y-%m-%d %H:%M} UTC and the data hold no later event to judge it by. "
            "Prepare newer data, or refit on an earlier part: --config FILE --test-days 28"
        )
        raise DataError(message, bundle_version=recommender.bundle_version)
    split = split_for(dataset, cutoff, recommender.catalogue.items)
    return HoldOut(TEMPORAL, variant(split, 0, mask), split, by_time, mask)
