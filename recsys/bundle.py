"""Bundles on disk: immutable folders, checked before use, published by swapping one pointer.

A bundle root holds one folder per version and a file `current` that names the active one. A
version is written to a `.part` folder and renamed when complete, so that a folder without that
ending is whole. `manifest.json` has the sha256 of every other file.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from recsys.config import StrictModel, problems
from recsys.data.durable import sync
from recsys.errors import BundleError
from recsys.live.attribution import BUNDLE_BYTES
from recsys.types import LogPosition

MANIFEST = "manifest.json"
CURRENT = "current"
PART = ".part"


class BundleFile(StrictModel):
    """One file of a bundle."""

    sha256: str
    size: int
    """Bytes."""


class Manifest(StrictModel):
    """What a bundle is, and how it came about."""

    schema_version: Literal[1] = 1
    bundle_version: str = Field(max_length=BUNDLE_BYTES)
    """UTC time of writing and the first 8 digits of the digest."""
    create_time: datetime
    digest: str
    """sha256 over the files' checksums, the configuration and the data digest: equal for equal
    data, configuration and seed on one kind of machine."""
    config: dict[str, Any]
    """The configuration it was fitted with."""
    data: dict[str, Any]
    """Digest, end time and sizes of the training data; `store`: `LogPosition` of the event log,
    where one was read."""
    metrics: dict[str, Any]
    """Figures measured while fitting: index recall, what approximations lost, seconds."""
    features: dict[str, str] = Field(default_factory=dict)
    """By placement with a ranker: hash of the names and order of the features it was fitted on."""
    files: dict[str, BundleFile]

    def log_position(self) -> LogPosition | None:
        """Returns how far the event log was read; None: only files were."""
        store = self.data.get("store")
        if not store:
            return None
        return LogPosition(str(store["id"]), int(store["position"]), int(store.get("links", 0)))


def write_bundle(
    root: Path,
    write_files: Callable[[Path], None],
    *,
    config: Mapping[str, Any],
    data: Mapping[str, Any],
    metrics: Mapping[str, Any],
    features: Mapping[str, str] | None = None,
    now: datetime,
) -> Path:
    """Writes a new version and returns its folder; it is complete, and not yet current.

    Args:
        root: the bundle root, made where it is missing.
        write_files: writes all files but the manifest into the folder it is given.
        config: of the fit.
        data: `digest` and further facts on the training data.
        metrics: figures measured while fitting.
        features: schema hashes of rankers by placement; default: there is none.
        now: the version's time.
    """
    root.mkdir(parents=True, exist_ok=True)
    part = root / f"{now:%Y%m%dT%H%M%SZ}-{os.getpid()}{PART}"
    part.mkdir()
    try:
        write_files(part)
        files = {
            path.relative_to(part).as_posix(): _measured(path)
            for path in sorted(part.rglob("*"))
            if path.is_file()
        }
        digest = _digest(files, config, str(data["digest"]))
        manifest = Manifest(
            bundle_version=f"{now:%Y%m%dT%H%M%S%fZ}-{digest[:8]}",
            create_time=now,
            digest=digest,
            config=dict(config),
            data=dict(data),
            metrics=dict(metrics),
            features=dict(features or {}),
            files=files,
        )
        (part / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
        for path in [*part.rglob("*"), part]:
            sync(path)
        target = root / manifest.bundle_version
        part.rename(target)
        sync(root)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return target


def _digest(files: Mapping[str, BundleFile], config: Mapping[str, Any], data_digest: str) -> str:
    content = {
        "files": {name: file.sha256 for name, file in files.items()},
        "config": config,
        "data": data_digest,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _measured(path: Path) -> BundleFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return BundleFile(sha256=digest, size=path.stat().st_size)


def read_manifest(path: Path) -> Manifest:
    """Reads a bundle's manifest without checking its files.

    Raises:
        BundleError: there is none, it is damaged, or of another schema version.
    """
    file = path / MANIFEST
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        message = f"{file}: there is no such file: not a bundle, or half-written"
        raise BundleError(message, file=str(file)) from None
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise BundleError(message, file=str(file)) from error
    except ValidationError as error:
        message = "\n".join(problems(error, f"{file}: damaged, or not of schema version 1"))
        raise BundleError(message, file=str(file)) from error


def verify(path: Path) -> Manifest:
    """Checks every file of a bundle against the manifest; call it before any file is loaded.

    Raises:
        BundleError: a file is missing, changed, or not in the manifest; the text names it.
    """
    manifest = verify_part(path, *read_manifest(path).files)
    present = {item.relative_to(path).as_posix() for item in path.rglob("*") if item.is_file()}
    for name in sorted(present - set(manifest.files) - {MANIFEST}):
        message = f"{path / name}: not in the manifest"
        raise BundleError(message, file=str(path / name))
    return manifest


def verify_part(path: Path, *parts: str) -> Manifest:
    """Checks some files, or all files of some folders, before these alone are loaded.

    Raises:
        BundleError: one is missing or changed; the text names it.
    """
    manifest = read_manifest(path)
    data_digest = str(manifest.data.get("digest"))
    digest = _digest(manifest.files, manifest.config, data_digest)
    if digest != manifest.digest:
        message = f"{path / MANIFEST}: damaged: its content does not match its digest"
        raise BundleError(message, file=str(path / MANIFEST))
    wanted = set(parts)
    for name, expected in manifest.files.items():
        if name in wanted or name.partition("/")[0] in wanted:
            _check(path / name, expected)
    return manifest


def _check(file: Path, expected: BundleFile) -> None:
    try:
        found = _measured(file)
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise BundleError(message, file=str(file)) from error
    if found != expected:
        message = (
            f"{file}: damaged: sha256 {found.sha256[:12]}... of {found.size} bytes, "
            f"the manifest has {expected.sha256[:12]}... of {expected.size}"
        )
        raise BundleError(message, file=str(file))


def list_bundles(root: Path) -> list[Path]:
    """Returns the complete versions under a root, oldest first."""
    if not root.is_dir():
        return []
    return sorted(
        path for path in root.iterdir() if path.is_dir() and not path.name.endswith(PART)
    )


def current(root: Path) -> Path:
    """Returns the folder of the active version.

    Raises:
        BundleError: nothing was published under this root, or its version is gone.
    """
    pointer = root / CURRENT
    try:
        version = pointer.read_text(encoding="utf-8").strip()
    except OSError:
        message = f"{pointer}: there is no published bundle here; fit one: recsys train"
        raise BundleError(message, file=str(pointer)) from None
    path = root / version
    if not version or Path(version).name != version or not path.is_dir():
        message = f"{pointer}: names {version!r}, which is not a bundle under {root}"
        raise BundleError(message, file=str(pointer))
    return path


def activate(root: Path, version: str) -> Path:
    """Makes a version current, after checking it; running servers follow.

    Raises:
        BundleError: the version is missing or damaged; the current one stays.
    """
    path = root / version
    if Path(version).name != version or path not in list_bundles(root):
        known = ", ".join(bundle.name for bundle in list_bundles(root)) or "none"
        message = f"{path}: there is no such bundle; known: {known}"
        raise BundleError(message, file=str(path))
    verify(path)
    pointer = root / f"{CURRENT}.{os.getpid()}{PART}"
    pointer.write_text(version + "\n", encoding="utf-8")
    sync(pointer)
    pointer.replace(root / CURRENT)
    sync(root)
    return path


def rollback(root: Path) -> Path:
    """Makes the version before the current one current.

    Raises:
        BundleError: there is no older version.
    """
    versions, active = list_bundles(root), current(root)
    place = versions.index(active)
    if place == 0:
        message = f"{active}: there is no older bundle under {root}"
        raise BundleError(message, file=str(active))
    return activate(root, versions[place - 1].name)


def prune(root: Path, keep: int) -> list[Path]:
    """Removes all but the newest `keep` versions, never the current one; returns the removed."""
    active = current(root) if (root / CURRENT).exists() else None
    old = [path for path in list_bundles(root)[: -keep or None] if path != active]
    for path in old:
        # Renamed first: whoever lists the root never sees half a bundle.
        doomed = path.with_name(path.name + PART)
        path.rename(doomed)
        shutil.rmtree(doomed)
    return old
