"""The command `recsys`: the verbs of the three applications under one name.

The library imports no application: each is imported by its name when one of its verbs is called,
so that `recsys serve` starts without what fitting needs.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, NamedTuple, NoReturn

import typer
from rich.console import Console
from threadpoolctl import threadpool_limits
from typer.core import TyperGroup

from recsys.errors import RecsysError, file_fault
from recsys.programs import find_applications

DISTRIBUTION = "recsys-engine"


class Verb(NamedTuple):
    """Where a command comes from, and what it does."""

    application: str
    verb: str
    """Empty: all verbs of the application."""
    about: str


GROUPS = {
    "Data and models": {
        "prepare": Verb("training", "prepare", "Check a shop's files and write a data set."),
        "train": Verb("training", "run", "Choose models, fit them, publish a bundle."),
        "tune": Verb("training", "tune", "Search settings for hours, with Optuna."),
        "publish": Verb("training", "publish", "Make a candidate current if it is not worse."),
        "bundles": Verb("training", "bundles", "List, activate, roll back, verify bundles."),
        "store": Verb("training", "store", "Export, archive and trim a store's event log."),
    },
    "Evaluation": {
        "evaluate": Verb("evaluation", "run", "Measure lists by what customers bought later."),
        "compare": Verb("evaluation", "compare", "Test which of several configurations differ."),
    },
    "Serving": {
        "serve": Verb("serving", "run", "Serve the current bundle over gRPC."),
        "export": Verb("serving", "export", "Write the lists of many customers to files."),
    },
    "Offers and campaigns": {
        "values": Verb("training", "values", "Learn what offers are worth."),
        "plan": Verb("training", "plan", "Choose the offers of a whole campaign."),
        "plans": Verb("training", "plans", "List plans, give one back."),
    },
    "Everything, by application": {
        "training": Verb("training", "", "All verbs of `python -m training`."),
        "evaluation": Verb(
            "evaluation", "", "off-policy, explored, forecasts, online, propensity, uplift, ..."
        ),
        "serving": Verb("serving", "", "erase, experiment, offers, replay, dry-run, ..."),
    },
    "To see it work": {
        "demo": Verb("training", "demo", "Go the whole way on a real grocer's year, in minutes."),
    },
}
VERBS = {name: verb for group in GROUPS.values() for name, verb in group.items()}
_FIRST_STEPS = """\b
First steps:
  recsys prepare --events orders.csv --out var/data
  recsys evaluate --data var/data --budget 60s
  recsys train --data var/data --bundles var/bundles
  recsys serve --bundles var/bundles --store store://var/store
"""


class Commands(TyperGroup):
    """Finds a command in its application, which is imported only then."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002  # Click's own types
        """Returns all names, in the order of the help."""
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401  # as above
        """Returns a command of an application; an unknown one ends with what is like it."""
        if cmd_name not in VERBS:
            like = get_close_matches(cmd_name, VERBS)
            hint = f" Did you mean {like[0]!r}?" if like else ""
            ctx.fail(f"No such command {cmd_name!r}.{hint} `recsys --help` lists all.")
        application, verb, _ = VERBS[cmd_name]
        find_applications()
        found = typer.main.get_command(import_module(f"{application}.cli").app)
        return found.commands[verb] if verb else found  # type: ignore[attr-defined]  # a group

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002  # as above
        """Writes the groups, from the table above: nothing is imported for a help page."""
        for group, verbs in GROUPS.items():
            with formatter.section(group):
                formatter.write_dl([(name, verb.about) for name, verb in verbs.items()])


app = typer.Typer(
    name="recsys",
    cls=Commands,
    epilog=_FIRST_STEPS,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001  # Typer calls it so
    if wanted:
        print(f"recsys {version(DISTRIBUTION)}")  # noqa: T201
        raise typer.Exit


@app.callback()
def _root(
    *,
    show_version: Annotated[  # its callback prints
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    """Recommendations for a retailer: prepare data, train, evaluate, serve.

    `recsys COMMAND --help` says more of each.
    """


@contextmanager
def running() -> Iterator[None]:
    """Runs a command line: exit code 1 and a sentence for an error of the domain or a file."""
    try:
        # Many small products, one per customer: BLAS threads would wait for each other.
        with threadpool_limits(1, "blas"):
            yield
    except RecsysError as error:
        _fail(str(error))
    except OSError as error:
        _fail(file_fault(error))
    except Exception as error:
        # Most of the library comes with it: only where it is needed.
        from recsys.pipeline.own_source import own_code_fault  # noqa: PLC0415

        fault = own_code_fault(error)
        if fault is None:
            raise
        _fail(f"a source of your own fails: {fault}")


def _fail(text: str) -> NoReturn:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("[bold red]error:[/] ", end="")
    console.print(text, markup=False)
    sys.exit(1)


def main() -> None:
    """Runs the command line: exit code 1 for an error of the domain, 2 for wrong usage."""
    with running():
        app()
