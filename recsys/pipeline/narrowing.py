"""What a placement's blend may show of what is allowed: less than its fill sources may."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from recsys.live.placement_settings import PlacementSettings
from recsys.pipeline.anchor import anchored
from recsys.pipeline.popular_sources import LEAST
from recsys.pipeline.request import Request
from recsys.pipeline.resolve import Resolver
from recsys.pipeline.source import CandidateSource, said_by
from recsys.pipeline.weeks import in_turn
from recsys.types import BoolArray


def narrowed(
    request: Request,
    config: PlacementSettings,
    sources: Mapping[str, CandidateSource],
    resolver: Resolver,
) -> Request:
    """Returns the request that a placement's sources answer.

    It starts from an anchor where the placement has one, and only what is within another source
    or has its turn this week is allowed; `wider` is then the request without those limits. Where
    the items are given, none of them is left out.
    """
    if config.seeds == "anchor":
        request = anchored(request, config, sources, resolver)
    if request.given_nums is not None:
        return request
    shown = np.ones_like(request.allowed)
    if config.within:
        shown &= _given_by(sources[config.within], request)
    if config.rotation_weeks is not None:
        query = request.query
        hashes = resolver.catalogue.items.hashes()
        shown &= in_turn(query.customer_id, hashes, query.query_time, config.rotation_weeks)
    if shown.all():
        return request
    return replace(request.allowing(request.allowed & shown), wider=request)


def _given_by(source: CandidateSource, request: Request) -> BoolArray:
    """Marks the items that a source would give, shape (items,)."""
    nums = np.arange(len(request.allowed), dtype=np.int32)
    given: BoolArray = said_by(source, request).of(nums) > LEAST
    return given
