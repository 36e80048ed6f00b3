"""How the client turns its targets into one that gRPC understands."""

import socket
from typing import Any

import pytest

from recsys.client.channel import target_uri


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
