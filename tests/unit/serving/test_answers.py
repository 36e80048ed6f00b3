"""Answers name their experiment, come from the right bundle, and can be made again."""

import time
from dataclasses import replace

import polars as pl
import pytest
import structlog

from recsys.data.catalogue import Catalogue
from recsys.errors import InvalidFilterError, UnknownPlacementError
from recsys.live.deployment import Deployment
from recsys.live.eligibility import Eligibility
from recsys.pipeline.arrangement import arrange
from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.types import CustomerId
from recsys.v1 import recommendation_service_pb2 as pb
from serving.answering.answers import answer_all
from serving.messages.details import DetailsReader
from serving.messages.responses import to_batch_response, to_response
from serving.state.live_state import LiveState
from serving.state.patience import Patience
from serving.state.snapshot import Snapshot
from tests.small_shop import END

NOW = int(END.timestamp())
STORELESS = LiveState(None, Patience(time.monotonic))
ARMS = {"old": {"bundle": "older"}, "new": {}}
DEPLOYMENT = Deployment.model_validate(
    {
        "experiments": {"e": {"placements": ["for_you"], "arms": ARMS}},
        "exploration": {"popular": {"temperature": 5}},
    }
)


@pytest.fixture(scope="module")
def older(recommender: Recommender) -> Recommender:
    """An older bundle, whose catalogue knows less."""
    catalogue = Catalogue.from_frame(recommender.catalogue.frame.drop("caffeine"))
    eligibility = Eligibility(catalogue.frame.with_columns(price=pl.lit(1.0)))
    resolver = replace(recommender.resolver, catalogue=catalogue, eligibility=eligibility)
    return replace(recommender, bundle_version="older", resolver=resolver)


@pytest.fixture(scope="module")
def snapshot(recommender: Recommender, older: Recommender) -> Snapshot:
    return Snapshot(recommender, arrange(DEPLOYMENT, recommender, {"older": older}))


def queries(count: int = 40, placement: str = "for_you", text: str = "") -> list[Query]:
    ids = [CustomerId(f"customer-{number:02}") for number in range(count)]
    return [Query(placement, NOW, each, 3, filter=text) for each in ids]


def test_each_customer_is_answered_by_the_own_arm(
    snapshot: Snapshot, recommender: Recommender, older: Recommender
) -> None:
    asked = [*queries(), Query("for_you", NOW, None, 3), *queries(3, "discover")]
    answers = answer_all(snapshot, asked, NOW, state=STORELESS)
    assert {answer.arm for answer in answers} == {"old", "new", ""}
    for query, answer in zip(asked, answers, strict=True):
        own = older if answer.arm == "old" else recommender
        assert answer.query == query
        assert answer.recommendations == own.recommend([query])[0]
        assert answer.catalogue is own.catalogue
        assert (answer.experiment is None) == (answer.arm == "")
    assert answers == [
        replace(each, request_id=known.request_id)
        for query, known in zip(asked, answers, strict=True)
        for each in answer_all(snapshot, [query], NOW, state=STORELESS)
    ]


def test_responses_name_experiment_arm_and_bundle(
    snapshot: Snapshot, recommender: Recommender
) -> None:
    details = DetailsReader(recommender.catalogue, ["title", "caffeine"], "")
    answers = {
        answer.arm: answer for answer in answer_all(snapshot, queries(), NOW, state=STORELESS)
    }
    old, new = (to_response(answers[arm], details) for arm in ("old", "new"))
    assert (old.experiment, old.arm, old.bundle_version) == ("e", "old", "older")
    assert (new.experiment, new.arm, new.bundle_version) == ("e", "new", "in-memory")
    assert "caffeine" in new.items[0].details.attributes
    assert "caffeine" not in old.items[0].details.attributes, "which its catalogue lacks"
    assert old.items[0].details.title
    batch = to_batch_response(recommender, [answers["old"], answers["new"]], details)
    assert batch.bundle_version == "in-memory"
    told = [(each.experiment, each.arm, each.bundle_version) for each in batch.results]
    assert told == [("e", "old", "older"), ("e", "new", "")]
    assert not any(item.HasField("propensity") for item in new.items)


def test_the_control_answers_what_the_bundle_of_an_arm_cannot(
    snapshot: Snapshot, recommender: Recommender
) -> None:
    asked = queries(text="caffeine")
    with structlog.testing.capture_logs() as lines:
        answers = answer_all(snapshot, asked, NOW, state=STORELESS)
    assert {answer.arm for answer in answers} == {"new", ""}
    assert [answer.recommendations for answer in answers] == recommender.recommend(asked)
    assert all(answer.catalogue is recommender.catalogue for answer in answers)
    assert [(line["event"], line["arm"]) for line in lines] == [("deployment.arm_failed", "old")]


def test_what_nobody_can_answer_is_refused_as_ever(snapshot: Snapshot) -> None:
    with pytest.raises(InvalidFilterError):
        answer_all(snapshot, queries(text="gone = 1"), NOW, state=STORELESS)
    with pytest.raises(UnknownPlacementError):
        answer_all(snapshot, queries(1, "gone"), NOW, state=STORELESS)


def test_an_explored_answer_can_be_made_again(
    snapshot: Snapshot, recommender: Recommender
) -> None:
    answers = answer_all(snapshot, queries(30, "popular"), NOW, state=STORELESS)
    drawn = set()
    for answer in answers:
        [again] = recommender.recommend([answer.query])
        assert again == answer.recommendations
        assert answer.query.seed == answer.request_id
        last = answer.recommendations.items[-1]
        drawn.add(last.item_id)
        details = DetailsReader(recommender.catalogue, [], "")
        response = to_response(answer, details)
        assert [item.HasField("propensity") for item in response.items] == [False, False, True]
        assert response.items[-1].propensity == last.propensity
        assert isinstance(response, pb.RecommendResponse)
    assert len(drawn) > 3, "one of many each time"
