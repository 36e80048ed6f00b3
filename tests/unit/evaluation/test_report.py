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
def test_no_heading_stands_over_nothing(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    parts = re.findall(r"<h2>(.*?)</h2>(.*?)(?=<h2>|</body>)", text, re.DOTALL)
    parts += re.findall(r"<h3>(.*?)</h3>(.*?)(?=<h[23]>|</body>)", text, re.DOTALL)
    assert len(parts) > 8
    for heading, rest in parts:
        assert re.search(r"<(svg|td|li|pre)\b", rest), heading


@pytest.mark.extra(name="report")
def test_the_page_shows_lists_to_look_at(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    lists = text.partition("<h2>Lists to look at</h2>")[2].partition("</section>")[0]
    rows = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>", lists)
    assert len(rows) == 6, "three customers of each of two placements"
    for customer, before, shown, right in rows:
        assert customer.startswith("customer-")
        assert "no. " in before, "titles, not ids"
        taken = {name.removeprefix("✓ ") for name in shown.split(", ") if name.startswith("✓ ")}
        assert taken <= set(right.partition(" and ")[0].split(", ")) or " more" in right
    assert any("✓ " in shown for _, _, shown, _ in rows[:1])


@pytest.mark.extra(name="report")
def test_the_terminal_marks_what_the_page_and_the_figures_do(
    prepared: Path, tmp_path: Path
) -> None:
    """One test and one correction: no pair is worse here and equal there."""
    said = call(
        *("run", "--data", prepared, "--no-choose", "--k", "5", "--test-days", "30"),
        *("--placements", "for_you,buy_again,popular", "--report", tmp_path / "report.html"),
    )
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    leads = [
        row
        for row in read_figures(tmp_path / "report.json")
        if (row.metric, row.k, row.slice) == ("ndcg", 5, "all")
        and row.configuration.startswith("default-minus-")
    ]
    tables = said.partition("± is half")[0]
    worse = [row for row in leads if row.p_holm is not None and row.p_holm <= 0.05]
    assert all(row.p_holm is not None for row in leads)
    assert 0 < sum(row.value > 0 for row in worse) < len(leads)
    assert tables.count("▼") == sum(row.value > 0 for row in worse)
    assert text.count("▼ worse than ours") == sum(row.value > 0 for row in worse)
    assert tables.count("▲") == text.count("▲ better than ours")
    assert text.count("≈ not significant") == len(leads) - len(worse)


@pytest.mark.extra(name="report")
def test_a_run_without_a_report_has_p_values_too(prepared: Path, tmp_path: Path) -> None:
    call(
        *("run", "--data", prepared, "--no-choose", "--k", "5", "--test-days", "30"),
        *("--placements", "popular", "--json", tmp_path / "figures.json"),
    )
    rows = read_figures(tmp_path / "figures.json")
    assert any(row.p_holm is not None for row in rows if "-minus-" in row.configuration)


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
