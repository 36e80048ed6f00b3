"""The server's log: one JSON object per line on standard error."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any, Literal

import structlog
from structlog.typing import ExcInfo

from recsys.errors import RecsysError

LogLevel = Literal["debug", "info", "warning", "error"]

RPC_FINISHED = "rpc.finished"
"""Once per request of our services: method, code, duration_ms and what was answered."""
RPC_FAILED = "rpc.failed"
"""An error that the caller is not told about, with its traceback."""
SERVER_LISTENING = "server.listening"
SERVER_READY = "server.ready"
SERVER_DRAINING = "server.draining"
SERVER_STOPPED = "server.stopped"
BUNDLE_LOADED = "bundle.loaded"
BUNDLE_REFUSED = "bundle.refused"
DEPLOYMENT_LOADED = "deployment.loaded"
DEPLOYMENT_REFUSED = "deployment.refused"
"""The file is wrong; what it said before still holds."""
DEPLOYMENT_MISFIT = "deployment.misfit"
"""A new bundle does not have what a part of the file names; the part is left out."""
DEPLOYMENT_ARM_LOST = "deployment.arm_lost"
"""The bundle of an arm lacks a placement; the control answers, and nobody is counted."""
DEPLOYMENT_ARM_FAILED = "deployment.arm_failed"
"""An arm's bundle cannot answer what the current one can; the control did, uncounted."""
ARM_BUNDLE_LOADED = "arm_bundle.loaded"
ARM_BUNDLE_REFUSED = "arm_bundle.refused"
ARM_BUNDLE_DROPPED = "arm_bundle.dropped"
LIVE_STATE_MISSING = "live_state.missing"
"""The store cannot be read; lists are made from the bundle alone."""
LIVE_STATE_BACK = "live_state.back"
LIVE_STATE_FOREIGN = "live_state.foreign_bundle"
"""A bundle was not fitted on this store's log, so that all of the log counts as news."""
CATALOGUE_FOLLOWED = "catalogue.followed"
"""Changes of items are in all answers of this process from now on."""
CATALOGUE_LOST = "catalogue.lost"
"""The store cannot be read; answers keep the catalogue as it was."""
IMPRESSIONS_WAITING = "impressions.waiting"
"""The store takes none just now; they are written later."""
IMPRESSIONS_LOST = "impressions.lost"
"""At the stop some could neither be written nor counted in the store."""
OFFERS_LEFT_OUT = "offers.left_out"
"""The bundle cannot evaluate an offer's eligibility; nobody gets the offer."""
VALUES_LOADED = "values.loaded"
VALUES_REFUSED = "values.refused"
"""Learned values are damaged; what offers are worth is as it was before."""
SNAPSHOT_FAILED = "snapshot.failed"
"""What changes while serving cannot be looked at; the last snapshot keeps answering."""
WRITER_READY = "writer.ready"
WRITER_STOPPED = "writer.stopped"
PROCESS_STARTED = "process.started"
PROCESS_ENDED = "process.ended"


_WITHOUT_LOCALS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
"""Local variables hold customers' ids."""
_TELLING = (RecsysError, OSError)
"""Errors whose texts are ours, or name a file. Others may hold an id, as that of a KeyError."""


def configure_logging(level: LogLevel) -> None:
    """Sends structlog's events of `level` and above to standard error, one write per line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(without_ids),
            structlog.processors.JSONRenderer(serializer=_json_bytes),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )


def without_ids(exc_info: ExcInfo) -> list[dict[str, Any]]:
    """Returns an error and its causes as the log has them: types and places, and safe texts."""
    safe = {type(error).__name__ for error in _chain(exc_info[1]) if isinstance(error, _TELLING)}
    stacks = _WITHOUT_LOCALS(exc_info)
    for stack in stacks:
        if stack["exc_type"] not in safe:
            stack["exc_value"] = ""
        stack["exc_notes"] = []
    return stacks


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _json_bytes(event: object, *, default: Callable[[object], object], **_: object) -> bytes:
    return json.dumps(event, default=default, separators=(",", ":")).encode()
