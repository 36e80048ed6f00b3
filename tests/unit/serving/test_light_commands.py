"""Commands that answer nothing themselves start without what answering needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unimportable import unimportable

ALONE = unimportable("faiss", "lightgbm") + (
    "from serving.cli import app\n"
    "app(sys.argv[1:], standalone_mode=False)\n"
)  # fmt: skip
DEPLOYMENT = Path(__file__).parents[3] / "docs" / "examples" / "deployment.toml"
COMMANDS = "", "offers load", "experiment check", "export"


def run_alone(*arguments: str) -> str:
    """Runs a command in a process that finds neither library, and returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_needs_no_library_of_models(command: str) -> None:
    assert "Usage:" in run_alone(*command.split(), "--help")


def test_a_deployment_file_is_checked_without_models(bundle_root: Path) -> None:
    """The supervisor checks it and lives on beside its servers."""
    arguments = "experiment", "check", str(DEPLOYMENT), "--bundles", str(bundle_root)
    assert "good" in run_alone(*arguments)
