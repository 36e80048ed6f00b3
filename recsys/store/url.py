"""What the URL of a store says; knows nothing of the stores themselves."""

from pathlib import Path

from recsys.errors import ConfigError

EMBEDDED = "store://"
POSTGRES = ("postgresql://", "postgres://")


def is_embedded(url: str) -> bool:
    """Says whether the URL names a folder, which one writer process owns."""
    return url.startswith(EMBEDDED)


def folder_of(url: str) -> Path:
    """Returns the folder that an embedded store's URL names.

    Raises:
        ConfigError: the URL is not of the form `store://folder`.
    """
    path = url.removeprefix(EMBEDDED)
    if not is_embedded(url) or not path:
        raise ConfigError(f"store: {url!r} is neither store://FOLDER nor postgresql://...")
    return Path(path)
