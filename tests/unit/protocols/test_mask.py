import pytest

from recsys.fitting.config import load_config
from recsys.protocols.mask import Mask, with_mask


@pytest.mark.parametrize(
    ("mask", "excluded"), [(Mask.NONE, "nothing"), (Mask.BOUGHT, "bought"), (Mask.SEEN, "seen")]
)
def test_a_mask_changes_maskable_placements_only(mask: Mask, excluded: str) -> None:
    before = load_config().placements
    after = with_mask(before, mask)
    assert list(after) == list(before)
    assert {after[name].exclude for name in ("for_you", "discover")} == {excluded}
    assert all(
        after[name] == before[name] for name in after if name not in {"for_you", "discover"}
    )


def test_no_mask_changes_nothing() -> None:
    before = load_config().placements
    assert with_mask(before, None) == before
