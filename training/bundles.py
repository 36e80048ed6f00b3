"""The verbs `bundles list`, `activate`, `rollback` and `verify`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from recsys.bundle import activate, current, list_bundles, read_manifest, rollback, verify
from recsys.errors import BundleError

app = typer.Typer(help="List bundles, and choose which one is served.", no_args_is_help=True)

RootOption = Annotated[Path, typer.Option("--bundles", help="Bundle root.")]
VersionArgument = Annotated[str, typer.Argument(help="A version, as `list` prints it.")]


@app.command("list")
def list_command(*, bundles: RootOption) -> None:
    """Show all versions, oldest first; `*` is the one being served."""
    versions = list_bundles(bundles)
    if not versions:
        hint = "publish one: recsys train --data DIR --bundles"
        raise BundleError(f"{bundles}: there is no bundle; {hint} {bundles}")
    try:
        active = current(bundles).name
    except BundleError:
        active = None
    table = Table(box=None)
    for column in ("", "version", "events", "customers", "items", "MiB"):
        table.add_column(column, justify="left" if column in ("", "version") else "right")
    for path in versions:
        manifest = read_manifest(path)
        sizes = [f"{manifest.data[name]:,}" for name in ("events", "customers", "items")]
        size = sum(file.size for file in manifest.files.values()) / 2**20
        table.add_row("*" if path.name == active else "", path.name, *sizes, f"{size:.0f}")
    Console().print(table)


@app.command("activate")
def activate_command(version: VersionArgument, *, bundles: RootOption) -> None:
    """Check a version and serve it from now on."""
    print(f"{activate(bundles, version).name} is current")  # noqa: T201


@app.command("rollback")
def rollback_command(*, bundles: RootOption) -> None:
    """Serve the version before the current one."""
    print(f"{rollback(bundles).name} is current")  # noqa: T201


@app.command("verify")
def verify_command(version: VersionArgument, *, bundles: RootOption) -> None:
    """Compare every file of a version with its checksum."""
    manifest = verify(bundles / version)
    print(f"{version}: all {len(manifest.files)} files are as they were written")  # noqa: T201
