"""What a deployment file names must be in the bundle."""

from typing import Any

import pytest

from recsys.live.deployment import Deployment
from recsys.live.fit_to_bundle import (
    BundleParts,
    PlacementParts,
    misfits,
    missing_placements,
    without,
)

BUNDLE = BundleParts(
    frozenset({"taste", "popular"}),
    {
        "for_you": PlacementParts(("taste", "popular"), has_ranker=True),
        "popular": PlacementParts(("popular",), has_ranker=False),
    },
)


def with_changes(placement: str = "for_you", **changes: Any) -> Deployment:
    arms = {"a": {}, "b": {"placements": {placement: changes}}}
    experiment = {"placements": [placement], "arms": arms}
    return Deployment.model_validate({"experiments": {"e": experiment}})


def blended(*names: str) -> list[dict[str, object]]:
    return [{"name": name, "weight": 1.0} for name in names]


@pytest.mark.parametrize(
    ("deployment", "problem"),
    [
        (with_changes(sources=blended("gone"), ranker=False), "source 'gone'"),
        (with_changes(fill=["popular", "gone"]), "source 'gone'"),
        (with_changes(sources=blended("popular")), "set ranker = false"),
        (with_changes(sources=blended("popular", "taste")), "set ranker = false"),
        (with_changes("gone", boost=False), "placement 'gone' is not one of the bundle's"),
    ],
)
def test_what_is_not_there_is_named(deployment: Deployment, problem: str) -> None:
    [misfit] = misfits(deployment, BUNDLE)
    assert misfit.part == "experiments.e"
    assert problem in misfit.problem


@pytest.mark.parametrize(
    "deployment",
    [
        Deployment(),
        with_changes(sources=blended("taste", "popular")),
        with_changes(sources=blended("popular"), ranker=False),
        with_changes("popular", sources=blended("taste")),
        with_changes(boost=False),
    ],
)
def test_what_is_there_fits(deployment: Deployment) -> None:
    assert misfits(deployment, BUNDLE) == []


def test_only_what_does_not_fit_is_left_out() -> None:
    good = with_changes(boost=False).model_dump()["experiments"]["e"]
    bad = with_changes("gone", boost=False).model_dump()["experiments"]["e"]
    deployment = Deployment.model_validate(
        {"experiments": {"good": good, "bad": bad}, "exploration": {"popular": {}, "gone": {}}}
    )
    left_out = misfits(deployment, BUNDLE)
    assert {misfit.part for misfit in left_out} == {"experiments.bad", "exploration.gone"}
    kept = without(deployment, left_out)
    assert (list(kept.experiments), list(kept.exploration)) == (["good"], ["popular"])
    assert misfits(kept, BUNDLE) == []


def test_another_bundle_must_have_the_placements() -> None:
    experiment = with_changes("gone", boost=False).experiments["e"]
    [problem] = missing_placements(experiment, BUNDLE)
    assert "'gone'" in problem
