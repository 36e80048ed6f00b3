"""The schema as a list of steps, forward only.

A step is never changed after a release: what follows is a new step. A step that only adds leaves
`readable_from` as it was, so that a server of the version before goes on reading while the new
one is rolled out; a step that takes something away raises it to its own number.
"""

from dataclasses import dataclass
from typing import NamedTuple

from recsys.errors import StoreSchemaError
from recsys.store.database import Session
from recsys.store.tables import meta


@dataclass(frozen=True, slots=True)
class Dialect:
    """The words in which the two drivers' DDL differ; `{whole}` and so on stand for them."""

    whole: str
    """64-bit integers."""
    real: str
    binary: str
    options: str
    """What ends CREATE TABLE."""
    clustered: str
    """What ends CREATE TABLE of a table that is best kept in the order of its key."""


SQLITE = Dialect("INTEGER", "REAL", "BLOB", "STRICT", "STRICT, WITHOUT ROWID")
POSTGRES = Dialect("BIGINT", "DOUBLE PRECISION", "BYTEA", "", "")


class Migration(NamedTuple):
    """One step, in the words of `Dialect`."""

    version: int
    readable_from: int
    """Oldest program, by its newest step, that can read the schema after this step."""
    statements: tuple[str, ...]


_EVENTS = Migration(
    version=1,
    readable_from=1,
    statements=(
        """CREATE TABLE events (
            position {whole} PRIMARY KEY,
            event_id TEXT NOT NULL,
            customer_id TEXT NOT NULL,
            session_id TEXT,
            basket_id TEXT,
            item_id TEXT,
            offer_id TEXT,
            event_type TEXT NOT NULL,
            event_time {whole} NOT NULL,
            quantity {real} NOT NULL,
            unit_price {real},
            channel TEXT,
            attribution_token TEXT,
            value {real},
            properties TEXT
        ) {options}""",
        "CREATE INDEX events_of_customer ON events (customer_id, position)",
        # Of archived events too, so that one sent again is still known.
        "CREATE TABLE event_keys (event_key {binary} PRIMARY KEY) {clustered}",
        "CREATE TABLE counters (name TEXT PRIMARY KEY, value {whole} NOT NULL) {clustered}",
        "INSERT INTO counters (name, value) VALUES ('position', 0)",
        """CREATE TABLE visitors (
            visitor_id TEXT PRIMARY KEY,
            customer_id TEXT NOT NULL,
            position {whole} NOT NULL,
            sequence {whole} NOT NULL,
            link_time {whole} NOT NULL
        ) {clustered}""",
        "CREATE INDEX visitors_of_customer ON visitors (customer_id, sequence)",
    ),
)

_IMPRESSIONS = Migration(
    version=2,
    readable_from=1,
    statements=(
        """CREATE TABLE impressions (
            number {whole} PRIMARY KEY,
            request_id {binary} NOT NULL,
            answer_time {whole} NOT NULL,
            customer_id TEXT,
            placement TEXT NOT NULL,
            bundle_version TEXT NOT NULL,
            experiment TEXT NOT NULL,
            arm TEXT NOT NULL,
            experiment_version TEXT NOT NULL,
            item_ids TEXT NOT NULL,
            scores TEXT NOT NULL,
            sources TEXT NOT NULL,
            explored_rank {whole},
            propensity {real},
            query TEXT NOT NULL
        ) {options}""",
        "CREATE UNIQUE INDEX impressions_by_request ON impressions (request_id)",
        "CREATE INDEX impressions_of_customer ON impressions (customer_id)",
        "CREATE INDEX impressions_by_time ON impressions (answer_time)",
        """CREATE TABLE impression_losses (
            loss_id TEXT PRIMARY KEY,
            first_time {whole} NOT NULL,
            last_time {whole} NOT NULL,
            placement TEXT NOT NULL,
            bundle_version TEXT NOT NULL,
            experiment TEXT NOT NULL,
            arm TEXT NOT NULL,
            lost {whole} NOT NULL
        ) {options}""",
        """CREATE TABLE experiments (
            version TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            arms TEXT NOT NULL,
            note_time {whole} NOT NULL
        ) {options}""",
    ),
)

_CUSTOMERS = Migration(
    version=4,
    readable_from=1,
    statements=(
        """CREATE TABLE consents (
            customer_id TEXT PRIMARY KEY,
            recommend_on_site {whole} NOT NULL,
            use_in_email {whole} NOT NULL,
            use_in_training {whole} NOT NULL,
            set_time {whole} NOT NULL
        ) {clustered}""",
        """CREATE TABLE tombstones (
            id_hash {binary} PRIMARY KEY,
            erase_time {whole} NOT NULL,
            position {whole} NOT NULL,
            sequence {whole} NOT NULL
        ) {clustered}""",
        "CREATE INDEX tombstones_in_order ON tombstones (sequence)",
        "INSERT INTO counters (name, value) VALUES ('tombstones', 0)",
    ),
)

_ARCHIVES = Migration(
    version=5,
    readable_from=1,
    statements=(
        """CREATE TABLE archive_files (
            name TEXT PRIMARY KEY,
            day TEXT NOT NULL,
            events {whole} NOT NULL,
            sha256 TEXT NOT NULL
        ) {clustered}""",
        "INSERT INTO counters (name, value) VALUES ('archives', 0)",
    ),
)

_CATALOGUE = Migration(
    version=3,
    readable_from=1,
    statements=(
        """CREATE TABLE catalogue (
            item_id TEXT PRIMARY KEY,
            replaces {whole} NOT NULL,
            removed {whole} NOT NULL,
            content TEXT NOT NULL,
            change_number {whole} NOT NULL
        ) {clustered}""",
        "CREATE INDEX catalogue_changes ON catalogue (change_number)",
    ),
)

_OFFERS = Migration(
    version=7,
    readable_from=1,
    statements=(
        """CREATE TABLE offers (
            offer_id TEXT PRIMARY KEY,
            content TEXT NOT NULL,
            voucher_stock {whole},
            budget {whole},
            removed {whole} NOT NULL,
            vouchers_taken {whole} NOT NULL,
            spent {whole} NOT NULL,
            contact_count {whole} NOT NULL,
            redemption_count {whole} NOT NULL,
            change_number {whole} NOT NULL
        ) {clustered}""",
        """CREATE TABLE contacts (
            number {whole} PRIMARY KEY,
            contact_id TEXT NOT NULL,
            customer_id TEXT NOT NULL,
            offer_id TEXT NOT NULL,
            channel TEXT NOT NULL,
            choose_time {whole} NOT NULL,
            plan_id TEXT NOT NULL,
            held_out {whole} NOT NULL,
            hold_out_share {real} NOT NULL,
            probability {real} NOT NULL,
            value {real} NOT NULL,
            basis TEXT NOT NULL,
            values_version TEXT NOT NULL,
            cost {whole} NOT NULL,
            contact_cost {whole} NOT NULL,
            redemption_cost {whole} NOT NULL,
            sent_time {whole},
            shown_time {whole},
            opened_time {whole},
            redeemed_time {whole},
            cancelled_time {whole},
            answer TEXT NOT NULL
        ) {options}""",
        "CREATE UNIQUE INDEX contacts_by_id ON contacts (contact_id)",
        "CREATE INDEX contacts_of_customer ON contacts (customer_id, choose_time)",
    ),
)

_REPLAY = Migration(
    version=6,
    readable_from=1,
    statements=(
        # Rows that were replaced: what an item was from one change until the next of its own.
        """CREATE TABLE catalogue_history (
            item_id TEXT NOT NULL,
            change_number {whole} NOT NULL,
            until_number {whole} NOT NULL,
            until_time {whole} NOT NULL,
            replaces {whole} NOT NULL,
            removed {whole} NOT NULL,
            content TEXT NOT NULL,
            PRIMARY KEY (item_id, change_number)
        ) {clustered}""",
        "CREATE INDEX catalogue_history_in_order ON catalogue_history (until_number)",
        # What was before this step was not kept.
        """INSERT INTO counters (name, value)
        SELECT 'catalogue_kept', COALESCE(MAX(value), 0) FROM counters WHERE name = 'catalogue'""",
        """CREATE TABLE deployments (
            version TEXT PRIMARY KEY,
            content TEXT NOT NULL,
            note_time {whole} NOT NULL
        ) {clustered}""",
    ),
)

_PLANS = Migration(
    version=8,
    readable_from=1,
    statements=(
        # Their rows are contacts.
        """CREATE TABLE plans (
            plan_id TEXT PRIMARY KEY,
            create_time {whole} NOT NULL,
            contact_time {whole} NOT NULL,
            row_count {whole} NOT NULL,
            expected_value {real} NOT NULL,
            gap {real} NOT NULL,
            finished {whole} NOT NULL,
            details TEXT NOT NULL
        ) {clustered}""",
    ),
)

MIGRATIONS: tuple[Migration, ...] = (
    _EVENTS,
    _IMPRESSIONS,
    _CATALOGUE,
    _CUSTOMERS,
    _ARCHIVES,
    _REPLAY,
    _OFFERS,
    _PLANS,
)
SCHEMA_VERSION = MIGRATIONS[-1].version


def migrate(session: Session, dialect: Dialect, steps: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Applies the steps that the store lacks; `session` is in a transaction.

    Raises:
        StoreSchemaError: the store was written by a newer program.
    """
    session.execute(meta.TABLE.format(**_words(dialect)))
    version = int(meta.read(session, "schema_version") or 0)
    if version > steps[-1].version:
        raise too_new(version, steps[-1].version)
    for step in steps:
        if step.version <= version:
            continue
        for statement in step.statements:
            session.execute(statement.format(**_words(dialect)))
        meta.write(session, "schema_version", str(step.version))
        meta.write(session, "readable_from", str(step.readable_from))
    meta.found(session)


def check_readable(session: Session, newest: int = SCHEMA_VERSION) -> None:
    """Says whether a program whose newest step is `newest` can read the store.

    Raises:
        StoreSchemaError: it cannot.
    """
    version = int(meta.read(session, "schema_version") or 0)
    if int(meta.read(session, "readable_from") or 0) > newest:
        raise too_new(version, newest)
    if version < newest:
        raise StoreSchemaError(
            f"the store has schema {version}, this program reads {newest}: it is migrated by "
            "the first server or command that writes to it",
            schema=str(version),
        )


def too_new(version: int, newest: int) -> StoreSchemaError:
    """Returns the error of a store that a newer program has written."""
    return StoreSchemaError(
        f"the store has schema {version}, this program knows {newest}: use a newer program",
        schema=str(version),
    )


def _words(dialect: Dialect) -> dict[str, str]:
    return {name: getattr(dialect, name) for name in Dialect.__slots__}
