"""Bundles on disk: whole or refused, swapped by one pointer."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from recsys.bundle import (
    MANIFEST,
    activate,
    current,
    list_bundles,
    prune,
    read_manifest,
    rollback,
    verify,
    write_bundle,
)
from recsys.errors import BundleError

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def write(root, content=b"content", *, now=NOW, config=None):
    def files(folder):
        (folder / "deep").mkdir()
        (folder / "deep" / "array.npy").write_bytes(content)
        (folder / "other.bin").write_bytes(b"other")

    return write_bundle(
        root,
        files,
        config=config or {"a": 1},
        data={"digest": "d"},
        metrics={"seconds": now.second},
        now=now,
    )


def test_what_was_written_verifies(tmp_path):
    path = write(tmp_path)
    manifest = verify(path)
    assert manifest.bundle_version == path.name
    assert set(manifest.files) == {"deep/array.npy", "other.bin"}
    assert manifest.create_time == NOW


def test_the_digest_ignores_time_and_nothing_else(tmp_path):
    digest = verify(write(tmp_path)).digest
    later = NOW + timedelta(days=1)
    assert verify(write(tmp_path, now=later)).digest == digest
    assert verify(write(tmp_path, b"Content", now=later + timedelta(1))).digest != digest
    changed = write(tmp_path, now=later + timedelta(days=2), config={"a": 2})
    assert verify(changed).digest != digest


@pytest.mark.parametrize("name", ["deep/array.npy", "other.bin"])
@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_a_damaged_file_is_named(tmp_path, name, damage):
    path = write(tmp_path)
    file = path / name
    content = file.read_bytes()
    if damage == "flip":
        file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    elif damage == "truncate":
        file.write_bytes(content[:-1])
    else:
        file.unlink()
    with pytest.raises(BundleError, match=name):
        verify(path)


def test_a_file_too_many_is_named(tmp_path):
    path = write(tmp_path)
    (path / "stray.npy").write_bytes(b"")
    with pytest.raises(BundleError, match=r"stray\.npy"):
        verify(path)


def test_every_flipped_manifest_bit_that_matters_is_noticed(tmp_path):
    path = write(tmp_path)
    whole = json.loads((path / MANIFEST).read_text())
    for key, value in {
        "digest": "0" * 64,
        "config": {"a": 3},
        "schema_version": 2,
        "files": {},
        "data": {"digest": "other"},
    }.items():
        (path / MANIFEST).write_text(json.dumps({**whole, key: value}))
        with pytest.raises(BundleError, match=MANIFEST):
            verify(path)
    (path / MANIFEST).write_text("{")
    with pytest.raises(BundleError, match=MANIFEST):
        verify(path)
    (path / MANIFEST).unlink()
    with pytest.raises(BundleError, match="half-written"):
        verify(path)


def test_a_failed_write_leaves_nothing(tmp_path):
    def explode(folder):
        (folder / "a").write_bytes(b"a")
        message = "disk full"
        raise OSError(message)

    with pytest.raises(OSError, match="disk full"):
        write_bundle(tmp_path, explode, config={}, data={"digest": ""}, metrics={}, now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_half_written_bundle_is_not_listed(tmp_path):
    path = write(tmp_path)
    shutil.copytree(path, tmp_path / "20260501T120000000000Z-1.part")
    assert list_bundles(tmp_path) == [path]
    with pytest.raises(BundleError, match="no such bundle"):
        activate(tmp_path, "20260501T120000000000Z-1.part")


def test_activate_and_roll_back(tmp_path):
    first, second = write(tmp_path), write(tmp_path, now=NOW + timedelta(seconds=1))
    with pytest.raises(BundleError, match="no published bundle"):
        current(tmp_path)
    activate(tmp_path, first.name)
    activate(tmp_path, second.name)
    assert current(tmp_path) == second
    assert rollback(tmp_path) == first == current(tmp_path)
    with pytest.raises(BundleError, match="no older"):
        rollback(tmp_path)


def test_a_damaged_bundle_does_not_become_current(tmp_path):
    first, second = write(tmp_path), write(tmp_path, now=NOW + timedelta(seconds=1))
    activate(tmp_path, first.name)
    (second / "other.bin").write_bytes(b"othex")
    with pytest.raises(BundleError, match=r"other\.bin"):
        activate(tmp_path, second.name)
    assert current(tmp_path) == first


@pytest.mark.parametrize("text", ["", "gone", "../elsewhere"])
def test_a_pointer_to_nowhere_is_refused(tmp_path, text):
    write(tmp_path)
    (tmp_path / "current").write_text(text)
    with pytest.raises(BundleError, match="not a bundle"):
        current(tmp_path)


def test_prune_keeps_the_newest_and_the_current(tmp_path):
    paths = [write(tmp_path, now=NOW + timedelta(seconds=n)) for n in range(5)]
    activate(tmp_path, paths[1].name)
    assert prune(tmp_path, keep=2) == [paths[0], paths[2]]
    assert list_bundles(tmp_path) == [paths[1], paths[3], paths[4]]
    assert read_manifest(paths[4]).bundle_version == paths[4].name
