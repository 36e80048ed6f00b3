"""What the store knows about itself: schema, identity, secret."""

import secrets
import uuid

from recsys.store.database import Session

TABLE = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) {clustered}"
SECRET_BYTES = 32


def read(session: Session, name: str) -> str | None:
    """Returns a value, or None if there is none by this name."""
    rows = session.rows("SELECT value FROM meta WHERE name = ?", (name,))
    return str(rows[0][0]) if rows else None


def secret(session: Session) -> bytes:
    """Returns the random bytes that key hashes of ids, made with the store."""
    return bytes.fromhex(read(session, "secret") or "")


def write(session: Session, name: str, value: str) -> None:
    """Sets a value."""
    session.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def found(session: Session) -> None:
    """Gives a new store its identity and its secret; an old one keeps them."""
    for name, value in (("id", str(uuid.uuid4())), ("secret", secrets.token_hex(SECRET_BYTES))):
        session.execute(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
            (name, value),
        )
