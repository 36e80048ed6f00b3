"""Offers files, and where in them something is wrong."""

from pathlib import Path

import pytest

from recsys.errors import ConfigError
from recsys.offers.offers_file import read_offers, refusal

GOOD = """
[offers.tea-10]
title = "10 % off tea"
kind = "percent"
discount = 10
channels = ["email", "web"]
scope.category = ["Drinks", "Tea"]
budget = 500

[offers.tea-10.cost]
per_contact = 0.01
per_redemption = 0.8

[offers.news]
kind = "content"
channels = ["email"]
eligibility = "purchases > 0"
"""


def wrong(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "offers.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        read_offers(file)
    return str(refused.value).replace(str(file), "offers.toml").splitlines()


def test_a_file_is_its_offers(tmp_path: Path) -> None:
    file = tmp_path / "offers.toml"
    file.write_text(GOOD)
    tea, news = read_offers(file).offers
    assert (tea.offer_id, tea.scope.category, tea.budget) == ("tea-10", ("Drinks", "Tea"), 500)
    assert news.eligibility == "purchases > 0"


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ("budget = 500\n", "", 2, "budget: is needed"),
        ("discount = 10\n", "discount = 0\n", 5, "discount: must be above 0"),
        ('"percent"', '"perzent"', 4, "offers.tea-10.kind"),
        ("per_contact = 0.01", "per_kontakt = 0.01", 11, "per_kontakt"),
        ('channels = ["email"]', "channels = []", 16, "offers.news.channels"),
        ("[offers.news]", '[offers.news]\noffer_id = "other"', 15, "name of its table"),
        ("[offers.news]", "[offer.news]", 14, "offer"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, text: str
) -> None:
    [problem] = wrong(tmp_path, GOOD.replace(old, new))
    assert problem.startswith(f"offers.toml:{line}: ")
    assert text in problem


def test_a_file_without_offers_is_none(tmp_path: Path) -> None:
    assert "offers" in wrong(tmp_path, "")[0]
    assert "offers" in wrong(tmp_path, "[offers]")[0]
    assert "offers" in wrong(tmp_path, "offers = 3")[0]


def test_what_a_server_refuses_has_a_line_too(tmp_path: Path) -> None:
    file = tmp_path / "offers.toml"
    file.write_text(GOOD)
    text = read_offers(file)
    error = refusal(file, text, "offers[1].eligibility", "there is no column 'x'")
    assert str(error) == f"{file}:17: offers.news.eligibility: there is no column 'x'"
    assert "offers[7].title" in str(refusal(file, text, "offers[7].title", "no"))
    assert f"{file}:4" in str(refusal(file, text, "offers[0].kind", "no"))
