"""Our own programs: where the applications lie, and how one starts another.

A wheel holds the applications below the library, so that it takes no generic names
(`docs/adr/0007-applications-in-the-wheel.md`); in a checkout they stand beside it.
"""

import sys
from pathlib import Path

PACKAGED = Path(__file__).parent / "_applications"
"""Folder of the applications in a wheel; a checkout has none."""


def applications_folder() -> Path:
    """Returns the folder that holds `training`, `serving` and `evaluation`."""
    return PACKAGED if PACKAGED.is_dir() else PACKAGED.parents[1]


def checkout() -> Path:
    """Returns the repository's folder; the current folder where this is a wheel."""
    return Path.cwd() if PACKAGED.is_dir() else PACKAGED.parents[1]


def find_applications() -> None:
    """Makes the applications importable in this process, and in those that it spawns."""
    folder = str(applications_folder())
    if sys.path[:1] != [folder]:  # a folder `training` of the user's must not come first
        sys.path.insert(0, folder)


def module_command(module: str, *words: object) -> list[str]:
    """Returns the command that runs one of our modules as a process, in any current folder.

    A wheel is found without the current folder, so nothing there can stand in its way (`-P`).

    Args:
        module: dotted name below `recsys`, or `recsys` itself for the command line.
        words: its arguments.
    """
    safe = ["-P"] if PACKAGED.is_dir() else []
    return [sys.executable, *safe, "-m", module, *(str(word) for word in words)]


def own_command(*words: object) -> list[str]:
    """Returns the command that runs `recsys WORDS` as a process, in any current folder."""
    return module_command("recsys", *words)
