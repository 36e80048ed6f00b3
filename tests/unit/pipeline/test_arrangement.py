"""Who answers a query, and what is left out where a file and bundles do not fit."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from recsys.live.deployment import Deployment
from recsys.live.experiments import note_of
from recsys.pipeline.arrangement import Arrangement, Choice, arrange, with_changes
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.types import CustomerId
from tests.small_shop import END

NOW = int(END.timestamp())
TASTE = {"sources": [{"name": "taste", "weight": 1.0}], "ranker": False}
EXPERIMENT: dict[str, Any] = {
    "placements": ["for_you", "popular"],
    "hold_out": 0.2,
    "arms": {"taste": {"placements": {"for_you": TASTE}}, "control": {}},
}


def deployment_of(**experiment: Any) -> Deployment:
    return Deployment.model_validate(
        {"experiments": {"e": EXPERIMENT | experiment}, "exploration": {"for_you": {}}}
    )


def arranged(recommender: Recommender, deployment: Deployment, **bundles: Any) -> Arrangement:
    return arrange(deployment, recommender, bundles)


def query(customer_id: str | None, placement: str = "for_you", **changes: Any) -> Query:
    named = None if customer_id is None else CustomerId(customer_id)
    return replace(Query(placement, NOW, named), **changes)


def choices(arrangement: Arrangement, count: int = 300, **changes: Any) -> dict[str, Choice]:
    """One choice for each arm that anybody of many is in."""
    every = [arrangement.choose(query(f"c-{n}", **changes)) for n in range(count)]
    return {choice.arm: choice for choice in every}


def test_arms_are_answered_as_the_file_says(recommender: Recommender) -> None:
    arrangement = arranged(recommender, deployment_of())
    found = choices(arrangement)
    assert found.keys() == {"taste", "control", "hold-out"}
    for arm in ("control", "hold-out"):
        assert found[arm].recommender is recommender
    changed = found["taste"].recommender
    assert changed is not recommender
    assert [use.name for use in changed.placement_configs["for_you"].sources] == ["taste"]
    assert changed.sources is recommender.sources, "the same models"
    for choice in found.values():
        assert choice.experiment is not None
        assert choice.experiment.name == "e"
        assert list(choice.experiment.arms) == ["control", "taste", "hold-out"]
        assert choice.experiment.arms == pytest.approx(
            {"control": 0.4, "taste": 0.4, "hold-out": 0.2}
        )
    assert arrangement.recommenders == (recommender, changed)


def test_lists_of_an_arm_are_those_of_its_configuration(recommender: Recommender) -> None:
    choice = choices(arranged(recommender, deployment_of()))["taste"]
    asked = query("customer-01", limit=4)
    [answer] = choice.recommender.recommend([asked])
    assert {item.source for item in answer.items} == {"taste"}
    assert {item.source for item in recommender.recommend([asked])[0].items} != {"taste"}
    other = replace(asked, placement="discover")
    assert choice.recommender.recommend([other]) == recommender.recommend([other])


@pytest.mark.parametrize(
    "asked",
    [query(None), query("c-1", "discover"), query("c-1", query_time=NOW + 5)],
    ids=["nobody", "other placement", "after the end"],
)
def test_others_are_in_no_experiment(recommender: Recommender, asked: Query) -> None:
    deployment = deployment_of(end_time="2026-04-01T00:00:05Z")
    arrangement = arranged(recommender, deployment)
    choice = arrangement.choose(asked)
    assert (choice.recommender, choice.experiment, choice.arm) == (recommender, None, "")
    explores = arrangement.deployment.exploration["for_you"]
    assert choice.exploration == (explores if asked.placement == "for_you" else None)


def test_an_arm_may_do_without_exploration(recommender: Recommender) -> None:
    arms = {"a": {}, "b": {"placements": {"for_you": {"exploration": False}}}}
    found = choices(arranged(recommender, deployment_of(arms=arms)))
    assert {arm: choice.exploration is not None for arm, choice in found.items()} == {
        "a": True,
        "b": False,
        "hold-out": True,
    }


def test_a_bundle_answers_its_arm(recommender: Recommender) -> None:
    other = replace(recommender, bundle_version="other")
    deployment = deployment_of(arms={"old": {"bundle": "other"}, "new": {}})
    found = choices(arranged(recommender, deployment, other=other))
    assert found["old"].recommender is other
    assert found["new"].recommender is recommender


def test_the_control_answers_for_a_lost_arm_uncounted(recommender: Recommender) -> None:
    deployment = deployment_of(arms={"old": {"bundle": "other"}, "new": {}})
    whole = arranged(recommender, deployment, other=recommender)
    lost = arranged(recommender, deployment)
    assert [(each.experiment, each.arm, each.bundle_version) for each in lost.lost] == [
        ("e", "old", "other")
    ]
    counted: Counter[tuple[str, str]] = Counter()
    for number in range(300):
        before, after = (each.choose(query(f"c-{number}")) for each in (whole, lost))
        assert after.recommender is recommender
        counted[before.arm, after.arm] += 1
    assert counted.keys() == {("old", ""), ("new", "new"), ("hold-out", "hold-out")}


def test_a_bundle_without_the_placement_cannot_answer(recommender: Recommender) -> None:
    configs = {"for_you": recommender.placement_configs["for_you"]}
    other = replace(recommender, placement_configs=configs)
    deployment = deployment_of(arms={"old": {"bundle": "other"}, "new": {}})
    arrangement = arranged(recommender, deployment, other=other)
    [lost] = arrangement.lost
    assert "'popular'" in lost.problem
    assert arrangement.arms == {}


def test_what_does_not_fit_is_left_out_and_the_rest_stays(recommender: Recommender) -> None:
    raw = deployment_of().model_dump()
    raw["experiments"]["gone"] = EXPERIMENT | {"placements": ["gone"], "arms": {"a": {}, "b": {}}}
    arrangement = arranged(recommender, Deployment.model_validate(raw))
    assert [misfit.part for misfit in arrangement.left_out] == ["experiments.gone"]
    assert choices(arrangement).keys() == {"taste", "control", "hold-out"}
    assert arrangement.choose(query("c-1", "gone")).experiment is None


def test_changes_reach_every_part(recommender: Recommender) -> None:
    changes = deployment_of(
        arms={
            "a": {},
            "b": {"placements": {"for_you": {"fill": ["popular"], "boost": False}}},
        }
    ).experiments["e"]
    changed = with_changes(recommender, changes.arms["b"].placements)
    config = changed.placement_configs["for_you"]
    assert (config.fill, config.boost, config.ranker) == (("popular",), None, None)
    assert config.sources == recommender.placement_configs["for_you"].sources
    assert list(changed.placement_configs) == list(recommender.placement_configs)


def test_the_version_of_an_experiment_is_of_what_it_does() -> None:
    def version(**changes: Any) -> str:
        return note_of("e", deployment_of(**changes).experiments["e"]).version

    assert version() == version(end_time="2030-01-01T00:00:00Z")
    others = {version(hold_out=0.1), version(placements=["for_you"]), version()}
    assert len(others) == 3
