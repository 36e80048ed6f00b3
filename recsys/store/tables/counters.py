"""Numbers that only grow, one per name; a bump is seen with the rows of its transaction."""

from recsys.store.database import Session


def read_all(session: Session) -> dict[str, int]:
    """Returns every counter by name."""
    return dict(session.rows("SELECT name, value FROM counters"))


def read(session: Session, name: str) -> int:
    """Returns one counter; 0 if it was never bumped."""
    rows = session.rows("SELECT value FROM counters WHERE name = ?", (name,))
    return int(rows[0][0]) if rows else 0


def write(session: Session, name: str, value: int) -> None:
    """Sets a counter that is there already."""
    session.execute("UPDATE counters SET value = ? WHERE name = ?", (value, name))


def bump(session: Session, name: str, by: int = 1) -> int:
    """Adds to a counter and returns its new value."""
    rows = session.rows(
        "INSERT INTO counters (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value "
        "RETURNING value",
        (name, by),
    )
    return int(rows[0][0])
