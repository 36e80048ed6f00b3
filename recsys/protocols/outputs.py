"""Says before hours of work whether their result can be written where it should be."""

import os
import tempfile
from errno import EEXIST
from pathlib import Path

import typer

from recsys.errors import ConfigError, file_fault


def output_file(option: typer.CallbackParam, path: Path | None) -> Path | None:
    """Returns a file that a command will write; its folder can be made. The callback of an option.

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
    """Returns a folder that a command will write to. The callback of an option.

    Raises:
        ConfigError: it cannot be made or written; the text names the option.
    """
    if path is not None:
        _check_folder(option.opts[0], path)
    return path


def _check_folder(option: str, folder: Path) -> None:
    """Tries to write where a folder is, or would be made; leaves nothing behind.

    Raises:
        ConfigError: it cannot be made or written; the text names the option.
    """
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    place = folder if place == folder.absolute() else place
    try:
        if not place.is_dir():
            raise FileExistsError(EEXIST, os.strerror(EEXIST), str(_shown(place, folder)))
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        # The file that was tried has a name that nobody knows.
        error.filename = str(_shown(place, folder))
        raise ConfigError(f"{option} {file_fault(error)}", file=str(folder)) from error


def _shown(place: Path, folder: Path) -> Path:
    """Returns a place as the user would write it: relative where the folder was."""
    if folder.is_absolute() or not place.is_relative_to(Path.cwd()):
        return place
    return place.relative_to(Path.cwd())
