"""An acknowledged event outlives a power cut."""

from pathlib import Path

import pytest

from tests.power_cuts import cut_once


@pytest.mark.parametrize("seed", range(8))
def test_what_was_acknowledged_is_there_after_a_power_cut(tmp_path: Path, seed: int) -> None:
    after = cut_once(tmp_path, seed)
    assert after.acknowledged > 0 or seed == 0
    assert (after.lost, after.twice, after.half_written) == (0, 0, 0)
    assert after.in_order
    assert after.sound


def test_without_waiting_for_the_disk_the_same_cuts_lose_events(tmp_path: Path) -> None:
    """If they did not, the test above would prove nothing."""
    cuts = [cut_once(tmp_path / str(seed), seed, "NORMAL") for seed in range(4)]
    assert sum(cut.lost for cut in cuts) > 0
    assert all(cut.sound and cut.in_order for cut in cuts)
