"""The deployment file as a running server follows it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

from recsys.errors import ConfigError
from recsys.live.deployment import Deployment, read_deployment_text, refuse
from recsys.live.fit_to_bundle import Misfit
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
            refuse(path, lines, ((each.path, each.problem) for each in fits(deployment)))
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


def _signature(path: Path) -> _Signature | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Signature(found.st_mtime_ns, found.st_size, found.st_ino)
