"""The log of what was shown, what of it was lost, and the experiments that it was shown in."""

import json
from collections.abc import Sequence

from recsys.store.database import Row, Session
from recsys.store.impressions import (
    DeploymentNote,
    ExperimentNote,
    Impression,
    Loss,
    Noted,
)
from recsys.store.tables import counters

COUNTER = "impressions"
COLUMNS = ("number", *Impression._fields)
_FIELDS = ", ".join(Impression._fields)
_TEXTS = frozenset({"item_ids", "scores", "sources", "query"})
"""Columns that hold JSON text."""


def append(session: Session, impressions: Sequence[Impression]) -> int:
    """Stores what is new by request id; returns how many that are."""
    by_id = {bytes.fromhex(each.request_id): each for each in impressions}
    known = session.existing("impressions", "request_id", list(by_id))
    fresh = [(key, each) for key, each in by_id.items() if key not in known]
    if not fresh:
        return 0
    first = counters.bump(session, COUNTER, len(fresh)) - len(fresh) + 1
    rows = [(first + place, key, *_values(each)) for place, (key, each) in enumerate(fresh)]
    session.insert("impressions", COLUMNS, rows)
    return len(fresh)


def add_losses(session: Session, losses: Sequence[Loss]) -> int:
    """Stores what was lost, each loss once; returns how many impressions that adds."""
    by_id = {loss.loss_id: loss for loss in losses}
    known = session.existing("impression_losses", "loss_id", list(by_id))
    fresh = [loss for key, loss in by_id.items() if key not in known]
    if fresh:
        session.insert("impression_losses", Loss._fields, [tuple(loss) for loss in fresh])
    return sum(loss.lost for loss in fresh)


def note_experiments(session: Session, notes: Sequence[ExperimentNote], now: int) -> int:
    """Stores definitions that are not known by their version; returns how many those are."""
    by_version = {note.version: note for note in notes}
    known = session.existing("experiments", "version", list(by_version))
    rows = [
        (version, note.name, json.dumps(note.arms, ensure_ascii=False), now)
        for version, note in by_version.items()
        if version not in known
    ]
    if rows:
        session.insert("experiments", Noted._fields, rows)
    return len(rows)


def note_deployments(session: Session, notes: Sequence[DeploymentNote], now: int) -> int:
    """Stores what deployment files said, each text once; returns how many are new."""
    by_version = {note.version: note for note in notes}
    known = session.existing("deployments", "version", list(by_version))
    rows = [(*note, now) for version, note in by_version.items() if version not in known]
    if rows:
        session.insert("deployments", (*DeploymentNote._fields, "note_time"), rows)
    return len(rows)


def deployment(session: Session, version: str) -> DeploymentNote | None:
    """Returns what a deployment file said."""
    columns = ", ".join(DeploymentNote._fields)
    rows = session.rows(f"SELECT {columns} FROM deployments WHERE version = ?", (version,))  # noqa: S608
    return DeploymentNote(*rows[0]) if rows else None


def of_request(session: Session, request_id: str) -> Impression | None:
    """Returns the answer of a request, by its 32 hexadecimal digits."""
    rows = session.rows(
        f"SELECT {_FIELDS} FROM impressions WHERE request_id = ?",  # noqa: S608
        (bytes.fromhex(request_id),),
    )
    return _impression(rows[0]) if rows else None


def latest(session: Session, limit: int) -> list[Impression]:
    """Returns the latest answers, the oldest of them first."""
    rows = session.rows(
        f"SELECT {_FIELDS} FROM impressions ORDER BY number DESC LIMIT ?",  # noqa: S608
        (limit,),
    )
    return [_impression(row) for row in reversed(rows)]


def rows_of(
    session: Session, columns: Sequence[str], after: int, until: int, limit: int
) -> list[Row]:
    """Returns columns of up to `limit` impressions with `after` < number <= `until`, in order."""
    return session.rows(
        f"SELECT {', '.join(columns)} FROM impressions "  # noqa: S608  our own names
        "WHERE number > ? AND number <= ? ORDER BY number LIMIT ?",
        (after, until, limit),
    )


def numbers_between(session: Session, since: int, until: int) -> tuple[int, int]:
    """Returns the first and the last number with `since` <= answer time < `until`; 0, 0: none."""
    rows = session.rows(
        "SELECT MIN(number), MAX(number) FROM impressions "
        "WHERE answer_time >= ? AND answer_time < ?",
        (since, until),
    )
    first, last = rows[0]
    return int(first or 0), int(last or 0)


def losses_between(session: Session, since: int, until: int) -> list[Loss]:
    """Returns the losses that began within a time."""
    rows = session.rows(
        f"SELECT {', '.join(Loss._fields)} FROM impression_losses "  # noqa: S608  our own names
        "WHERE first_time >= ? AND first_time < ? ORDER BY first_time, loss_id",
        (since, until),
    )
    return [Loss(*row) for row in rows]


def experiments(session: Session) -> list[Noted]:
    """Returns all definitions that were ever noted, the oldest first."""
    rows = session.rows(
        "SELECT version, name, arms, note_time FROM experiments ORDER BY note_time, version"
    )
    return [Noted(version, name, json.loads(arms), time) for version, name, arms, time in rows]


def remove_before(session: Session, time: int, limit: int) -> int:
    """Removes up to `limit` of what was shown before a time, the oldest first.

    The losses of that time go with the last of it.

    Returns:
        How many impressions were removed; 0: none is left.
    """
    removed = session.rows(
        "DELETE FROM impressions WHERE number IN (SELECT number FROM impressions "
        "WHERE answer_time < ? ORDER BY answer_time LIMIT ?) RETURNING number",
        (time, limit),
    )
    if len(removed) < limit:
        session.execute("DELETE FROM impression_losses WHERE last_time < ?", (time,))
    return len(removed)


def _impression(row: Row) -> Impression:
    named = dict(zip(Impression._fields, row, strict=True))
    told = {name: json.loads(named[name]) for name in _TEXTS}
    return Impression(**{**named, **told, "request_id": bytes(named["request_id"]).hex()})


def _values(impression: Impression) -> list[object]:
    """Returns what follows request id in a row."""
    return [
        _text(value) if name in _TEXTS else value
        for name, value in zip(Impression._fields[1:], impression[1:], strict=True)
    ]


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
