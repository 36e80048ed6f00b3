"""The dry run says what a server would do."""

import csv
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recsys.live.deployment import read_deployment
from recsys.live.experiments import arm_of
from serving.cli import app

TEXT = """
[experiments.taste]
placements = ["for_you"]
hold_out = 0.1
arms.control = {}
arms.more = { weight = 2, placements.for_you = { boost = false } }

[experiments.bundles]
placements = ["popular"]
arms.old = { bundle = "v1" }
arms.new = {}
"""
runner = CliRunner()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "deployment.toml"
    file.write_text(TEXT)
    return file


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    ids = tmp_path / "ids.txt"
    ids.write_text("\ufeff" + "\n".join(["Zoë", "", " visitor/v-1 ", *map(str, range(1_000))]))
    return ids


def test_assign_prints_what_servers_do(file: Path, customers: Path) -> None:
    result = runner.invoke(app, ["experiment", "assign", str(file), "--customers", str(customers)])
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert len(rows) == 2 * 1_002
    assert [row["customer_id"] for row in rows[:4]] == ["Zoë", "Zoë", "visitor/v-1", "visitor/v-1"]
    experiments = read_deployment(file).experiments
    for row in rows:
        name = row["experiment"]
        assert row["arm"] == arm_of(name, experiments[name], row["customer_id"])
    table = result.stderr
    held = sum(row["arm"] == "hold-out" for row in rows)
    line = next(line for line in table.splitlines() if "hold-out" in line)
    assert re.findall(r"[\d.]+%|\d+", line) == [str(held), f"{held / 1_002:.2%}", "10.00%"]
    assert "changed for_you" in table
    assert "bundle v1" in table


def test_assign_writes_a_file_for_one_experiment(
    file: Path, customers: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out" / "arms.csv"
    options = ["--customers", str(customers), "--experiment", "taste", "--output", str(output)]
    result = runner.invoke(app, ["experiment", "assign", str(file), *options])
    assert (result.exit_code, result.stdout) == (0, "")
    assert len(output.read_text().splitlines()) == 1_003
    assert "bundles" not in output.read_text()


def test_assign_reads_the_input(file: Path) -> None:
    options = ["assign", str(file), "--customers", "-", "--experiment", "taste"]
    result = runner.invoke(app, ["experiment", *options], input="anna\nben\n")
    assert [row.split(",")[0] for row in result.stdout.splitlines()[1:]] == ["anna", "ben"]


def test_check_holds_the_file_against_the_bundle(file: Path, bundle_root: Path) -> None:
    checked = ["experiment", "check", str(file), "--bundles", str(bundle_root)]
    result = runner.invoke(app, checked)
    assert result.exit_code == 0, result.output
    assert "2 experiments, 0 placements" in result.stdout
    file.write_text(TEXT.replace('"popular"', '"gone"'))
    assert runner.invoke(app, ["experiment", "check", str(file)]).exit_code == 0
    result = runner.invoke(app, checked)
    assert result.exit_code == 2
    assert "experiments.bundles: placement 'gone'" in result.stderr


@pytest.mark.parametrize(
    ("text", "ids", "options", "expected"),
    [
        ("[experiments", "a", [], "not valid TOML"),
        ("", "a", [], "has no experiment"),
        (TEXT, "\n\n", [], "has no id"),
        (TEXT, "a", ["--experiment", "gone"], "'gone' is not one of taste, bundles"),
        (TEXT, None, [], "cannot be read"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, text: str, ids: str | None, options: list[str], expected: str
) -> None:
    file, customers = tmp_path / "deployment.toml", tmp_path / "ids.txt"
    file.write_text(text)
    if ids is not None:
        customers.write_text(ids)
    command = ["experiment", "assign", str(file), "--customers", str(customers), *options]
    result = runner.invoke(app, command)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert expected in result.stderr


def test_a_server_does_not_start_with_a_wrong_file(file: Path, bundle_root: Path) -> None:
    file.write_text(TEXT.replace('"popular"', '"gone"'))
    options = ["--bundles", str(bundle_root), "--deployment", str(file)]
    result = runner.invoke(app, ["run", *options])
    assert result.exit_code == 2
    assert "experiments.bundles: placement 'gone'" in result.stderr
