"""A study of uplift, as a person types it: terminal, JSON and page."""

import io
import json
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest

from evaluation.cli import main
from tests.planted import planted


def evaluation(*words: object) -> tuple[int, str, str]:
    """Returns exit status, what was printed, and what was complained of."""
    with (
        redirect_stdout(io.StringIO()) as output,
        redirect_stderr(io.StringIO()) as complaint,
        patch.object(sys, "argv", ["evaluation", *map(str, words)]),
        patch.dict("os.environ", {"COLUMNS": "200"}),
    ):
        try:
            main()
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
    return status, output.getvalue(), complaint.getvalue()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mailing with a planted effect, whose fifth feature is a town."""
    trial = planted(1, 4_000).trial
    towns = pl.Series(["oslo", "rome"] * 2_000)
    file = tmp_path_factory.mktemp("uplift") / "mailing.parquet"
    pl.DataFrame(
        {
            "sent": trial.treated,
            "bought": trial.outcomes.astype(int),
            "town": towns,
            **{f"x{place}": trial.rows[:, place] for place in range(4)},
        }
    ).write_parquet(file)
    return file


OPTIONS = ("--treatment", "sent", "--outcome", "bought", "--features", "x0,x1,x2,x3,town")


@pytest.fixture(scope="module")
def reported(table: Path) -> tuple[str, dict, str]:
    page = table.with_name("uplift.html")
    status, said, complaint = evaluation(
        "uplift", table, *OPTIONS, "--splits", 4, "--report", page
    )
    assert status == 0, complaint
    return said, json.loads(page.with_suffix(".json").read_text()), page.read_text()


@pytest.mark.extra(name="report")
def test_the_planted_effect_is_in_the_figures(reported) -> None:
    said, figures, _ = reported
    assert figures["effect"]["value"] == pytest.approx(0.08, abs=0.04)
    assert figures["leads"]["random"]["qini"]["value"] > 0
    assert figures["balance"]["looks_random"] is True
    assert {each["feature"] for each in figures["respondents"][:2]} == {"x0", "x1"}
    assert sum(each["share"] for each in figures["respondents"]) == pytest.approx(1.0)
    assert "4,000 customers" in said
    assert "Not drawn by lot" not in said


@pytest.mark.extra(name="report")
def test_the_curve_ends_at_the_mean_effect(reported) -> None:
    curves = reported[1]["qini_curves"]
    assert curves["shares"][0] == 0.0
    assert curves["shares"][-1] == 1.0
    assert curves["t-learner"][-1] == pytest.approx(reported[1]["effect"]["value"], abs=0.02)


@pytest.mark.extra(name="report")
def test_the_page_needs_nothing_from_elsewhere(reported) -> None:
    page = reported[2]
    assert page.count("<svg") == 3
    assert "<script" not in page
    assert not re.search(r'(src|href)="http', page)
    for said in ("Who responds", "class-transformation", "town", "oslo", "random order"):
        assert said in page


def test_sides_that_were_chosen_are_called_so(table: Path) -> None:
    rows = pl.read_parquet(table).with_columns(sent=pl.col("x0") > pl.col("x2"))
    rows.write_parquet(table.with_name("chosen.parquet"))
    status, said, _ = evaluation(
        "uplift", table.with_name("chosen.parquet"), *OPTIONS, "--splits", 2
    )
    assert status == 0
    assert "Not drawn by lot" in said
    assert "none of these figures is an effect" in said.replace("\n", " ")


def test_amounts_are_judged_too_but_not_by_classes(table: Path) -> None:
    rows = pl.read_parquet(table).with_columns(bought=pl.col("bought") * 12.5)
    file = table.with_name("amounts.csv")
    rows.write_csv(file)
    status, _, complaint = evaluation("uplift", file, *OPTIONS, "--splits", 2)
    assert status == 1
    assert "the class transformation is for outcomes of 0 and 1" in complaint
    words = ("--splits", 2, "--learners", "t-learner", "--json", table.with_name("amounts.json"))
    status, _, complaint = evaluation("uplift", file, *OPTIONS, *words)
    assert status == 0, complaint
    assert json.loads(table.with_name("amounts.json").read_text())["effect"]["value"] > 0.5


@pytest.mark.parametrize(
    ("words", "status", "complains"),
    [
        (("--outcome", "nothing"), 1, "no column 'nothing'"),
        (("--treated", "7"), 1, "nobody has sent = '7'"),
        (("--learners", "oracle"), 2, "--learners"),
        (("--splits", "1"), 2, "--splits"),
    ],
)
def test_what_cannot_be_done_is_said(table: Path, words, status: int, complains: str) -> None:
    ended, _, complaint = evaluation("uplift", table, *OPTIONS, *words)
    assert ended == status
    assert complains in complaint


def test_a_table_of_few_customers_is_refused(table: Path) -> None:
    file = table.with_name("few.parquet")
    pl.read_parquet(table).head(150).write_parquet(file)
    status, _, complaint = evaluation("uplift", file, *OPTIONS)
    assert status == 1
    assert "at least 100 of each" in complaint


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    status, _, complaint = evaluation("uplift", tmp_path / "none.parquet", *OPTIONS)
    assert status == 1
    assert "none.parquet" in complaint
