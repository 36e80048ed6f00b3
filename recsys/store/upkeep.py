"""Work on the database as a whole, by name as `writes` are, outside of any transaction."""

from collections.abc import Callable, Mapping

from recsys.store.database import Database
from recsys.store.writes import Arguments


def _scrub(database: Database, arguments: Arguments) -> None:
    database.scrub(arguments["texts"])


UPKEEP: Mapping[str, Callable[[Database, Arguments], None]] = {"scrub": _scrub}
