"""What customers allowed; who is not here allows everything."""

from recsys.store.consent import Consent, Refusals, StoredConsent
from recsys.store.database import Session
from recsys.store.tables import counters

COUNTER = "consents"
COLUMNS = ("customer_id", *Consent._fields, "set_time")


def read(session: Session, customer_id: str) -> StoredConsent:
    """Returns what a customer allowed last, or the default."""
    rows = session.rows(
        f"SELECT {', '.join(COLUMNS[1:])} FROM consents WHERE customer_id = ?",  # noqa: S608
        (customer_id,),
    )
    if not rows:
        return StoredConsent(Consent(), None)
    *purposes, set_time = rows[0]
    return StoredConsent(Consent(*map(bool, purposes)), set_time)


def write(session: Session, customer_id: str, consent: Consent, now: int) -> None:
    """Sets what a customer allows from now on."""
    session.execute("DELETE FROM consents WHERE customer_id = ?", (customer_id,))
    session.insert("consents", COLUMNS, [(customer_id, *map(int, consent), now)])
    counters.bump(session, COUNTER)


def refusals(session: Session) -> Refusals:
    """Returns who refuses what."""
    change = counters.read(session, COUNTER)
    refusing = {purpose: _refusing(session, purpose) for purpose in Consent._fields}
    return Refusals(refusing, change)


def _refusing(session: Session, purpose: str) -> frozenset[str]:
    rows = session.rows(f"SELECT customer_id FROM consents WHERE {purpose} = 0")  # noqa: S608
    return frozenset(row[0] for row in rows)


def refusing_training(session: Session) -> list[str]:
    """Returns the customers whose events no model may be fitted on, those of visitors included."""
    rows = session.rows(
        "SELECT customer_id FROM consents WHERE use_in_training = 0 ORDER BY customer_id"
    )
    return [row[0] for row in rows]
