"""The report: one page that needs nothing else, and says what was measured."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evaluation.cli import app
from evaluation.report import collect
from recsys.backtest.rows import read_figures
from recsys.data.dataset import Dataset
from tests.shop_folder import write_shop


@pytest.fixture(scope="module")
def prepared(shop: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shop(shop, tmp_path_factory.mktemp("prepared"))


def call(*arguments: str | Path, code: int = 0) -> str:
    result = CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "100"})
    assert result.exit_code == code, result.output
    return result.output


class Tags(HTMLParser):
    """Notes every opening tag with its attributes, and whether all are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    config = folder / "mine.toml"
    config.write_text("[models.taste]\nembedding_size = 8\n")
    said = call(
        *("run", "--data", prepared, "--config", config, "--placements", "for_you,discover"),
        *("--k", "3,5", "--report", folder / "new" / "report.html"),
        *("--learning-curve", "history", "--dataset-name", "tea <& coffee>"),
    )
    assert "report.html" in said
    return folder / "new" / "report.html"


@pytest.mark.extra(name="report")
def test_the_page_needs_nothing_from_elsewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text) < 1_500_000
    parser = Tags()
    parser.feed(text)
    assert parser.open == []
    names = {name for name, _ in parser.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "embed"}
    assert not re.search(r"url\(|@import", text)
    for _, attributes in parser.tags:
        assert not {"src", "href", "onload", "onclick"} & set(attributes)


@pytest.mark.extra(name="report")
def test_every_plot_is_drawn_in_the_colours_of_the_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for plot in ("headline", "curves", "coverage", "popularity", "calibration", "learning"):
        figure = re.search(rf'<figure id="{plot}">.*?</figure>', text, re.DOTALL)
        assert figure, plot
        assert "<svg" in figure[0]
        assert "var(--c0)" in figure[0]
        assert "<title>" in figure[0]
    defined = set(re.findall(r"(--[a-z0-9]+):", text))
    assert set(re.findall(r"var\((--[a-z0-9]+)\)", text)) <= defined
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


@pytest.mark.extra(name="report")
def test_the_page_says_what_the_figures_say(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    rows = read_figures(page.with_suffix(".json"))
    ours = next(
        row
        for row in rows
        if (row.configuration, row.placement, row.metric, row.k, row.slice)
        == ("default", "for_you", "ndcg", 5, "all")
    )
    assert f"for_you: default reaches ndcg@5 {ours.value:.4f}, " in text
    assert "tea &lt;&amp; coffee&gt;" in text
    assert "<& coffee>" not in text
    for part in ("serendipity@5", "embedding_size 8", "customers judged", "ms a list", "± "):
        assert part in text
    assert any(row.p_holm is not None for row in rows)


@pytest.mark.extra(name="report")
def test_a_comparison_has_a_report_too(prepared: Path, tmp_path: Path) -> None:
    call(
        *("compare", "--data", prepared, "--config", "popularity", "--k", "5"),
        *("--config", "personal-frequency", "--report", tmp_path / "report.html"),
        *("--min-customers", "10", "--placements", "for_you", "--metric", "recall"),
    )
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "popularity reaches recall@5" in text
    assert "significantly worse than the best other, personal-frequency" in text
    assert 'id="slices-for_you"' in text
    assert 'id="learning"' not in text
    assert 'id="curves"' not in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--learning-curve", "history"], "--report FILE.html"),
        (["--learning-curve", "weather", "--report", "x.html"], "history"),
        pytest.param(
            ["--bundle", "x", "--report", "x.html", "--learning-curve", "history"],
            "refits",
            marks=pytest.mark.extra(name="report"),
        ),
    ],
)
def test_wrong_options_are_refused(options: list[str], said: str) -> None:
    assert said in call("run", "--data", "nowhere", *options, code=2)


def test_without_the_extra_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collect, "NEEDED", ("no_such_package",))
    said = call("run", "--data", "nowhere", "--report", "x.html", code=2)
    assert "report" in said
    assert "pip install" in said


@pytest.mark.extra(name="report")
def test_the_sentences_claim_no_more_than_was_shown(prepared: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / f"{name}.toml").write_text("[models.taste]\nembedding_size = 8\n")
    options = ("compare", "--data", prepared, "--k", "5", "--min-customers", "10")
    call(
        *(*options, "--config", tmp_path / "one.toml", "--config", tmp_path / "other.toml"),
        *("--config", "personal-frequency", "--placements", "for_you,popular"),
        *("--report", tmp_path / "same.html"),
    )
    same = (tmp_path / "same.html").read_text(encoding="utf-8")
    assert "not significantly different from the best other, other, by +0.0000" in same
    assert "≈ not significant" in same
    call(
        *(*options, "--config", "personal-frequency", "--config", "popularity"),
        *("--placements", "for_you", "--report", tmp_path / "better.html"),
    )
    assert "significantly better than the best other, popularity" in (
        tmp_path / "better.html"
    ).read_text(encoding="utf-8")
    call(
        *(*options, "--config", "popularity", "--config", "personal-frequency"),
        *("--placements", "popular", "--report", tmp_path / "alone.html"),
    )
    alone = (tmp_path / "alone.html").read_text(encoding="utf-8")
    assert "popular: popularity reaches ndcg@5" in alone
    assert "best other" not in alone
