"""One HTML page of a study of uplift, without scripts, that needs nothing from elsewhere."""

from datetime import datetime
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from evaluation.report.drawing import MUTED, colour, svg
from evaluation.uplift import plots
from evaluation.uplift.findings import BEST, UpliftFindings
from evaluation.uplift.words import DEFINITIONS, number, sentences, standing, warnings
from recsys.backtest.uplift import METRICS, RANDOM

CAPTIONS = {
    "curves": "What treating the best part first would have gained. The dashed line is a random "
    "order; a good order bends above it. The band holds 95 % of the half splits of the first "
    "learner.",
    "calibration": "Ten groups of customers by forecasts of models that had not seen them. On the "
    "dashed line a forecast is right; bars are 95 % intervals of what happened.",
    "leads": "Each tick is one half split, each dot the mean. Splits share customers, so their "
    "spread is wider than that of their mean and narrower than that of another campaign.",
}


def write_page(path: Path, found: UpliftFindings, *, now: datetime) -> None:
    """Writes the page in one step: whoever reads sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(page(found, now=now), encoding="utf-8")
    part.replace(path)


def page(found: UpliftFindings, *, now: datetime) -> str:
    """Returns the whole page."""
    charts = {
        "curves": plots.qini_curves(found),
        "calibration": plots.calibration(found),
        "leads": plots.leads(found),
    }
    columns = found.columns
    names = [name for name in found.judged if name != RANDOM]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string(_resource("evaluation.uplift", "page.html.jinja"))
    return template.render(
        style=_resource("evaluation.report", "style.css"),
        title=f"Whom it moved: {found.name}",
        subtitle=f"{columns.outcome} of {columns.treated} against {columns.control} "
        f"({columns.treatment}) · {found.splits} half splits",
        sentences=list(sentences(found)),
        warnings=list(warnings(found)),
        figures={name: "" if chart is None else svg(chart) for name, chart in charts.items()},
        captions=CAPTIONS,
        contenders=[
            *((name, colour(place)) for place, name in enumerate(names)),
            ("a random order", MUTED),
        ],
        head=("mean, 95 % interval", *METRICS),
        rows=[
            (name, *(number(found.figure(name, metric)) for metric in METRICS))
            for name in found.judged
        ],
        leads=[
            (
                f"{found.ours} - {name}",
                number(found.lead(name, "qini")),
                f"{standing(found.lead(name, 'qini'))} it",
            )
            for name in found.judged
            if name != found.ours
        ],
        best=f"{BEST:.0%}",
        respondents=[(e.feature, f"{e.share:.0%}", e.best, e.worst) for e in found.respondents],
        balance=f"Whether a customer was treated can be told from the features with an AUC of "
        f"{found.balance.auc:.3f} (a lot gives .5 ± {1.96 * found.balance.error:.3f}).",
        definitions=list(DEFINITIONS.items()),
        footer=f"Made by recsys evaluation uplift, {now:%Y-%m-%d %H:%M} UTC.",
    )


def _resource(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text("utf-8")
