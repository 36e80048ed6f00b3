"""The documentation names every setting, reason and log event."""

import re
from pathlib import Path

import pytest

from recsys.config import StrictModel
from recsys.live.deployment import Experiment, Exploration
from serving import logs
from serving.errors import CATALOGUE
from serving.settings import ServingSettings
from serving.state.deployment_check import checked_deployment
from tests.events import WRONG, Wrong

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


def test_the_example_of_a_deployment_fits_the_default(bundle_root: Path) -> None:
    deployment = checked_deployment(DOCS / "examples" / "deployment.toml", bundle_root)
    assert list(deployment.experiments) == ["taste_first", "candidate"]
    assert list(deployment.exploration) == ["discover"]


def test_the_experiment_of_the_docs_is_the_example() -> None:
    """What is shown in the text is what is tested."""
    example = (DOCS / "examples" / "deployment.toml").read_text()
    blocks = re.findall(r"```toml\n(.*?)```", (DOCS / "experiments.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        for line in block.splitlines():
            assert line in example


@pytest.mark.parametrize("kind", [Exploration, Experiment])
def test_settings_of_the_deployment_file_are_documented(kind: type[StrictModel]) -> None:
    text = (DOCS / "experiments.md").read_text()
    for name, field in kind.model_fields.items():
        assert re.search(rf"`{name}[`.]", text), name
        rows = [line.split("|") for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        for row in rows:
            default = "required" if field.is_required() else str(field.default)
            assert row[2].strip().lower() in {default.lower(), default.removesuffix(".0")}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.title)
def test_rules_of_events_are_documented(wrong: Wrong) -> None:
    rule = re.sub(r", is \d+$| \(view\)$", "", wrong.description).removeprefix("must ")
    rules = (DOCS / "events.md").read_text().partition("## Rules")[2]
    assert f"`{wrong.field}`" in rules
    assert rule in rules
