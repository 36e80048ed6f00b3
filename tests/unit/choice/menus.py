"""A menu that is tried within a second, and what a table looks like on a terminal."""

import io

from rich.console import Console, RenderableType

SMALL = {
    "families": {
        "repurchase": {
            "kind": "repurchase",
            "variants": [{"kind": "repurchase"}, {"kind": "repurchase", "half_life_days": 30}],
        },
        "popular": {
            "kind": "popular",
            "role": "both",
            "variants": [
                {"kind": "popularity", "half_life_days": 14},
                {"kind": "popularity", "half_life_days": "none"},
            ],
        },
        "alike": {"kind": "neighbours", "variants": [{"kind": "item-item"}]},
    }
}


def printed(shown: RenderableType, width: int = 80) -> str:
    """Returns what a terminal shows, on one line."""
    text = io.StringIO()
    Console(file=text, width=width).print(shown)
    return " ".join(text.getvalue().split())
