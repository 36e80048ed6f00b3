"""What a deployment file may say, and how it is told what is wrong."""

from pathlib import Path

import pytest

from recsys.errors import ConfigError
from recsys.live.attribution import ARM_BYTES, EXPERIMENT_BYTES
from recsys.live.deployment import Deployment, read_deployment

GOOD = """
[experiments.taste]
placements = ["for_you", "discover"]
hold_out = 0.1
start_time = 2026-03-01T00:00:00Z
end_time = 2026-03-15T00:00:00+01:00

[experiments.taste.arms.control]

[experiments.taste.arms.more]
weight = 2
[experiments.taste.arms.more.placements.for_you]
sources = [{ name = "taste", weight = 1.0 }]
ranker = false

[experiments.newer.arms]
old = { bundle = "20260101T000000000000Z-0123abcd" }
new = { bundle = "20260201T000000000000Z-0123abcd" }
[experiments.newer]
placements = ["similar_items"]

[exploration.popular]
temperature = 0.5
"""


def read(tmp_path: Path, text: str) -> Deployment:
    file = tmp_path / "deployment.toml"
    file.write_text(text)
    return read_deployment(file)


def test_a_file_is_read(tmp_path: Path) -> None:
    deployment = read(tmp_path, GOOD)
    taste = deployment.experiments["taste"]
    assert taste.arms["control"].is_control
    assert not taste.arms["more"].is_control
    assert deployment.bundles() == {
        "20260101T000000000000Z-0123abcd",
        "20260201T000000000000Z-0123abcd",
    }
    assert deployment.exploration["popular"].place_from_end == 1
    start = 1_772_323_200  # 2026-03-01T00:00:00Z
    runs = [taste.runs_at(start + offset) for offset in (-1, 0, 14 * 86_400 - 3_601, 14 * 86_400)]
    assert runs == [False, True, True, False]


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Deployment()


def test_bundles_of_ended_experiments_do_not_count(tmp_path: Path) -> None:
    text = GOOD.replace('placements = ["similar_items"]', 'placements = ["x"]\nend_time = {time}')
    deployment = read(tmp_path, text.replace("{time}", "2026-02-01T00:00:00Z"))
    assert len(deployment.bundles(1_769_903_999)) == 2
    assert deployment.bundles(1_769_904_000) == frozenset()


def test_two_experiments_on_one_placement_may_follow_each_other(tmp_path: Path) -> None:
    arms = "arms = {a = {}, b = {}}\n"
    text = (
        f'[experiments.one]\nplacements = ["p"]\nend_time = 2026-02-01T00:00:00Z\n{arms}'
        f'[experiments.two]\nplacements = ["p"]\nstart_time = 2026-02-01T00:00:00Z\n{arms}'
    )
    assert list(read(tmp_path, text).experiments) == ["one", "two"]
    earlier = text.replace("start_time = 2026-02-01", "start_time = 2026-01-31")
    with pytest.raises(ConfigError, match=r"experiments\.two: placement 'p' is part of .*\.one"):
        read(tmp_path, earlier)


HEAD = '[experiments.e]\nplacements = ["p"]\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[experiment.e]", "experiment: there is no such key"),
        ("[ruless]", "ruless: there is no such key"),
        ("[experiments.e", "not valid TOML"),
        (HEAD + "arms = {}", "experiments.e.arms: Dictionary should have at least 1"),
        (HEAD + "arms = {a = {}}", "experiments.e: arms: needs two"),
        (HEAD + "arms = {a = {}, b = {weight = 0}}", "arms: needs two"),
        (HEAD + "hold_out = 0.5\narms = {a = {weight = 0}}", "arms: needs two"),
        (HEAD + "arms = {a = {}, b = {weight = nan}}", "arms.b.weight"),
        (HEAD + "arms = {a = {}, b = {weight = -1}}", "arms.b.weight"),
        (HEAD + "arms = {a = {}, hold-out = {}}", "'hold-out' is the name"),
        (HEAD + "arms = {a = {}, B = {}}", "String should match"),
        (HEAD + f"arms = {{a = {{}}, {'b' * (ARM_BYTES + 1)} = {{}}}}", f"at most {ARM_BYTES}"),
        (
            HEAD.replace("e]", "e" * (EXPERIMENT_BYTES + 1) + "]") + "arms = {a = {}, b = {}}",
            f"at most {EXPERIMENT_BYTES}",
        ),
        (HEAD + "arms = {a = {}, b = {bundle = '../x'}}", "arms.b.bundle: String should match"),
        (
            HEAD + "arms = {a = {}, b = {bundle = 'x', placements = {p = {ranker = false}}}}",
            "nobody could say",
        ),
        (HEAD + "arms = {a = {}, b = {placements = {q = {ranker = false}}}}", "not about 'q'"),
        (HEAD + "arms = {a = {}, b = {placements = {p = {}}}}", "changes nothing"),
        (HEAD + "arms = {a = {}, b = {placements = {p = {ranker = true}}}}", "changes nothing"),
        (HEAD + "hold_out = 1\narms = {a = {}, b = {}}", "experiments.e.hold_out"),
        (HEAD + "start_time = 2026-01-01T00:00:00\narms = {a = {}, b = {}}", "timezone"),
        (
            HEAD + "start_time = 2026-01-02T00:00:00Z\nend_time = 2026-01-02T00:00:00Z\n"
            "arms = {a = {}, b = {}}",
            "end_time: is not after start_time",
        ),
        ("[exploration.p]\ntemperature = 0", "exploration.p.temperature"),
        ("[exploration.p]\nnew_item_boost = 1", "needs new_item_days"),
        (
            "".join(
                f'[experiments.e{n}]\nplacements = ["p{n}"]\narms = {{a = {{}}, b = {{bundle = '
                f'"v{n}"}}}}\n'
                for n in range(5)
            ),
            "more than 4 bundles",
        ),
    ],
)
def test_wrong_files_are_refused_with_the_place(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert str(tmp_path / "deployment.toml") in str(caught.value)
    assert expected in str(caught.value)


def test_a_source_that_stands_twice_is_refused(tmp_path: Path) -> None:
    twice = "sources = [{name = 's', weight = 1}, {name = 's', weight = 2}]"
    with pytest.raises(ConfigError, match="stands twice"):
        read(tmp_path, HEAD + f"arms = {{a = {{}}, b = {{placements = {{p = {{{twice}}}}}}}}}")


def test_every_wrong_thing_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "[exploration.p]\ntemperature = 0\n[exploration.q]\ncandidates = 1")
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("make", ["missing", "folder"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, make: str) -> None:
    file = tmp_path / "deployment.toml"
    if make == "folder":
        file.mkdir()
    with pytest.raises(ConfigError, match=r"deployment\.toml: "):
        read_deployment(file)
