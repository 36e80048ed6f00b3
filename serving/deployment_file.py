"""The deployment file as a running server follows it, and as it is checked before a start."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
import structlog

from recsys.assembly import BACKWARD_KINDS
from recsys.bundle import current, verify_part
from recsys.bundle_parts import CATALOGUE
from recsys.errors import ConfigError
from recsys.live.deployment import Deployment, read_deployment_text, refuse
from recsys.live.fit_to_bundle import BundleParts, Misfit, PlacementParts, misfits
from recsys.models.replenishment import Replenishment
from serving.logs import DEPLOYMENT_LOADED, DEPLOYMENT_REFUSED

_log = structlog.get_logger()


class _Signature(NamedTuple):
    """What differs when a file was written anew."""

    changed_ns: int
    size: int
    inode: int


class DeploymentFile:
    """Reads the file again when it has changed; a wrong one is refused whole and the last stays.

    For one thread at a time.
    """

    def __init__(self, path: Path | None) -> None:
        """Takes where the file lies; None: there is none, and nothing is deployed."""
        self._path = path
        self._nothing = Deployment()
        self._deployment: Deployment | None = None
        self._read: _Signature | None = None
        self._seen: _Signature | None = None

    def look(self, fits: Callable[[Deployment], Sequence[Misfit]]) -> Deployment:
        """Returns what holds now; never raises for what the file says.

        A file that has changed counts once it was found the same twice: a look may fall between
        the moments in which an editor empties it and fills it again.

        Args:
            fits: says what of a new file the current bundle does not have.
        """
        if self._path is None:
            return self._nothing
        now = _signature(self._path)
        settled, self._seen = now == self._seen, now
        if self._deployment is None:
            self._deployment = self._taken(self._path, lambda _: ()) or self._nothing
            self._read = now
        elif settled and now != self._read:
            self._deployment = self._taken(self._path, fits) or self._deployment
            self._read = now
        return self._deployment

    @staticmethod
    def _taken(path: Path, fits: Callable[[Deployment], Sequence[Misfit]]) -> Deployment | None:
        """Returns what the file says, None where it is refused; logs either."""
        try:
            deployment, lines = read_deployment_text(path)
            refuse(path, lines, _told(fits(deployment)))
        except ConfigError as error:
            _log.error(DEPLOYMENT_REFUSED, path=str(path), error=str(error))
            return None
        _log.info(
            DEPLOYMENT_LOADED,
            path=str(path),
            experiments=list(deployment.experiments),
            exploration=list(deployment.exploration),
        )
        return deployment


def checked_deployment(path: Path, bundles: Path) -> Deployment:
    """Reads a deployment file and holds it against the current bundle: its manifest and columns.

    Raises:
        ConfigError: it is wrong or names what the bundle does not have; one line for each.
        BundleError: there is no current bundle, or its catalogue is damaged.
    """
    deployment, lines = read_deployment_text(path)
    refuse(path, lines, _told(misfits(deployment, _parts_in(current(bundles)))))
    return deployment


def _told(found: Sequence[Misfit]) -> list[tuple[Sequence[str], str]]:
    return [(misfit.path, misfit.problem) for misfit in found]


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


def _signature(path: Path) -> _Signature | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Signature(found.st_mtime_ns, found.st_size, found.st_ino)
