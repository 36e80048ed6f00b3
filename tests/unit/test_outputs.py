"""What a command will write is tried before the work, and nothing is left behind."""

from pathlib import Path
from typing import Any

import pytest
import typer

from evaluation.cli import app as evaluation
from recsys.errors import ConfigError
from recsys.protocols.outputs import output_file, output_folder
from training.cli import app as training

OUTPUTS = {"json", "report", "output", "save_config", "customers"}
OTHERS = {("prepare", "customers"), ("benchmark", "json")}
"""An input; and a file that is there already."""


class Option:
    opts = ("--json",)


def test_a_place_that_can_be_written_is_returned_and_not_made(tmp_path: Path) -> None:
    option: Any = Option()
    assert output_file(option, tmp_path / "new" / "a.json") == tmp_path / "new" / "a.json"
    assert output_folder(option, tmp_path / "more" / "new") == tmp_path / "more" / "new"
    assert output_file(option, None) is output_folder(option, None) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["notes.txt/a.json", "notes.txt/new/a.json"])
def test_a_place_below_a_file_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    option: Any = Option()
    (tmp_path / "notes.txt").write_text("")
    told = "notes.txt: is a file, a folder is needed"
    with pytest.raises(ConfigError, match=f"^--json {tmp_path}/{told}$"):
        output_file(option, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=f"^--json {told}$"):
        output_file(option, Path(name))
    with pytest.raises(ConfigError, match=f"^--json {told}$"):
        output_folder(option, Path("notes.txt"))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    option: Any = Option()
    with pytest.raises(ConfigError, match="is a folder: name a file"):
        output_file(option, tmp_path)


@pytest.mark.parametrize("app", [evaluation, training], ids=["evaluation", "training"])
def test_every_command_tries_its_outputs_first(app: typer.Typer) -> None:
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    found = 0
    for name, command in commands.items():
        for option in getattr(command, "params", ()):
            if option.name in OUTPUTS and (name, option.name) not in OTHERS:
                found += 1
                assert option.callback is not None, (name, option.name)
    assert found >= 1
