"""Data and options at the edge: `run` ends with one sentence, or with a result and a note."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from evaluation.cli import app
from recsys.data.dataset import Dataset
from recsys.errors import RecsysError
from tests.shop_folder import write_shop
from tests.small_shop import START, shop_dataset

CONFIG = """
extends = "nothing"
[models.popularity]
kind = "popularity"
[models.repurchase]
kind = "repurchase"
[sources]
popular = { kind = "popular", model = "popularity" }
repurchase = { kind = "repurchase", model = "repurchase" }
[placements.for_you]
sources = [{ name = "popular", weight = 1.0 }]
fill = ["popular"]
[placements.discover]
sources = [{ name = "popular", weight = 1.0 }]
fill = ["popular"]
exclude = "bought"
[placements.buy_again]
sources = [{ name = "repurchase", weight = 1.0 }]
fill = ["repurchase"]
only_bought = true
[placements.bought_together]
sources = [{ name = "popular", weight = 1.0 }]
fill = ["popular"]
seeds = "context"
"""
Change = Callable[[pl.DataFrame], pl.DataFrame]
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Writes the small shop's changed events, and evaluates them."""
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)

    def call(change: Change, *options: str) -> Result:
        whole = shop_dataset()
        changed: Dataset = replace(whole, events=change(whole.events.collect()).lazy())
        (tmp_path / "data").mkdir()
        data = write_shop(changed, tmp_path / "data")
        common = ("run", "--data", str(data), "--config", str(config))
        return CliRunner().invoke(app, [*common, *options])

    return call


def as_it_is(events: pl.DataFrame) -> pl.DataFrame:
    return events


def bought(events: pl.DataFrame) -> pl.DataFrame:
    return events.filter(pl.col("event_type") == "purchase")


def same_again(events: pl.DataFrame) -> pl.DataFrame:
    """Everybody buys the same a second time, and nothing else."""
    first = bought(events).filter(pl.col("event_time") < START + timedelta(days=40))
    again = pl.col("event_id") + "-again", pl.col("event_time") + timedelta(days=45)
    return pl.concat([first, first.with_columns(*again)])


def at_once(events: pl.DataFrame) -> pl.DataFrame:
    return events.with_columns(
        pl.lit(START + timedelta(hours=5)).cast(events.schema["event_time"]).alias("event_time")
    )


def visitors(events: pl.DataFrame) -> pl.DataFrame:
    return events.with_columns(
        visitor_id=pl.col("customer_id"), customer_id=pl.lit(None, pl.String)
    )


def one_customer(events: pl.DataFrame) -> pl.DataFrame:
    return events.filter(pl.col("customer_id") == "customer-03")


def one_item(events: pl.DataFrame) -> pl.DataFrame:
    return events.filter(pl.col("item_id") == "item-06")


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (same_again, ("--placements", "discover"), "discover: no customer has a right answer"),
        (
            same_again,
            ("--placements", "for_you", "--mask", "bought"),
            "for_you: no customer has a right answer after the cutoff that the mask 'bought'",
        ),
        (as_it_is, ("--min-item-events", "100000"), "no item is left before 2026-03-"),
        (as_it_is, ("--cutoff", "1990-01-01"), "nothing lies before the cut-off 1990-01-01"),
        (as_it_is, ("--cutoff", "2090-01-01"), "nothing lies after the cut-off 2090-01-01"),
        (as_it_is, ("--cutoff", "0001-01-01"), "the data go from 2026-01-0"),
        (as_it_is, ("--cutoff", "9999-12-31"), "the data go from 2026-01-0"),
        (as_it_is, ("--test-days", "36525"), "nothing lies before the cut-off 1926-"),
        (as_it_is, ("--protocol", "rolling-origin", "--folds", "50"), "nothing lies before"),
        (at_once, (), "all events have one time, 2026-01-01 05:00 UTC"),
        (at_once, ("--protocol", "next-basket"), "no customer has enough events"),
        (visitors, (), "no event names a customer, only visitors"),
        (visitors, ("--protocol", "random"), "no customer has enough events"),
        (pl.DataFrame.clear, (), "no events to split"),
        (pl.DataFrame.clear, ("--protocol", "random"), "no events to split"),
        (pl.DataFrame.clear, ("--protocol", "next-basket"), "no events to split"),
        (pl.DataFrame.clear, ("--protocol", "rolling-origin"), "no events to split"),
        (one_customer, ("--protocol", "leave-last-one"), "nobody can be judged by"),
        (one_customer, ("--protocol", "strong-generalisation"), "the training side has no event"),
        (lambda events: bought(events).head(1), (), "one time"),
        (
            lambda events: events.filter(pl.col("event_type") == "view"),
            (),
            "purchases after (0 have)",
        ),
    ],
)
def test_what_cannot_be_judged_is_one_sentence(
    run: Run, change: Change, options: tuple[str, ...], said: str
) -> None:
    done = run(change, *options)
    assert isinstance(done.exception, RecsysError), done.output
    assert said in str(done.exception)


@pytest.mark.parametrize(
    "report", [False, pytest.param(True, marks=pytest.mark.extra(name="report"))]
)
def test_a_mask_that_leaves_nobody_a_right_item_names_every_placement(
    run: Run, tmp_path: Path, *, report: bool
) -> None:
    """It ended in an IndexError where nothing was asked for by name."""
    options = ("--report", str(tmp_path / "report.html")) if report else ()
    done = run(same_again, "--protocol", "leave-last-one", "--mask", "seen", *options)
    assert isinstance(done.exception, RecsysError), done.output
    assert str(done.exception).startswith("nobody can be judged by (events mask=seen): discover: ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--placements", "nonsense"), "'nonsense' is not one of for_you, discover"),
        (("--placements", ""), "is not one of for_you"),
        (("--k", "0"), "not a list of numbers from 1"),
        (("--k", ""), "not a list of numbers from 1"),
        (("--k", "100000"), "not a list of numbers from 1"),
        (("--test-days", "9999999999"), "--test-days"),
        (("--test-days", "0"), "--test-days"),
    ],
)
def test_wrong_options_are_wrong_usage(run: Run, options: tuple[str, ...], said: str) -> None:
    done = run(as_it_is, *options)
    assert done.exit_code == 2
    assert said in " ".join(done.output.replace("│", " ").split())


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (one_customer, ("--cutoff", "2026-02-10"), "for_you: 1 customers"),
        (one_item, ("--cutoff", "2026-02-10"), "left out: discover: no customer has a right"),
        (as_it_is, ("--k", "200"), "ndcg@200"),
        (as_it_is, ("--test-days", "1"), "for_you: "),
        (at_once, ("--protocol", "random"), "discover: 60 customers"),
    ],
)
def test_little_is_judged_by_what_there_is(
    run: Run, change: Change, options: tuple[str, ...], said: str
) -> None:
    done = run(change, *options)
    assert done.exit_code == 0, done.output + repr(done.exception)
    assert said in " ".join(done.output.split())
