"""Says before hours of work whether their result can be written where it should be."""

import tempfile
from pathlib import Path

import typer

from recsys.errors import ConfigError, file_fault


def output_file(option: typer.CallbackParam, path: Path | None) -> Path | None:
    """Returns a file that a command will write; makes its folder. The callback of an option.

    Raises:
        ConfigError: it cannot be written; the text names the option.
    """
    name = option.opts[0]
    if path is not None and path.is_dir():
        raise ConfigError(f"{name} {path}: is a folder: name a file", file=str(path))
    if path is not None:
        _check_folder(name, path.parent)
    return path


def output_folder(option: typer.CallbackParam, path: Path | None) -> Path | None:
    """Returns a folder that a command will write to; makes it. The callback of an option.

    Raises:
        ConfigError: it cannot be made or written; the text names the option.
    """
    if path is not None:
        _check_folder(option.opts[0], path)
    return path


def _check_folder(option: str, folder: Path) -> None:
    """Makes a folder, and tries to write there.

    Raises:
        ConfigError: it cannot be made or written; the text names the option.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        # The file that was tried has a name that nobody knows.
        error.filename = folder
        raise ConfigError(f"{option} {file_fault(error)}", file=str(folder)) from error
