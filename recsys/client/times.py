"""From Python's times to the contract's."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp


def to_timestamp(time: datetime, field: str) -> Timestamp:
    """Returns a moment as the contract has it.

    Raises:
        ValueError: the time has no time zone; the text names the field.
    """
    if time.tzinfo is None:
        raise ValueError(f"{field} needs a time zone")
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
