"""`python -m serving offers` against a real server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from recsys.store.open import open_store
from serving.cli import app
from tests.integration.serving.shop_server import shop_server

FILE = """
[offers.tea]
kind = "percent"
discount = 10
channels = ["email"]
scope.category = ["Drinks", "Tea"]
cost.per_redemption = 0.5
budget = 100
voucher_stock = 7

[offers.news]
kind = "content"
channels = ["email"]
eligibility = "purchases > 0"
"""


@pytest.fixture
def target(bundle_root: Path, tmp_path: Path) -> Iterator[str]:
    store = open_store(f"store://{tmp_path / 'store'}")
    # The server logs in this process: else commands would seem to print that.
    with capture_logs(), shop_server(bundle_root, store) as running:
        yield running
    store.close()


def offers(*words: object) -> Result:
    return CliRunner().invoke(app, ["offers", *map(str, words)])


def test_offers_are_loaded_listed_shown_and_removed(target: str, tmp_path: Path) -> None:
    file = tmp_path / "offers.toml"
    file.write_text(FILE)
    assert "2 offers" in offers("load", file, "--check").stdout
    assert offers("load", file, "--target", target).stdout == "2 offers created, 0 replaced\n"
    assert offers("load", file, "--target", target).stdout == "0 offers created, 2 replaced\n"
    assert "10 percent" in offers("list", "--target", target).stdout
    lines = offers("list", "--json", "--target", target).stdout.splitlines()
    assert [json.loads(line)["offer_id"] for line in lines] == ["news", "tea"]
    shown = json.loads(offers("show", "tea", "--target", target).stdout)
    assert (shown["vouchers_left"], shown["budget_left"], shown["discount"]) == (7, 100.0, 10.0)
    assert offers("remove", "tea", "x", "--target", target).stdout == "1 of 2 offers removed\n"
    assert offers("show", "tea", "--target", target).exit_code == 1


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("purchases > 0", "income > 3", ":14: offers.news.eligibility: there is no column"),
        ("purchases > 0", "purchases >", ":14: offers.news.eligibility: "),
        ("budget = 100\n", "", ":2: offers.tea: budget: is needed"),
    ],
)
def test_a_wrong_file_changes_nothing(
    target: str, tmp_path: Path, old: str, new: str, says: str
) -> None:
    file = tmp_path / "offers.toml"
    file.write_text(FILE.replace(old, new))
    done = offers("load", file, "--target", target)
    assert done.exit_code == 2
    assert f"{file}{says}" in done.stderr
    assert offers("list", "--json", "--target", target).stdout == ""


def test_a_server_that_is_not_there_is_another_status() -> None:
    assert offers("list", "--target", "127.0.0.1:1").exit_code == 1
