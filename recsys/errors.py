"""Every error that a caller of the library can act on.

Each class has a stable `reason` (UPPER_SNAKE), which clients branch on, and typed
`metadata`. The text is for a developer and may change.
"""

import errno
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar, NamedTuple

_FILE_FAULTS: Mapping[int, str] = {
    errno.ENOENT: "there is no such file or folder",
    errno.EISDIR: "is a folder, a file is needed",
    errno.ENOTDIR: "lies below a file, which is no folder",
    errno.EEXIST: "is a file, a folder is needed",
    errno.EACCES: "may not be read or written by this user: change its owner or its mode",
    errno.EPERM: "may not be read or written by this user: change its owner or its mode",
    errno.EROFS: "lies on a disk that is read-only: name another folder",
    errno.ENOSPC: "cannot be written: the disk is full: make room, then do it again",
    errno.EDQUOT: "cannot be written: the quota is used up: make room, then do it again",
    errno.EADDRINUSE: "the port is taken: stop who listens there, or choose another",
}


def file_fault(error: OSError, path: Path | None = None) -> str:
    """Returns one line on what the system refused: the file, why, and what to do.

    Args:
        error: as the system raised it.
        path: of the file, where the error may not name it.
    """
    place = error.filename or path
    cause = _FILE_FAULTS.get(error.errno or 0, error.strerror or str(error))
    return cause if place is None else f"{place}: {cause}"


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Returns `; did you mean 'x'?` for the name that is most like another, else nothing.

    Case does not count. For the end of an error's text.
    """
    by_lower = {each.lower(): each for each in names}
    alike = get_close_matches(name.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[alike[0]]!r}?" if alike else ""


class FieldViolation(NamedTuple):
    """A field of a request that is wrong."""

    field: str
    """Where it stands, such as `events[17].quantity`."""
    description: str
    """What it must be; never what it was, which may be a customer's."""


class RecsysError(Exception):
    """Root of the domain's errors."""

    reason: ClassVar[str] = "INTERNAL"
    violations: tuple[FieldViolation, ...] = ()
    """The fields that the caller can correct, where it is about fields."""

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.metadata: Mapping[str, str] = metadata


class ConfigError(RecsysError):
    """A configuration file or value is wrong."""

    reason = "INVALID_CONFIG"


class DataError(RecsysError):
    """Input data cannot be used: broken file, missing column, too many rejected rows."""

    reason = "INVALID_DATA"


class BundleError(RecsysError):
    """A bundle is missing, damaged, half-written or of another schema version."""

    reason = "INVALID_BUNDLE"


class BundleNotReadyError(RecsysError):
    """No bundle is loaded yet, so nothing can be answered."""

    reason = "BUNDLE_NOT_READY"


class InvalidQueryError(RecsysError):
    """A field of a query is out of its documented range."""

    reason = "INVALID_QUERY"

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"{field}: {description}", field=field, description=description)
        self.violations = (FieldViolation(field, description),)
        self.field = field
        self.description = description


class InvalidFilterError(RecsysError):
    """A filter expression is malformed, too large, or names something that is not a column."""

    reason = "INVALID_FILTER"

    def __init__(self, description: str, position: int, *, field: str = "filter") -> None:
        super().__init__(
            f"{field}: {description} (at character {position})",
            field=field,
            description=description,
            position=str(position),
        )
        self.violations = (FieldViolation(field, description),)
        self.field = field
        self.description = description
        self.position = position


class UnknownPlacementError(RecsysError):
    """A query names a placement that the bundle does not have."""

    reason = "UNKNOWN_PLACEMENT"

    def __init__(self, placement: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f"placement {placement!r} is not one of {', '.join(known)}"
            f"{did_you_mean(placement, known)}",
            placement=placement,
            known=",".join(known),
        )


class InvalidBatchError(RecsysError):
    """A batch of events has none, or more than one call may carry."""

    reason = "INVALID_BATCH"

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"{field}: {description}", field=field, description=description)
        self.violations = (FieldViolation(field, description),)


def _listed(violations: Sequence[FieldViolation]) -> str:
    field, description = violations[0]
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return f"{field}: {description}{more}"


class InvalidEventError(RecsysError):
    """Events of a batch have wrong fields; nothing of the batch was stored."""

    reason = "INVALID_EVENT"

    def __init__(self, violations: Sequence[FieldViolation]) -> None:
        super().__init__(_listed(violations), **violations[0]._asdict())
        self.violations = tuple(violations)


class InvalidItemError(RecsysError):
    """Items of a request have wrong fields; nothing of the request was stored."""

    reason = "INVALID_ITEM"

    def __init__(self, violations: Sequence[FieldViolation]) -> None:
        super().__init__(_listed(violations), **violations[0]._asdict())
        self.violations = tuple(violations)


class InvalidOfferError(RecsysError):
    """Offers of a request have wrong fields; nothing of the request was stored."""

    reason = "INVALID_OFFER"

    def __init__(self, violations: Sequence[FieldViolation]) -> None:
        super().__init__(_listed(violations), **violations[0]._asdict())
        self.violations = tuple(violations)


class UnknownOfferError(RecsysError):
    """There is no offer of this id, or it was removed."""

    reason = "UNKNOWN_OFFER"


class UnknownPlanError(RecsysError):
    """There is no finished plan of this id."""

    reason = "UNKNOWN_PLAN"


class StoreError(RecsysError):
    """The store refuses something; its kinds say what.

    All kinds take a text and metadata, so that one can travel between processes.
    """

    reason = "STORE_REFUSED"


class StoreUnavailableError(StoreError):
    """The store cannot be reached or its disk fails; what was asked may be asked again."""

    reason = "STORE_UNAVAILABLE"


class StoreFullError(StoreError):
    """The store's disk has no room; nothing of the write was kept."""

    reason = "STORE_FULL"


class StoreSchemaError(StoreError):
    """The store was written by a program that is too new or too old for this one."""

    reason = "STORE_SCHEMA"


class StoreNotConfiguredError(StoreError):
    """The server runs without a store, and what was asked needs one."""

    reason = "STORE_NOT_CONFIGURED"


class VisitorTakenError(StoreError):
    """A visitor is already linked to another customer."""

    reason = "VISITOR_TAKEN"


class UnknownItemError(StoreError):
    """An item is neither in the store nor in the bundle, or it was removed."""

    reason = "UNKNOWN_ITEM"


class ContactTakenError(StoreError):
    """A contact, or the request that made it, belongs to another customer."""

    reason = "CONTACT_TAKEN"
