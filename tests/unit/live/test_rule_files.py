"""Files with rules: what fits is taken, all else is refused with file, line and reason."""

from pathlib import Path

import pytest

from recsys.errors import ConfigError
from recsys.live.deployment import Deployment, read_deployment, read_deployment_text
from recsys.live.fit_to_bundle import BundleParts, PlacementParts, misfits, rules_fit, without
from recsys.live.rules import AtLeast, Exclude, Strictness, gives_way
from tests.small_shop import shop_items

PARTS = BundleParts(
    frozenset({"popular"}),
    {
        "for_you": PlacementParts(("popular",), has_ranker=False),
        "popular": PlacementParts(("popular",), has_ranker=False),
    },
    shop_items().drop("markets").schema,
)
GOOD = """
[filters.cheap]
sql = "price < :most AND 'organic' IN tags"

[filters.teas]
sql = "'Tea' IN category AND created_at > :since AND brand IN :brands AND caffeine = :strong"

[rules.everywhere.no_coffee]
kind = "exclude"
filter = "'Coffee' IN category"

[rules.for_you]
new = { kind = "tuning", freshness = "high", diversity = 0.3, popularity = -0.5 }
own = { kind = "boost", filter_name = "cheap", parameters = { most = 5 }, factor = 2 }
few = { kind = "at-most", column = "category", depth = 1, count = 3 }
half = { kind = "at-least", item_ids = ["a", "b"], share = 0.5, strict = true }
late = { kind = "hide-bought", days = 3, unless = { filter = "caffeine" } }
earns = { kind = "margin", least_share = 0.2, least_amount = 1 }
there = { kind = "stock-cover", stock_column = "price", sales_column = "cost", days = 7 }
near = { kind = "price-band", column = "brand" }
one = { kind = "pin", item_id = "a", position = 1, end_time = 2026-02-01T00:00:00Z }
two = { kind = "pin", item_id = "b", position = 1, start_time = 2026-02-01T00:00:00Z }
"""


def read(tmp_path: Path, text: str) -> Deployment:
    path = tmp_path / "shop.toml"
    path.write_text(text)
    return read_deployment(path)


def test_a_good_file_fits_and_survives_json(tmp_path: Path) -> None:
    deployment = read(tmp_path, GOOD)
    assert misfits(deployment, PARTS) == []
    assert rules_fit(deployment, ["for_you"], PARTS)
    assert Deployment.model_validate_json(deployment.model_dump_json()) == deployment
    rule_set = deployment.rule_set("for_you")
    assert rule_set is not None
    assert list(rule_set.rules)[:2] == ["no_coffee", "new"]
    other = deployment.rule_set("popular")
    assert other is not None
    assert list(other.rules) == ["no_coffee"]
    assert Deployment().rule_set("popular") is None


ITEM = '{ kind = "exclude", item_ids = ["a"] }'
PIN = '{{ kind = "pin", item_id = "{}", position = {} }}'
TEA = "filter = \"'Tea' IN category\""


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ('[rules.p.x]\nkind = "exclude"\n', 1, "needs filter, filter_name or item_ids"),
        ('[rules.p.x]\nkind = "excludes"\nfilter = "a"', 1, "does not match any of the expected"),
        ('[rules.p.x]\nfilter = "a"', 1, "Unable to extract tag"),
        ('[rules.p.x]\nkind = "boost"\nfilter = "a"\nfactor = 0.5', 4, "greater than 1"),
        (
            '[rules.p.x]\nkind = "boost"\nfilter = "a"\nfactor = 2\nmore = 1',
            5,
            "there is no such key",
        ),
        (
            '[rules.p.x]\nkind = "pin"\nitem_id = "a"\nposition = 0',
            4,
            "greater than or equal to 1",
        ),
        (
            '[rules.p.x]\nkind = "exclude"\nfilter = "a"\nitem_ids = ["b"]',
            4,
            "stands beside a filter",
        ),
        (
            '[rules.p.x]\nkind = "exclude"\nfilter = "a ="\nparameters = {y = 1}',
            4,
            "no filter of the",
        ),
        ('[rules.p.x]\nkind = "exclude"\nfilter = "a = :y"', 1, "'y' has no value"),
        ('[rules.p.x]\nkind = "exclude"\nfilter = "a = \'"', 3, "not closed (at character 4)"),
        ('[rules.p.x]\nkind = "exclude"\nfilter_name = "f"', 3, "'f' is not one of the file's"),
        ('[filters.f]\nsql = "a /* b"', 2, "not closed"),
        ('[filters.f]\nsql = ""', 2, "at least 1 character"),
        ('[filters."F f"]\nsql = "a"', 1, "String should match pattern"),
        ('[rules.p.x]\nkind = "at-most"\ncount = 1', 1, "needs a column"),
        (
            '[rules.p.x]\nkind = "at-most"\ncount = 1\nfilter = "a"\ndepth = 2',
            5,
            "there is no column",
        ),
        ('[rules.p.x]\nkind = "at-least"\nfilter = "a"\nshare = 30', 4, "less than or equal to 1"),
        ('[rules.p.x]\nkind = "margin"', 1, "needs least_share or least_amount"),
        ('[rules.p.x]\nkind = "price-band"\nleast = 2\nmost = 1', 3, "is not below most"),
        ('[rules.p.x]\nkind = "tuning"', 1, "needs diversity, freshness or popularity"),
        ('[rules.p.x]\nkind = "tuning"\ndiversity = "much"', 3, "one of none, low, medium, high"),
        ('[rules.p.x]\nkind = "tuning"\ndiversity = -0.1', 3, "greater than or equal to 0"),
        (
            (
                '[rules.p.x]\nkind = "tuning"\ndiversity = 1\nstart_time = 2026-01-02T00:00:00Z\n'
                "end_time = 2026-01-01T00:00:00Z"
            ),
            5,
            "is not after start_time",
        ),
        (
            f"[rules.p]\na = {PIN.format('i', 2)}\nb = {PIN.format('j', 2)}",
            3,
            "'a' pins 'i' to place 2",
        ),
        (
            f"[rules.p]\na = {PIN.format('i', 2)}\nb = {PIN.format('i', 3)}",
            3,
            "'a' pins 'i' already",
        ),
        (f"[rules.p]\na = {PIN.format('a', 2)}\nb = {ITEM}", 3, "one pins 'a', one excludes it"),
        (
            f"[rules.everywhere]\nb = {ITEM}\n[rules.p]\na = {PIN.format('a', 2)}",
            4,
            "one pins 'a', one excludes it",
        ),
        (
            f"[rules.everywhere]\nb = {ITEM}\n[rules.p]\nb = {ITEM}",
            4,
            "rules.everywhere has a rule",
        ),
        (
            f'[rules.p]\na = {PIN.format("i", 2)}\nb = {{ kind = "include", item_ids = ["j"] }}',
            3,
            "'i' is pinned and not included",
        ),
        (
            f'[rules.p]\na = {{ kind = "include", item_ids = ["a"] }}\nb = {ITEM}',
            3,
            "nothing is left",
        ),
        (
            f'[rules.p]\na = {{ kind = "include", {TEA} }}\nb = {{ kind = "exclude", {TEA} }}',
            3,
            "nothing is left",
        ),
        (
            (
                '[rules.p]\na = { kind = "include", item_ids = ["a"] }\n'
                'b = { kind = "include", item_ids = ["b"] }'
            ),
            3,
            "includes none of the same",
        ),
        (
            (
                f'[rules.p]\na = {{ kind = "boost", {TEA}, factor = 2 }}\n'
                f'b = {{ kind = "bury", {TEA}, factor = 2 }}'
            ),
            3,
            "one boosts what the other buries",
        ),
        (
            (
                f'[rules.p]\na = {{ kind = "boost", {TEA}, factor = 2 }}\n'
                f'b = {{ kind = "boost", {TEA}, factor = 3 }}'
            ),
            3,
            "give one factor",
        ),
        (
            (
                f'[rules.p]\na = {{ kind = "at-least", {TEA}, share = 0.2 }}\n'
                f'b = {{ kind = "exclude", {TEA} }}'
            ),
            3,
            "one asks for what the other excludes",
        ),
        (
            (
                f'[rules.p]\na = {{ kind = "at-least", {TEA}, share = 0.2 }}\n'
                f'b = {{ kind = "at-most", {TEA}, count = 1 }}'
            ),
            3,
            "one bounds what the other asks",
        ),
        (
            (
                '[rules.p]\na = { kind = "at-most", column = "brand", count = 2 }\n'
                'b = { kind = "at-most", column = "brand", count = 1 }'
            ),
            3,
            "both bound the same",
        ),
        (
            (
                '[rules.p]\na = { kind = "tuning", diversity = 0.2 }\n'
                'b = { kind = "tuning", diversity = 0.2 }'
            ),
            3,
            "'a' sets it, too",
        ),
        (
            (
                f'[rules.p]\na = {{ kind = "at-least", {TEA}, share = 0.6 }}\n'
                'b = { kind = "at-least", item_ids = ["a"], share = 0.6 }'
            ),
            3,
            "120% of the list",
        ),
    ],
)
def test_wrong_rules_are_refused_with_file_line_and_reason(
    tmp_path: Path, text: str, line: int, told: str
) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    [first, *_] = str(error.value).splitlines()
    assert first.startswith(f"{tmp_path / 'shop.toml'}:{line}: ")
    assert told in first


@pytest.mark.parametrize(
    ("text", "part", "line", "told"),
    [
        (
            "[rules.nowhere]\nx = " + ITEM,
            "rules.nowhere.x",
            2,
            "placement 'nowhere' is not one of",
        ),
        (
            '[rules.for_you.x]\nkind = "exclude"\nfilter = "prise < 3"',
            "rules.for_you.x",
            3,
            "there is no column 'prise'",
        ),
        (
            '[rules.for_you.x]\nkind = "exclude"\nfilter = "price < :y"\nparameters = {y = "a"}',
            "rules.for_you.x",
            3,
            "compared with a column of numbers (at character 8)",
        ),
        (
            '[rules.for_you.x]\nkind = "hide-bought"\ndays = 3\nunless = { filter = "used_up" }',
            "rules.for_you.x",
            4,
            "there is no column 'used_up'",
        ),
        (
            '[rules.for_you.x]\nkind = "at-most"\ncount = 1\ncolumn = "seller"',
            "rules.for_you.x",
            4,
            "there is no column 'seller'",
        ),
        (
            '[rules.for_you.x]\nkind = "at-most"\ncount = 1\ncolumn = "brand"\ndepth = 1',
            "rules.for_you.x",
            5,
            "does not hold lists",
        ),
        (
            (
                '[rules.for_you.x]\nkind = "stock-cover"\nstock_column = "title"\n'
                'sales_column = "sold"\ndays = 2'
            ),
            "rules.for_you.x",
            3,
            "does not hold numbers",
        ),
        ('[filters.f]\nsql = "a < 1"', "filters.f", 2, "there is no column 'a'"),
        ('[filters.f]\nsql = "title > :x AND price > :y AND tags = :z"', "filters.f", 2, "lists"),
        ("[filters.f]\nsql = \"price IN (:x, 'a')\"", "filters.f", 2, "column of numbers"),
        (
            '[filters.f]\nsql = "a < 1"\n[rules.for_you.x]\nkind = "exclude"\nfilter_name = "f"',
            "filters.f",
            2,
            "there is no column 'a'",
        ),
    ],
)
def test_rules_that_do_not_fit_a_bundle_are_found(
    tmp_path: Path, text: str, part: str, line: int, told: str
) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(GOOD.replace("for_you", "popular") + text)
    before = GOOD.count("\n")
    deployment, lines = read_deployment_text(path)
    found = misfits(deployment, PARTS)
    assert found[0].part == part
    assert told in found[0].problem
    assert lines.of(found[0].path) == before + line
    rest = without(deployment, found)
    assert misfits(rest, PARTS) == []
    assert rest.rules["popular"] == deployment.rules["popular"]
    assert not rest.rules.get("for_you")


def test_rules_of_other_placements_do_not_keep_an_arm_from_answering(tmp_path: Path) -> None:
    deployment = read(tmp_path, '[rules.popular.x]\nkind = "exclude"\nfilter = "nothing = 1"')
    assert rules_fit(deployment, ["for_you"], PARTS)
    assert not rules_fit(deployment, ["popular"], PARTS)


def test_who_gives_way() -> None:
    hard = Exclude(kind="exclude", filter="a")
    soft = Exclude(kind="exclude", filter="a", strict=False)
    firm = AtLeast(kind="at-least", filter="a", share=0.5, strict=True)
    kinds = [Strictness.AS_RULES, Strictness.STRICT, Strictness.FILL]
    assert [gives_way(hard, kind) for kind in kinds] == [False, False, False]
    assert [gives_way(soft, kind) for kind in kinds] == [True, False, True]
    assert [gives_way(firm, kind) for kind in kinds] == [False, False, True]
