"""What sources say: asked once for a request, whatever is allowed, and of learned items alone."""

import numpy as np
import pytest

from recsys.pipeline.query import Query
from recsys.pipeline.recommender import Recommender
from recsys.pipeline.request import Anchor, Request
from recsys.pipeline.source import said_by
from tests.small_shop import END

NOW = int(END.timestamp())


@pytest.fixture
def request_of(recommender: Recommender) -> Request:
    query = Query("for_you", NOW, customer_id="customer-02")  # type: ignore[arg-type]
    return recommender.resolver.resolve(query, recommender.placement_configs["for_you"])


@pytest.mark.parametrize("name", ["popular", "popular_in_segment", "repurchase", "taste"])
def test_scores_under_another_mask_are_those_of_a_source_asked_anew(
    recommender: Recommender, request_of: Request, name: str
) -> None:
    source, every = recommender.sources[name], np.arange(len(recommender.catalogue))
    said_by(source, request_of)
    some = request_of.allowing(request_of.allowed & (every % 4 == 0))
    found, anew = said_by(source, some), source.scores(some)
    assert found.best(9)[0].tolist() == anew.best(9)[0].tolist()
    assert len(found.best(9)[0])
    assert found.of(every.astype(np.int32)).tolist() == anew.of(every.astype(np.int32)).tolist()
    assert said_by(source, request_of).best(9)[0].tolist() != found.best(9)[0].tolist()


def test_a_request_about_a_purchase_asks_anew(
    recommender: Recommender, request_of: Request
) -> None:
    source, num = recommender.sources["taste"], np.array([3, 8], np.int32)
    before = said_by(source, request_of).of(num)
    about = recommender.resolver.about(request_of, Anchor(3, "item-03", NOW))  # type: ignore[arg-type]
    assert said_by(source, about).of(num).tolist() == source.scores(about).of(num).tolist()
    assert said_by(source, about).of(num).tolist() != before.tolist()
