"""Links to items, made from a template."""

from collections.abc import Mapping
from string import Formatter
from urllib.parse import quote

from recsys.errors import ConfigError

FIELDS = ("item_id", "token", "customer_id", "placement", "rank")
"""What a template may name."""


def checked_template(template: str) -> str:
    """Returns a template whose every `{field}` is one of `FIELDS`.

    Raises:
        ConfigError: it is not; the text says what is wrong.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ConfigError(f"link: {error}; write {{{{ and }}}} for braces") from None
    for _, name, form, conversion in parts:
        if name is not None and (name not in FIELDS or form or conversion):
            known = ", ".join(f"{{{field}}}" for field in FIELDS)
            raise ConfigError(f"link: {{{name}}} is none of {known}")
    return template


def link(template: str, values: Mapping[str, object]) -> str:
    """Returns a link; values are quoted, so that an id with a slash or a blank does no harm."""
    return template.format_map(
        {name: quote(str(value), safe="") for name, value in values.items()}
    )
