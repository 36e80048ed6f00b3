"""How a channel finds its servers, balances between them and repeats calls."""

import json
import socket
from collections.abc import Sequence

from recsys.client.checks import texts
from recsys.client.errors import ArgumentError
from recsys.v1.catalog_service_pb2 import DESCRIPTOR as CATALOGUE_FILE
from recsys.v1.customer_service_pb2 import DESCRIPTOR as CUSTOMER_FILE
from recsys.v1.event_service_pb2 import DESCRIPTOR as EVENT_FILE
from recsys.v1.recommendation_service_pb2 import DESCRIPTOR

SERVICE = DESCRIPTOR.services_by_name["RecommendationService"].full_name
CUSTOMERS = CUSTOMER_FILE.services_by_name["CustomerService"].full_name
CATALOGUE = CATALOGUE_FILE.services_by_name["CatalogService"].full_name
EVENTS = EVENT_FILE.services_by_name["EventService"].full_name
MAX_RESPONSE_BYTES = 64 * 1024 * 1024
RECONNECT_MS = (100, 2_000)
"""First and longest pause between two tries to reach a server. gRPC's own grows to two minutes, in
which a shop would not notice that its server is back."""

DEFAULT = "localhost:50051"
_SCHEMES = frozenset({"dns", "unix", "unix-abstract", "vsock", "ipv4", "ipv6", "xds"})
_WEB = frozenset({"http", "https", "grpc", "grpcs"})
_PORTS = 2**16

SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    # A server that drains says so through its health; calls then go to the others.
    "healthCheckConfig": {"serviceName": SERVICE},
    "methodConfig": [
        {
            # What is written again is known: customers, items and events have ids.
            "name": [
                {"service": SERVICE},
                {"service": CUSTOMERS},
                {"service": CATALOGUE},
                {"service": EVENTS},
            ],
            "retryPolicy": {
                "maxAttempts": 3,
                "initialBackoff": "0.05s",
                "maxBackoff": "0.5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
    # Retries stop while most calls fail, so that they cannot keep a failing service down.
    "retryThrottling": {"maxTokens": 20, "tokenRatio": 0.1},
}


def channel_options() -> list[tuple[str, str | int]]:
    """Returns the options of a channel, the same for threads and asyncio."""
    return [
        ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
        ("grpc.max_receive_message_length", MAX_RESPONSE_BYTES),
        ("grpc.initial_reconnect_backoff_ms", RECONNECT_MS[0]),
        ("grpc.max_reconnect_backoff_ms", RECONNECT_MS[1]),
    ]


def target_uri(targets: Sequence[str]) -> str:
    """Returns one gRPC target for a list of `host:port`.

    A single target is left to gRPC, which follows changes of its DNS name. Names among several are
    looked up here, once, because gRPC takes a list of addresses only.

    Raises:
        ArgumentError: there is no target, one is not `host:port`, or a name has no address.
    """
    if isinstance(targets, str):
        hint = f"must be a list of 'host:port', is the text {targets!r}: write [{targets!r}]"
        raise ArgumentError("targets", hint)
    if not targets:
        raise ArgumentError("targets", "must be a list with at least one 'host:port', is empty")
    texts("targets", targets)
    if len(targets) == 1:
        return _single(targets[0])
    for family, scheme in ((socket.AF_INET, "ipv4"), (socket.AF_INET6, "ipv6")):
        addresses = [_address(target, family) for target in targets]
        if all(addresses):
            return f"{scheme}:{','.join(address for address in addresses if address)}"
    text = f"have no addresses of one kind: {', '.join(targets)}"
    raise ArgumentError("targets", text)


def _single(target: str) -> str:
    """Returns a target that gRPC resolves: `host:port`, or a name of one of gRPC's schemes."""
    scheme = target.partition(":")[0]
    if scheme in _WEB:
        text = (
            f"target {target!r} is an address of the web: write 'host:port', such as {DEFAULT!r}"
        )
        raise ArgumentError("targets", text)
    if scheme not in _SCHEMES:
        _host_and_port(target)
    return target


def _host_and_port(target: str) -> tuple[str, int]:
    host, colon, port = target.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < _PORTS:
        text = f"target {target!r} is not 'host:port', such as {DEFAULT!r}"
        raise ArgumentError("targets", text)
    return host, int(port)


def _address(target: str, family: socket.AddressFamily) -> str | None:
    host, port = _host_and_port(target)
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, family, socket.SOCK_STREAM)
    except socket.gaierror:
        return None
    address = str(found[0][4][0])
    return f"[{address}]:{port}" if family == socket.AF_INET6 else f"{address}:{port}"
