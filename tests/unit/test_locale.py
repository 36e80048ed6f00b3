"""Files are read and written alike, whatever locale the machine has."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("recsys", "training", "serving", "evaluation")
TEXT = {"read_text": 1, "write_text": 2}
"""Methods that decode or encode as the locale says, with so few arguments."""
ROUND = """
import sys
from pathlib import Path
from recsys.store.folder import read_address, write_address
folder = Path(sys.argv[1])
write_address(folder, folder / "socket")
assert read_address(folder) == str(folder / "socket"), read_address(folder)
"""


def of_the_locale(source: str) -> list[int]:
    """The lines that use the encoding of the locale."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and "encoding" not in {keyword.arg for keyword in call.keywords}
        and (len(call.args) < TEXT.get(call.func.attr, 0) or opens_text(call))
    ]


def opens_text(call: ast.Call) -> bool:
    """Whether it is `file.open("w")` or the like, not of bytes."""
    mode = call.args[0] if len(call.args) == 1 else None
    is_mode = isinstance(mode, ast.Constant) and str(mode.value)[:1] in {"r", "w", "a", "x"}
    return call.func.attr == "open" and is_mode and "b" not in mode.value


@pytest.mark.parametrize("package", PACKAGES)
def test_every_text_file_has_an_encoding(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    lines = {file: of_the_locale(file.read_text(encoding="utf-8")) for file in files}
    assert files
    assert {file.relative_to(ROOT): found for file, found in lines.items() if found} == {}


def test_the_check_sees_what_uses_the_locale() -> None:
    assert of_the_locale("file.read_text()\nfile.open('w')\nfile.write_text(text)") == [1, 2, 3]
    assert of_the_locale("file.open('rb')\nfile.read_text(encoding='utf-8')\nstore.open()") == []


def test_names_of_other_scripts_survive_a_locale_of_ascii(tmp_path: Path) -> None:
    folder = tmp_path / "가게"
    folder.mkdir()
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", ROUND, str(folder)],
        env={**os.environ, **ascii_only},
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
