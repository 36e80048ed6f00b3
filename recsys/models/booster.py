"""Reads trees in LightGBM's own format."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightgbm import Booster


def booster_of(text: str) -> "Booster":
    """Returns the trees of a text.

    Raises:
        ValueError: it is none of trees.
    """
    # Here, because it takes seconds: it brings scikit-learn and pandas where they are installed,
    # and most commands, and servers of bundles without trees, need none of it.
    import lightgbm  # noqa: PLC0415

    try:
        return lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        message = f"its trees cannot be read: {error}"
        raise ValueError(message) from error
