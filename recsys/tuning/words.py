"""What is told of a setting that was tried."""

from collections.abc import Mapping
from typing import Any


def said(figure: float | None, outcome: Mapping[str, Any]) -> str:
    """Returns what came of a setting."""
    if figure is None:
        return str(outcome.get("given_up") or outcome.get("failed"))
    return ", ".join(f"{name} {each['figure']:.4f}" for name, each in outcome["blends"].items())


def shown(value: object) -> str:
    """Returns a setting's value, short."""
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)
