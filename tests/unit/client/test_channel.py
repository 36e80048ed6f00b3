"""How the client turns its targets into one that gRPC understands."""

import socket
import time
from typing import Any

import grpc
import pytest

from recsys.client.channel import channel_options, target_uri


def test_single_target_is_left_to_grpc() -> None:
    assert target_uri(["dns:///shop.example:50051"]) == "dns:///shop.example:50051"


def test_names_become_addresses_of_one_kind() -> None:
    assert target_uri(["127.0.0.1:1", "localhost:2"]) == "ipv4:127.0.0.1:1,127.0.0.1:2"
    assert target_uri(["[::1]:1", "[::1]:2"]) == "ipv6:[::1]:1,[::1]:2"


@pytest.mark.parametrize(
    ("targets", "text"),
    [
        ([], "at least one"),
        ("localhost:1", "must be a list"),
        (["localhost:1", "localhost"], "'localhost' is not"),
        (["127.0.0.1:1", "[::1]:2"], "no addresses of one kind"),
    ],
)
def test_wrong_targets_are_refused(targets: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        target_uri(targets)


def test_name_without_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ValueError, match="no addresses"):
        target_uri(["nowhere.invalid:1", "nowhere.invalid:2"])


def test_a_server_that_is_away_is_sought_again_soon() -> None:
    """gRPC by itself would try at 0, 1, 2.6, 5.2 seconds, and later every two minutes."""
    tries, end = 0, time.monotonic() + 5
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        target = f"127.0.0.1:{listener.getsockname()[1]}"
        with grpc.insecure_channel(target, channel_options()) as channel:
            ready = grpc.channel_ready_future(channel)
            while tries < 6 and time.monotonic() < end:
                try:
                    listener.accept()[0].close()
                    tries += 1
                except TimeoutError:
                    continue
            ready.cancel()
    assert tries == 6
