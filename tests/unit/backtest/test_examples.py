"""The golden values in docstrings of the back-test."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["off_policy", "popularity_buckets", "significance"])
def test_docstring_examples_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"recsys.backtest.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
