"""From Python's times to the contract's."""

from google.protobuf.timestamp_pb2 import Timestamp

from recsys.client.checks import time


def to_timestamp(moment: object, field: str) -> Timestamp:
    """Returns a moment as the contract has it.

    Raises:
        ArgumentError: it is no datetime, or has no time zone; the text names the field.
    """
    timestamp = Timestamp()
    timestamp.FromDatetime(time(field, moment))
    return timestamp
