"""The marker `extra`: a test names the extra that it needs, and is skipped where that is absent.

`@pytest.mark.extra(name="torch")` marks a test or a class. `pytestmark = pytest.mark.extra(...)`
marks a file, and where the extra is absent the file is not imported: it may import the extra.
"""

import ast
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
SETUP = {"torch": "make setup-torch"}
"""The command that installs an extra, where it is not `make setup`."""


@cache
def extras() -> dict[str, list[Requirement]]:
    """Returns what each extra of pyproject.toml installs."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    listed = project["optional-dependencies"]
    return {name: [Requirement(line) for line in lines] for name, lines in listed.items()}


def skip_reason(extra: str) -> str | None:
    """Returns why a test that needs an extra cannot run here, or None if it can.

    Raises:
        pytest.UsageError: pyproject.toml has no such extra.
    """
    if extra not in extras():
        raise pytest.UsageError(f"marker extra: {extra!r} is not one of {sorted(extras())}")
    absent = [requirement.name for requirement in extras()[extra] if not installed(requirement)]
    if not absent:
        return None
    packages = ", ".join(absent)
    return f"needs the extra '{extra}' ({packages}): {SETUP.get(extra, 'make setup')}"


def installed(requirement: Requirement) -> bool:
    """Returns whether a release that the requirement allows is installed."""
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False


def file_extras(file: Path) -> list[str]:
    """Returns the extras that a test file names in `pytestmark`, without importing it."""
    return [
        keyword.value.value
        for statement in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark"
        for call in ast.walk(statement.value)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.extra"
        for keyword in call.keywords
        if isinstance(keyword.value, ast.Constant)
    ]


class SkippedFile(pytest.Module):
    """A test file whose extra is absent."""

    reason = ""

    def collect(self) -> list[pytest.Item]:
        """Skips the file."""
        pytest.skip(self.reason, allow_module_level=True)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Skips a file whose extra is absent, before anything imports it."""
    for reason in map(skip_reason, file_extras(module_path)):
        if reason is not None:
            skipped: SkippedFile = SkippedFile.from_parent(parent, path=module_path)
            skipped.reason = reason
            return skipped
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips the tests whose extra is absent."""
    for item in items:
        for marker in item.iter_markers("extra"):
            reason = skip_reason(marker.kwargs["name"])
            if reason is not None:
                item.add_marker(pytest.mark.skip(reason=reason))
