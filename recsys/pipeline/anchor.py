"""The one purchase that a list starts from and is named after."""

from collections.abc import Mapping

import numpy as np

from recsys.live.placement_settings import PlacementSettings
from recsys.models.latest import latest_first
from recsys.pipeline.blend import boost_factors
from recsys.pipeline.query import Reason
from recsys.pipeline.request import BOUGHT, Anchor, Request
from recsys.pipeline.resolve import Resolver
from recsys.pipeline.source import CandidateSource
from recsys.types import DAY_S, FloatArray, NumArray

LOOKED_AT = 10
"""Latest purchases that may be the anchor."""
HALF_LIFE_DAYS = 30.0
"""Days after which a purchase must have twice as much to say."""


def anchored(
    request: Request,
    config: PlacementSettings,
    sources: Mapping[str, CandidateSource],
    resolver: Resolver,
) -> Request:
    """Returns the request as one about a single purchase of the customer.

    Of the latest purchases it is the one of which the first source has most to say that may be
    shown, the more so the later it was; ties go to the later one, then by item number. Where the
    placement has a boost, it counts here, too: what a few customers happen to share says little.
    Neither the purchase nor a variant of it may be shown. Without one that says anything the
    request is as it was, and starts from the history.

    Args:
        request: of a placement with an anchor.
        config: of the placement.
        sources: by name.
        resolver: of the request.
    """
    now, best, found = request.query.query_time, 0.0, request
    nums, _, _ = latest_first(request.rows, BOUGHT, LOOKED_AT)
    for num, time in zip(nums.tolist(), _last_times(request, nums), strict=True):
        about = resolver.about(request, Anchor(num, resolver.catalogue.items.id(num), time))
        scores = _scores(about, config, sources)
        fading = 2.0 ** (-max(now - time, 0) / DAY_S / HALF_LIFE_DAYS)
        worth = float(scores.sum()) * fading
        if worth > best:
            best, found = worth, about
    return found


def _scores(
    about: Request, config: PlacementSettings, sources: Mapping[str, CandidateSource]
) -> FloatArray:
    """Returns the largest scores that a purchase gives to other items."""
    source = sources[config.sources[0].name].scores(about)
    if config.boost is None:
        return source.best(about.query.limit)[1]
    nums, scores = source.best(config.candidates)
    factors = boost_factors(sources[config.boost.name].scores(about), nums, config.boost.power)
    boosted: FloatArray = np.sort(scores * factors)[-about.query.limit :]
    return boosted


def title_of(request: Request) -> Reason | None:
    """Returns what the list is about as a whole; None where it has no anchor."""
    if request.anchor is None:
        return None
    return Reason("because-you-bought", (request.anchor.item_id,), date=request.anchor.time)


def _last_times(request: Request, item_nums: NumArray) -> list[int]:
    """Returns when each item was last bought, Unix seconds."""
    counted = BOUGHT[request.rows.event_types] > 0
    pairs = zip(request.rows.item_nums[counted], request.rows.last_times[counted], strict=True)
    last = {int(num): int(time) for num, time in pairs}  # one row of an item and event type
    return [last[num] for num in item_nums.tolist()]
