"""The documentation names every setting, reason and log event."""

from pathlib import Path

import pytest

from serving import logs
from serving.errors import CATALOGUE
from serving.settings import ServingSettings

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("setting", ServingSettings.model_fields)
def test_setting_is_documented_with_its_default(setting: str) -> None:
    rows = [
        line.split("|")
        for line in (DOCS / "serving.md").read_text().splitlines()
        if line.startswith(f"| `{setting}` |")
    ]
    [row] = rows
    field = ServingSettings.model_fields[setting]
    default = "none, required" if field.is_required() else str(field.default)
    assert row[2].strip().lower() in {default.lower(), default.lower().removesuffix(".0")}


@pytest.mark.parametrize("reason", [name for name, spec in CATALOGUE.items() if spec.public])
def test_reason_is_documented_with_its_code(reason: str) -> None:
    text = (DOCS / "errors.md").read_text()
    assert f"| `{reason}` | {CATALOGUE[reason].code.name} |" in text


def test_log_events_are_documented() -> None:
    text = (DOCS / "serving.md").read_text()
    events = [
        value for name, value in vars(logs).items() if name.isupper() and isinstance(value, str)
    ]
    assert len(events) >= 10
    assert [event for event in events if f"`{event}`" not in text] == []
