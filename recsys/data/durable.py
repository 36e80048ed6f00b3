"""Files and folders that are there whole, or not at all, whatever happens to the machine."""

import os
import shutil
from pathlib import Path


def sync(path: Path) -> None:
    """Makes a file's or folder's content durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_folder(part: Path, out: Path) -> None:
    """Puts a finished folder in its place; the old one stays until then."""
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    part.rename(out)
    sync(out.parent)
    shutil.rmtree(old, ignore_errors=True)
