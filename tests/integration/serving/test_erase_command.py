"""`python -m serving erase`: what it prints, and how it ends."""

import pytest
from typer.testing import CliRunner

from recsys.client import RecsysClient
from recsys.client.customers import ErasureFindings, HoldingBundle
from recsys.store.store import Store
from recsys.types import visitor_key
from serving.cli import app
from tests.integration.serving.steered import RunningServer, ServerFactory
from tests.stores import log_event


@pytest.fixture
def served(store: Store, start_server: ServerFactory) -> RunningServer:
    store.append([log_event("a"), log_event("b", visitor_key("v1")), log_event("c", "ben")])
    return start_server(event_store=store)


def erase(server: RunningServer, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["erase", "--target", server.target, *words])
    return result.exit_code, result.output


def test_a_receipt_is_printed_and_verified(served: RunningServer, store: Store) -> None:
    status, before = erase(served, "--customer", "anna", "--verify")
    assert status == 1
    assert "No erasure is on record." in before
    assert "events               1" in before
    status, text = erase(served, "--customer", "anna")
    assert status == 0
    assert "Receipt " in text
    assert "events               1 removed" in text
    assert "Nothing from before" in text
    assert "anna" not in text
    assert erase(served, "--customer", "anna", "--verify")[0] == 0
    assert [row[1] for row in store.rows(0, 9, 9)] == ["b", "c"]


def test_a_visitor_is_erased_by_name(served: RunningServer, store: Store) -> None:
    assert erase(served, "--visitor", "v1")[0] == 0
    assert [row[1] for row in store.rows(0, 9, 9)] == ["a", "c"]
    store.link_visitor("v2", "ben")
    status, text = erase(served, "--visitor", "v2")
    assert status == 1
    assert "name the customer" in text


def test_bundles_that_hold_the_customer_are_listed(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HoldingBundle("20260101T000000Z-abc", current=True, newer_bundles_until_removed=5)
    found = ErasureFindings(None, {}, (held,))
    monkeypatch.setattr(RecsysClient, "verify_erasure", lambda *_, **__: found)
    status, text = erase(served, "--customer", "anna", "--verify")
    assert status == 0
    assert "20260101T000000Z-abc (current): removed after 5 more" in text


def test_what_cannot_be_done_is_said_in_a_sentence(
    served: RunningServer, running: RunningServer
) -> None:
    assert erase(served)[0] == 2
    assert erase(served, "--customer", "anna", "--visitor", "v1")[0] == 2
    status, text = erase(served, "--customer", "visitor/v1")
    assert (status, "customer_id" in text) == (2, True)
    status, text = erase(running, "--customer", "anna")
    assert status == 1
    assert "without an event store" in text
