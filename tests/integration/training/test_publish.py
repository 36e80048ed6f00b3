"""The release gate on the small shop: what becomes current, and why something does not."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recsys.assembly import FitConfig
from recsys.backtest.baselines import baselines
from recsys.bundle import activate, current
from recsys.config import merge, validated
from recsys.data.dataset import Dataset
from recsys.fitting.fit import fit, write_fitted
from tests.shop_folder import write_shop
from tests.small_shop import END
from training.cli import app


@pytest.fixture(scope="module")
def data(shop: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shop(shop, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def good() -> FitConfig:
    """What customers always buy; for `discover` what many buy."""
    own = baselines()["personal-frequency"].model_dump(mode="json")
    other = baselines()["popularity"].model_dump(mode="json")["placements"]["discover"]
    return validated(FitConfig, merge(own, {"placements": {"discover": other}}), where="good")


@pytest.fixture(scope="module")
def bad(good: FitConfig) -> FitConfig:
    """The same with what many buy for everybody."""
    places = baselines()["popularity"].model_dump(mode="json")["placements"]
    asked = {name: places[name] for name in ("for_you", "buy_again")}
    return validated(
        FitConfig, merge(good.model_dump(mode="json"), {"placements": asked}), where="bad"
    )


def publish(*options: str | Path, code: int) -> str:
    result = CliRunner().invoke(app, ["publish", *map(str, options)], env={"COLUMNS": "120"})
    assert result.exit_code == code, f"{result.output} {result.exception}"
    return f"{result.output}{result.exception or ''}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "bundles"


def add(root: Path, shop: Dataset, config: FitConfig, hour: int, *, active: bool = False) -> str:
    made = write_fitted(fit(shop, config, end_time=END), root, now=END + timedelta(hours=hour))
    if active:
        activate(root, made.name)
    return made.name


def test_a_worse_candidate_stays_one_and_the_report_says_why(
    shop: Dataset, data: Path, root: Path, good: FitConfig, bad: FitConfig
) -> None:
    before = add(root, shop, good, 1, active=True)
    worse = add(root, shop, bad, 2)
    said = publish("--bundles", root, "--data", data, "--gate", "--test-days", "20", code=1)
    assert "for_you: is worse by more than 2.0%" in said
    assert f"{worse} stays a candidate" in said
    assert current(root).name == before
    report = json.loads((root.parent / "bundles-gate" / f"{worse}.json").read_text())
    assert (report["passed"], report["current"], report["candidate"]) == (False, before, worse)
    checks = {(check["placement"], check["slice"]): check for check in report["checks"]}
    assert checks["for_you", "all"]["relative"]["high"] < -0.02
    assert not checks["for_you", "all"]["passed"]
    # `discover` is made in the same way by both.
    assert checks["discover", "all"]["relative"] == {"value": 0, "low": 0, "high": 0}
    assert {row["configuration"] for row in report["rows"]} >= {"candidate", "current"}
    variants = {row["variant"] for row in report["rows"]}
    assert variants == {"cutoff=2026-02-20", "cutoff=2026-03-12"}


def test_a_better_candidate_becomes_current(
    shop: Dataset, data: Path, root: Path, good: FitConfig, bad: FitConfig
) -> None:
    add(root, shop, bad, 1, active=True)
    better = add(root, shop, good, 2)
    said = publish("--bundles", root, "--data", data, "--test-days", "20", code=0)
    assert f"{better} is current" in said
    assert current(root).name == better


def test_an_equal_configuration_passes_with_its_figures(
    shop: Dataset, data: Path, root: Path, good: FitConfig
) -> None:
    add(root, shop, good, 1, active=True)
    same = add(root, shop, good, 2)
    said = publish(
        *("--bundles", root, "--data", data, "--cutoffs", "1", "--test-days", "20"), code=0
    )
    assert "same configuration" in said
    assert current(root).name == same
    report = json.loads((root.parent / "bundles-gate" / f"{same}.json").read_text())
    assert {row["configuration"] for row in report["rows"]} == {"candidate"}


def test_a_candidate_without_a_placement_is_refused(
    shop: Dataset, data: Path, root: Path, good: FitConfig
) -> None:
    before = add(root, shop, good, 1, active=True)
    lesser = good.model_dump(mode="json")
    del lesser["placements"]["discover"]
    add(root, shop, validated(FitConfig, lesser, where="lesser"), 2)
    said = publish("--bundles", root, "--data", data, code=1)
    assert "discover: the candidate does not have this placement" in said
    assert current(root).name == before


def test_the_first_bundle_and_an_ungated_one_need_no_comparison(
    shop: Dataset, data: Path, root: Path, good: FitConfig, bad: FitConfig
) -> None:
    first = add(root, shop, good, 1)
    assert "no current bundle" in publish("--bundles", root, "--data", data, code=0)
    assert current(root).name == first
    assert "no candidate" in publish("--bundles", root, "--data", data, code=1)
    worse = add(root, shop, bad, 2)
    assert "give --data" in publish("--bundles", root, code=2)
    publish("--bundles", root, "--no-gate", code=0)
    assert current(root).name == worse
    # The older one is no candidate unless somebody names it.
    assert "name an older one" in publish("--bundles", root, "--data", data, code=1)
    publish(
        *("--bundles", root, "--data", data, "--candidate", first, "--test-days", "20"), code=0
    )
    assert current(root).name == first
