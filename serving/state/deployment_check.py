"""A deployment file held against the current bundle, before a server or a command works with it.

Needs no model of the bundle, so whoever checks loads neither FAISS nor LightGBM.
"""

from pathlib import Path

import polars as pl

from recsys.bundle import current, verify_part
from recsys.bundle_parts import CATALOGUE
from recsys.live.deployment import Deployment, read_deployment_text, refuse
from recsys.live.fit_to_bundle import BundleParts, PlacementParts, misfits
from recsys.models.replenishment import Replenishment
from recsys.pipeline.worth import BACKWARD_KINDS


def checked_deployment(path: Path, bundles: Path) -> Deployment:
    """Reads a deployment file and holds it against the current bundle: its manifest and columns.

    Raises:
        ConfigError: it is wrong or names what the bundle does not have; one line for each.
        BundleError: there is no current bundle, or its catalogue is damaged.
    """
    deployment, lines = read_deployment_text(path)
    found = misfits(deployment, _parts_in(current(bundles)))
    refuse(path, lines, ((misfit.path, misfit.problem) for misfit in found))
    return deployment


def _parts_in(bundle: Path) -> BundleParts:
    manifest = verify_part(bundle, CATALOGUE)
    columns = pl.read_parquet_schema(bundle / CATALOGUE)
    placements = manifest.config["placements"]
    return BundleParts(
        frozenset(manifest.config["sources"]),
        {
            name: PlacementParts(
                tuple(use["name"] for use in config["sources"]), name in manifest.features
            )
            for name, config in placements.items()
        },
        {name: kind for name, kind in columns.items() if name != "markets"},
        backward=frozenset(
            name
            for name, source in manifest.config["sources"].items()
            if source["kind"] in BACKWARD_KINDS
        ),
        forecasters=frozenset(
            name
            for name, model in manifest.config["models"].items()
            if model["kind"] == Replenishment.model_fields["kind"].default
        ),
    )
