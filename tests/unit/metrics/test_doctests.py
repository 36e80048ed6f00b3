"""The golden values in the metrics' docstrings."""

import doctest
import importlib
import pkgutil

import pytest

import recsys.metrics

MODULES = sorted(module.name for module in pkgutil.iter_modules(recsys.metrics.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"recsys.metrics.{name}"))
    assert result.attempted > 0, f"{name} shows no example"
    assert result.failed == 0
