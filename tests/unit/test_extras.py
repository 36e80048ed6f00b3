"""The marker `extra` skips where an extra is absent, says why, and knows no other extras."""

import pytest

from tests import extras

pytest_plugins = ["pytester"]
TESTS = """
import pytest

@pytest.mark.extra(name="{extra}")
def test_marked():
    pass

def test_unmarked():
    pass
"""
FILE = """
import pytest
import {module}

pytestmark = [pytest.mark.extra(name="{extra}")]

def test_it():
    pass
"""


@pytest.fixture
def absent(monkeypatch):
    monkeypatch.setattr(extras, "installed", lambda requirement: requirement.name != "onnx")


def collected(pytester, extra):
    pytester.makepyfile(TESTS.format(extra=extra))
    return pytester.runpytest("-p", "tests.extras", "-p", "no:cacheprovider", "-rs")


@pytest.mark.usefixtures("absent")
def test_without_the_extra_only_the_marked_test_is_skipped(pytester):
    result = collected(pytester, "torch")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*needs the extra 'torch' (onnx): make setup-torch"])


@pytest.mark.usefixtures("absent")
def test_with_the_extra_nothing_is_skipped(pytester):
    collected(pytester, "sequence").assert_outcomes(passed=2)


@pytest.mark.usefixtures("absent")
def test_a_file_whose_extra_is_absent_is_not_imported(pytester):
    pytester.makepyfile(FILE.format(module="onnx", extra="torch"))
    pytester.makepyfile(test_other=FILE.format(module="ast", extra="demo"))
    result = pytester.runpytest("-p", "tests.extras", "-p", "no:cacheprovider", "-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*needs the extra 'torch' (onnx): make setup-torch"])


def test_an_extra_that_there_is_not_ends_the_run(pytester):
    result = collected(pytester, "touch")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*marker extra: 'touch' is not one of*'torch'*"])


def test_a_release_that_is_too_old_is_not_the_extra(monkeypatch):
    [optuna] = extras.extras()["tune"]
    monkeypatch.setattr(extras, "version", lambda _: "4.2.1")
    assert extras.installed(optuna)
    monkeypatch.setattr(extras, "version", lambda _: "3.9")
    assert not extras.installed(optuna)


def test_a_package_that_is_nowhere_is_not_installed():
    assert not extras.installed(extras.Requirement("no-such-package-of-ours"))
    assert extras.installed(extras.Requirement("pytest"))
