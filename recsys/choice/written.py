"""A choice on disk: a configuration file that stands alone, and figures for the manifest."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import tomli_w

from recsys.assembly import AlgorithmConfig, FitConfig
from recsys.choice.choose import Choice
from recsys.models.protocol import NO_HALF_LIFE


def write_config(config: FitConfig, file: Path, *, comment: str = "") -> None:
    """Writes a configuration that `load_config` reads back as it is; what is default is left out.

    Args:
        config: what to write.
        file: replaced where it exists; its folder is made where it is missing.
        comment: lines to begin with, such as how it was made.
    """
    plain = config.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    models = {name: _model(model, plain["models"][name]) for name, model in config.models.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    said = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    text = tomli_w.dumps({"extends": "nothing", **plain, "models": models})
    file.write_text(f"{said}\n{text}" if said else text, "utf-8")


def _model(model: AlgorithmConfig, values: dict[str, Any]) -> dict[str, Any]:
    """Adds what tells models apart, and says what TOML has no word for."""
    fades = {"half_life_days": NO_HALF_LIFE} if model.half_life_days is None else {}
    return {"kind": model.kind, **values, **fades}


def figures(choice: Choice) -> dict[str, Any]:
    """Returns what a manifest keeps of a choice: plain values."""
    return {
        "seconds": round(choice.seconds, 1),
        "drawn": choice.drawn,
        "left_out": dict(choice.left_out),
        "failed": dict(choice.failed),
        "placements": {
            chosen.placement: {
                "customers": chosen.customers,
                "ndcg@20": chosen.steps[-1].value,
                "steps": [f"{step.change}: {step.value:.4f}" for step in chosen.steps],
                "alternatives": {each.change: each.value for each in chosen.alternatives},
            }
            for chosen in choice.placements
        },
        "rankers": {
            name: {"blend": trial.blend, "gain": asdict(trial.gain), "used": trial.used}
            for name, trial in choice.rankers.items()
        },
    }
