"""Every profile goes from an export to a list by the commands of `docs/profiles.md`."""

import re
import shlex
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from recsys.command import app
from recsys.data.event_names import bare
from recsys.data.reading.profiles import find_profile, shipped_profiles
from tests.exports import CUSTOMERS, EXPORTS, ITEMS, TITLES

PAGE = Path(__file__).parents[3] / "docs" / "profiles.md"
MOST_COMMANDS = 3


def sections() -> dict[str, list[str]]:
    """Returns the commands of each section of the page, by the section's bare title."""
    text = PAGE.read_text(encoding="utf-8")
    parts = re.findall(r"^## (.*?)$(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    blocks = {
        bare(title): re.search(r"```bash\n(.*?)```", body, re.DOTALL) for title, body in parts
    }
    return {title: block.group(1).splitlines() for title, block in blocks.items() if block}


def test_every_profile_has_its_section() -> None:
    names = {bare(profile.name) for profile in shipped_profiles()}
    assert set(sections()) == names
    assert {bare(name) for name in EXPORTS} == names


@pytest.mark.parametrize("profile", EXPORTS)
def test_three_commands_to_a_list(
    profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in EXPORTS[profile]().items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, encoding="utf-8", newline="")
    monkeypatch.chdir(tmp_path)
    commands = sections()[bare(profile)]
    assert len(commands) <= MOST_COMMANDS
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "recsys"
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, f"{command}\n{done.output}\n{done.exception}"
        if arguments[0] == "prepare":
            said = " ".join(done.output.split())
            assert f"profile {profile}; --profile none" in said
    lists = pl.concat(
        [pl.read_csv(file, infer_schema=False) for file in Path("lists").glob("*.csv")]
    )
    assert lists["customer_id"].n_unique() == CUSTOMERS
    items = pl.read_parquet("data/items.parquet")
    assert set(lists["item_1_id"]) <= set(items["item_id"])
    assert lists["item_3_id"].null_count() == 0
    assert len(items) == ITEMS
    if profile not in {"retailrocket", "olist", "personalize", "rees46"}:
        assert {title.partition(" (")[0] for title in items["title"]} == set(TITLES)


def test_an_own_profile_as_the_page_shows_it(tmp_path: Path) -> None:
    block = re.search(r"```toml\n(title = .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    file = tmp_path / "tills.toml"
    file.write_text(block.group(1), encoding="utf-8")
    (shape,) = find_profile(str(file)).shapes
    assert shape.table == "events"
    assert shape.lacks(("bon", "KARTE", "EAN", "Menge", "Zeit")) == ()
