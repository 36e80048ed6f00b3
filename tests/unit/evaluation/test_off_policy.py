"""The verb `off-policy`, from two files to a table."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from evaluation.cli import app

LOGGING = {"a": 0.5, "b": 0.3, "c": 0.2}
RATES = {"a": 0.2, "b": 0.5, "c": 0.8}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """4,000 items shown to 400 customers; numbers as item ids would do as well."""
    rng = np.random.default_rng(2)
    items = rng.choice(list(LOGGING), size=4000, p=list(LOGGING.values()))
    table = pl.DataFrame(
        {
            "customer_id": rng.integers(400, size=4000),
            "item_id": items,
            "position": rng.integers(1, 3, size=4000),
            "propensity": [LOGGING[item] for item in items],
            "reward": [int(rng.random() < RATES[item]) for item in items],
        }
    )
    table.write_parquet(tmp_path / "log.parquet")
    return tmp_path / "log.parquet"


def policy(folder: Path, text: str) -> Path:
    (folder / "policy.csv").write_text(text)
    return folder / "policy.csv"


def call(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["off-policy", *map(str, arguments)])
    return result.exit_code, f"{result.output}{result.exception or ''}"


def test_another_policy_is_judged_from_the_log(log: Path, tmp_path: Path) -> None:
    better = policy(tmp_path, "item_id,probability\nc,0.9\nb,0.1\n")
    code, out = call("--log", log, "--policy", better, "--json", tmp_path / "new" / "out.json")
    assert code == 0
    assert "drawn by customer_id" in out
    assert "not 1" not in out
    found = json.loads((tmp_path / "new" / "out.json").read_text())
    assert found["snips"]["bootstrap"]["low"] < 0.77 < found["snips"]["bootstrap"]["high"]
    assert found["lead"]["low"] > 0.2
    assert found["clusters"] == 400


def test_a_policy_may_depend_on_the_place(log: Path, tmp_path: Path) -> None:
    where = policy(tmp_path, "item_id,position,probability\nc,1,1\na,2,1\n")
    code, _ = call("--log", log, "--policy", where, "--json", tmp_path / "out.json")
    assert code == 0
    found = json.loads((tmp_path / "out.json").read_text())
    # Half the rows are of each place: the best item at the first, the worst at the second.
    assert found["snips"]["bootstrap"]["low"] < 0.5 < found["snips"]["bootstrap"]["high"]


def test_clipping_and_clusters_can_be_chosen(log: Path, tmp_path: Path) -> None:
    same = policy(tmp_path, "item_id,probability\na,0.5\nb,0.3\nc,0.2\n")
    code, out = call("--log", log, "--policy", same, "--clip", "0.5", "--cluster", "position")
    assert code == 0
    assert "100.0% clipped" in out
    assert "drawn by position" in out


def test_what_cannot_be_trusted_is_said(log: Path, tmp_path: Path) -> None:
    absent = policy(tmp_path, "item_id,probability\na,0.01\nnever-shown,0.99\n")
    code, out = call("--log", log, "--policy", absent)
    assert code == 0
    assert "mean weight is not 1" in out
    pl.read_parquet(log).head(60).write_parquet(log)
    assert "hardly overlaps" in call("--log", log, "--policy", absent)[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("item_id,chance\na,1\n", "no column 'probability'"),
        ("item_id,probability\na,0.9\nb,0.9\n", "more than 1"),
        ("item_id,probability\na,-0.5\nb,0.9\n", "below 0"),
        ("item_id,probability\na,0.5\na,0.4\n", "two rows"),
        ("item_id,probability\na,\n", "missing or not finite"),
        ("item_id,probability\na,much\n", "cannot be read"),
        ("item_id,request_id,probability\na,7,1\n", "depends on 'request_id'"),
        ("item_id,probability\nnever-shown,1\n", "nothing that was logged"),
    ],
)
def test_files_that_make_no_sense_are_named(
    log: Path, tmp_path: Path, text: str, said: str
) -> None:
    code, out = call("--log", log, "--policy", policy(tmp_path, text))
    assert code == 1
    assert said in out


def test_the_log_needs_its_columns(log: Path, tmp_path: Path) -> None:
    fine = policy(tmp_path, "item_id,probability\na,1\n")
    assert "no column 'click'" in call("--log", log, "--policy", fine, "--reward", "click")[1]
    assert "to draw by" in call("--log", log, "--policy", fine, "--cluster", "basket")[1]
    assert "no such file" in call("--log", tmp_path / "gone.csv", "--policy", fine)[1]
    wrong = pl.read_parquet(log).with_columns(propensity=pl.lit(0.0))
    wrong.write_parquet(log)
    assert "propensities must lie" in call("--log", log, "--policy", fine)[1]
