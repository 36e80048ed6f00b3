"""The documentation points at what is there: files, headings, settings and rooms."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from pydantic import BaseModel

from recsys.data.reading import mapping, mapping_parts
from recsys.data.reading.mapping import Mapping as FileMappings

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])
PARTS = (
    mapping.Mapping,
    mapping.EventMapping,
    mapping.ItemMapping,
    mapping.CustomerMapping,
    mapping_parts.Rule,
    mapping_parts.Mention,
    mapping_parts.Explode,
    mapping_parts.FillDown,
    mapping_parts.OrderTimes,
    mapping_parts.Join,
    mapping_parts.Returns,
)
SHARED = set(mapping.FileMapping.model_fields)
SETTINGS = sorted(
    (part.__name__, name)
    for part in PARTS
    for name in part.model_fields
    if not (issubclass(part, mapping.FileMapping) and name in SHARED)
)


def prose(page: Path) -> str:
    """Returns a page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Returns what GitHub names the headings of a page; of equal ones the second ends in `-1`."""
    seen: dict[str, int] = {}
    found = set()
    for heading in re.findall(r"^#+ +(.+?)\s*$", prose(page), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        count = seen.get(name, 0)
        found.add(f"{name}-{count}" if count else name)
        seen[name] = count + 1
    return found


def dead_links(page: Path) -> list[str]:
    """Returns the relative links of a page that lead to no file, or to no heading of one."""
    text = re.sub(r"`[^`\n]*`", "", prose(page))
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert dead_links(page) == []


def test_a_dead_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One `b` & [two](page.md)\n## Two\n## Two\n"
        "[a](#one-b--two) [b](page.md#two-1)\n[c](#two-2) "
        "[d](gone.md) [e](https://nowhere) `[f](gone.md)`\n```\n[g](gone.md)\n```\n"
    )
    assert dead_links(page) == ["#two-2", "gone.md"]


def mapping_blocks() -> list[str]:
    """Returns the blocks of TOML in the section on the mapping file."""
    data = (ROOT / "docs" / "data.md").read_text()
    [section] = re.findall(r"^## The mapping file$.*?(?=^## )", data, re.DOTALL | re.MULTILINE)
    return re.findall(r"```toml\n(.*?)```", section, re.DOTALL)


def settings_in(value: object) -> set[tuple[str, str]]:
    """Returns the settings that a part of a mapping was given, with those of the parts in it."""
    if isinstance(value, BaseModel):
        own = {(type(value).__name__, name) for name in value.model_fields_set}
        return own.union(*(settings_in(getattr(value, name)) for name in value.model_fields_set))
    if isinstance(value, Mapping):
        return set().union(*map(settings_in, value.values()))
    if isinstance(value, tuple):
        return set().union(*map(settings_in, value))
    return set()


@cache
def documented() -> frozenset[tuple[str, str]]:
    read = [FileMappings.model_validate(tomllib.loads(block)) for block in mapping_blocks()]
    return frozenset().union(*map(settings_in, read))


@pytest.mark.parametrize(("part", "name"), SETTINGS)
def test_every_setting_of_the_mapping_has_an_example(part: str, name: str) -> None:
    assert (part, name) in documented()


@pytest.mark.parametrize("name", sorted(mapping.FileMapping.model_fields))
def test_what_every_table_has_is_in_one_of_them(name: str) -> None:
    assert name in {name for _, name in documented()}


@pytest.mark.parametrize("name", ["shape", "looks", "profile_files", "recognition"])
def test_the_architecture_names_the_rooms_of_reading(name: str) -> None:
    assert list((ROOT / "recsys" / "data" / "reading").glob(f"{name}*"))
    assert re.search(rf"`(data/reading/)?{name}`", (ROOT / "ARCHITECTURE.md").read_text())
