"""The option `--source`: stores by their URLs and prepared data sets by their folders."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from recsys.data.reading.feed import Feed
from recsys.errors import ConfigError, DataError, StoreError, StoreSchemaError
from recsys.store.open import Role, open_store
from recsys.store.store import Store
from training.folder_feed import FolderFeed
from training.store_feed import StoreFeed

SourceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        metavar="URL|FOLDER",
        help="A store (store://FOLDER, postgresql://...), whose log is read to its end, or a "
        "prepared data set; again for more. An event that several have counts once.",
    ),
]
ArchivesOption = Annotated[
    Path | None,
    typer.Option(
        "--archives", help="Archived events of the store [in the folder of an embedded store]."
    ),
]


@contextmanager
def opened_store(url: str, archives: Path | None, role: Role = "reader") -> Iterator[Store]:
    """Opens a store that is there, and closes it.

    Raises:
        BadParameter: the URL is not one of a store.
        DataError: there is no store, or it cannot be used.
    """
    try:
        if role != "reader":
            # It would make a store where there is none, and migrate an old one: only the second
            # is wanted.
            with suppress(StoreSchemaError):
                open_store(url, archives=archives, role="reader").close()
        store = open_store(url, archives=archives, role=role)
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from error
    except StoreError as error:
        raise DataError(f"{shown(url)}: {error}", url=shown(url)) from error
    try:
        yield store
    finally:
        store.close()


@contextmanager
def opened_feeds(sources: Sequence[str], archives: Path | None) -> Iterator[tuple[Feed, ...]]:
    """Opens all sources, data sets before stores, whose catalogue lies over all others.

    Raises:
        BadParameter: a URL is not one of a store.
        DataError: a source is not there or cannot be used.
    """
    folders = [source for source in sources if "://" not in source]
    urls = [source for source in sources if "://" in source]
    if len(urls) > 1:
        message = "--source takes one store: a bundle knows the end of one log"
        raise typer.BadParameter(message)
    with ExitStack() as stack:
        feeds: list[Feed] = [FolderFeed.open(Path(folder)) for folder in folders]
        for url in urls:
            store = stack.enter_context(opened_store(url, archives))
            feeds.append(StoreFeed.of(store, shown(url)))
        yield tuple(feeds)


def shown(url: str) -> str:
    """Returns a URL without what is secret in it."""
    if not url.startswith("postgres"):
        return url
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
