"""A fitted pipeline as the files of a bundle."""

from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from recsys.assembly.build import assemble
from recsys.assembly.config import FitConfig
from recsys.assembly.fitted import FittedPipeline
from recsys.bundle import Manifest, verify
from recsys.bundle_parts import (
    CATALOGUE,
    load_arrays,
    load_attributes,
    load_customers,
    load_segments,
    load_states,
    save_arrays,
    save_customers,
)
from recsys.config import validated
from recsys.data.catalogue import Catalogue
from recsys.data.state import DecayScale
from recsys.errors import BundleError, ConfigError
from recsys.index.build import load_index
from recsys.pipeline.features import schema_hash
from recsys.pipeline.own_source import own_code_fault
from recsys.pipeline.ranker import Ranker
from recsys.pipeline.recommender import Recommender

INDEXES = "indexes"
"""Folder of a bundle that holds the vector indexes."""
RANKERS = "rankers"
"""Folder of a bundle that holds the rankers, by placement."""

_OTHER_RELEASE = (ConfigError, LookupError, OSError, PolarsError, TypeError, ValueError)


def save(fitted: FittedPipeline, folder: Path) -> None:
    """Writes a fitted pipeline's files, all but its configuration, into an empty folder."""
    fitted.catalogue.frame.write_parquet(folder / CATALOGUE)
    save_customers(folder, fitted.customers, fitted.states, fitted.segments, fitted.attributes)
    for name, model in fitted.models.items():
        save_arrays(folder / "models" / name, model.arrays())
    for name, ranker in fitted.rankers.items():
        save_arrays(folder / RANKERS / name, ranker.arrays())
    (folder / INDEXES).mkdir()
    for name, index in fitted.indexes.items():
        index.save(folder / INDEXES, name)


def load(folder: Path, manifest: Manifest) -> FittedPipeline:
    """Reads what `save` wrote; arrays are memory-mapped and shared between processes.

    Call it only after the folder's checksums were verified.

    Raises:
        BundleError: a file is missing, or the configuration is not of this release.
    """
    parts = {
        name: manifest.config[name] for name in FitConfig.model_fields if name in manifest.config
    }
    config = validated(FitConfig, parts, where=f"{folder}/manifest.json: config")
    scale = DecayScale(config.half_lives_days(), int(manifest.data["end_time"]))
    return FittedPipeline(
        config=config,
        catalogue=Catalogue.from_frame(pl.read_parquet(folder / CATALOGUE)),
        customers=load_customers(folder),
        states=load_states(folder, scale),
        segments=load_segments(folder),
        attributes=load_attributes(folder),
        models={
            name: algorithm.restore(load_arrays(folder / "models" / name))
            for name, algorithm in config.algorithms().items()
        },
        indexes={
            name: load_index(folder / INDEXES, name)
            for name, source in config.sources.items()
            if source.kind == "vectors"
        },
        rankers=_load_rankers(folder, config, manifest),
    )


def _load_rankers(folder: Path, config: FitConfig, manifest: Manifest) -> dict[str, Ranker]:
    """Reads the rankers; each must know the features that this release would show it.

    Raises:
        BundleError: one was fitted on others.
    """
    rankers: dict[str, Ranker] = {}
    for name, placement in config.placements.items():
        part = folder / RANKERS / name
        if placement.ranker is None or not part.is_dir():
            continue
        ranker = Ranker.restore(placement.ranker, load_arrays(part))
        expected = placement.ranker_features()
        if ranker.names != expected or manifest.features.get(name) != schema_hash(expected):
            other = ", ".join(sorted(set(ranker.names) ^ set(expected))) or "their order or type"
            message = (
                f"{part}: the ranker of {name!r} was fitted on other features than this release "
                f"makes ({other}); fit a new bundle"
            )
            raise BundleError(message, file=str(part), placement=name)
        rankers[name] = ranker
    return rankers


def load_recommender(path: Path) -> Recommender:
    """Verifies a bundle and builds its recommender.

    Raises:
        BundleError: the bundle is damaged, or not of this release; the text names the file.
    """
    manifest = verify(path)
    try:
        return assemble(load(path, manifest), manifest.bundle_version, manifest.log_position())
    except Exception as error:
        if (fault := own_code_fault(error)) is not None:
            message = f"{path}: a source of your own fails: {fault}"
            raise BundleError(message, file=str(path)) from error
        if not isinstance(error, _OTHER_RELEASE):
            raise
        # The files are as they were written, so what does not fit comes from another release.
        message = f"{path}: is whole, but not a bundle that this release reads: {error}"
        raise BundleError(message, file=str(path)) from error
