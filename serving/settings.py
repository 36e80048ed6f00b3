"""How one deployment of the server runs: flags over environment over a TOML file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from recsys.config import StrictModel, fault_text, merge, read_toml_file
from recsys.errors import ConfigError, did_you_mean
from serving.logs import LogLevel

PREFIX = "RECSYS_SERVING_"
CONFIG_VARIABLE = "RECSYS_SERVING_CONFIG"
SETTINGS_VARIABLE = "RECSYS_SERVING_SETTINGS"
"""In which the supervisor hands all settings to its processes, as JSON."""
_OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, "RECSYS_SHARED", "RECSYS_TEST_POSTGRES"})


class ServingSettings(StrictModel):
    """Everything that may differ between two deployments of one bundle."""

    bundles: Path
    """Folder that bundles are published to."""
    store: str | None = None
    """URL of the event store: `store://folder` or `postgresql://...`. None: events in requests
    are all that a server learns."""
    archives: Path | None = None
    """Folder of archived events; None: beside the events of `store://`, none for PostgreSQL."""
    deployment: Path | None = None
    """TOML file with experiments and exploration, followed while serving; none: there are none."""
    values: Path | None = None
    """Folder that `recsys values` publishes to, followed while serving. None: offers
    are ranked by how well their items fit the customer."""
    impressions: bool = True
    """Whether what is answered is logged in the store; without that, no online report."""
    host: str = "127.0.0.1"
    """Address to listen on. The port has no credentials: other machines reach it only if asked."""
    port: int = Field(50051, ge=1, le=65535)
    """Port of the first server process; the others take the ports after it."""
    processes: int = Field(1, ge=1, le=256)
    """Server processes, one per core."""
    threads: int = Field(4, ge=1, le=64)
    """Threads that answer, per process."""
    maximum_concurrent_rpcs: int = Field(16, ge=1)
    """Calls in work or waiting per process; more are refused at once with RESOURCE_EXHAUSTED."""
    concurrent_batches: int = Field(2, ge=1)
    """RecommendBatch calls in work per process; leave `threads` some for Recommend."""
    concurrent_imports: int = Field(1, ge=1)
    """ImportEvents calls in work per process; the same holds."""
    max_request_bytes: int = Field(8 * 1024 * 1024, ge=1024)
    """Size of a request above which it is refused with RESOURCE_EXHAUSTED."""
    deadline_s: float = Field(2.0, gt=0)
    """Seconds from arrival for a call whose caller set no deadline."""
    batch_deadline_s: float = Field(600.0, gt=0)
    """The same for RecommendBatch and ImportEvents."""
    poll_interval_s: float = Field(1.0, gt=0)
    """Seconds between two looks at the pointer to the current bundle."""
    drain_s: float = Field(1.0, ge=0)
    """Seconds between saying NOT_SERVING and refusing calls, for balancers to turn away."""
    grace_s: float = Field(10.0, ge=0)
    """Seconds that calls in work get to end after that."""
    reflection: bool = False
    """Whether to describe the services to tools such as grpcurl."""
    log_level: LogLevel = "info"
    """Least severe event to log; one line per request is "info"."""

    def ports(self) -> range:
        """Returns the ports of the server processes.

        Raises:
            ConfigError: the last would lie above 65535.
        """
        ports = range(self.port, self.port + self.processes)
        if ports[-1] > 65535:  # noqa: PLR2004  the last port there is
            raise ConfigError(f"port: {self.processes} processes need ports up to {ports[-1]}")
        return ports


def load_settings(
    flags: Mapping[str, Any], environ: Mapping[str, str], file: Path | None
) -> ServingSettings:
    """Returns the settings: flags that are not None over the environment over the file.

    Args:
        flags: by field name.
        environ: `RECSYS_SERVING_<FIELD>` are read; any other `RECSYS_` name must be known.
        file: TOML with the fields as keys; None for the file that `RECSYS_SERVING_CONFIG` names.

    Raises:
        ConfigError: a name is unknown or a value out of range; the text says where it stands.
    """
    if file is None and environ.get(CONFIG_VARIABLE):
        file = Path(environ[CONFIG_VARIABLE])
    written, lines = read_toml_file(file) if file else ({}, None)
    places = {key: f"{file}:{lines.of([key])}: {key}" for key in written} if lines else {}
    variables = _from_environ(environ)
    places |= {key: PREFIX + key.upper() for key in variables}
    flagged = {key: value for key, value in flags.items() if value is not None}
    places |= {key: f"--{key.replace('_', '-')}" for key in flagged}
    values = merge(merge(written, variables), flagged)
    if "bundles" not in values:
        raise ConfigError("bundles: say where bundles are published: --bundles FOLDER")
    settings = _validated(values, places)
    settings.ports()
    return settings


def _validated(values: Mapping[str, Any], places: Mapping[str, str]) -> ServingSettings:
    """Returns the settings.

    Raises:
        ConfigError: one line for each wrong one, which begins with where it was set.
    """
    try:
        return ServingSettings.model_validate(values)
    except ValidationError as error:
        texts = [
            f"{places[str(fault['loc'][0])]}: "
            + fault_text(fault["type"], fault["loc"], fault["msg"], ServingSettings)
            for fault in error.errors()
        ]
        raise ConfigError("\n".join(texts)) from error


def _from_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the fields that the environment sets; a misspelt variable is an error."""
    fields = {PREFIX + name.upper(): name for name in ServingSettings.model_fields}
    ours = {name for name in environ if name.startswith("RECSYS_")} - _OTHER_VARIABLES
    unknown = sorted(ours - fields.keys())
    if unknown:
        hint = did_you_mean(unknown[0], fields)
        raise ConfigError(f"environment: {', '.join(unknown)}: there is no such setting{hint}")
    return {fields[name]: environ[name] for name in ours}
