"""What a client has in place of its connections once it is closed."""

from typing import NoReturn

from recsys.client.errors import ArgumentError


class Closed:
    """Refuses every use, as of a channel or a stub."""

    def unsubscribe(self, callback: object) -> None:
        """Does nothing: a wait for a channel that never began ends with this."""

    def __getattr__(self, name: str) -> NoReturn:
        """Says that the client is closed.

        Raises:
            ArgumentError: always.
        """
        del name
        raise ArgumentError(
            "client", "is closed: call it within its `with` block, or make another client"
        )
