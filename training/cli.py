"""The training command line: one verb per file, put together here."""

import sys
from typing import NoReturn

import typer
from rich.console import Console
from threadpoolctl import threadpool_limits

from recsys.errors import RecsysError, file_fault
from recsys.pipeline.own_source import own_code_fault
from training.bundles import app as bundles_app
from training.demo.shop import demo_command
from training.plan import plan_command
from training.plans import app as plans_app
from training.prepare import prepare_command
from training.publish import publish_command
from training.run import run_command
from training.store import app as store_app
from training.tune import tune_command
from training.values import values_command

app = typer.Typer(
    help="From a retailer's files to a published bundle. Begin with: prepare --demo --out DIR",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


app.command("prepare")(prepare_command)
app.command("run")(run_command)
app.command("tune")(tune_command)
app.command("plan")(plan_command)
app.command("values")(values_command)
app.command("publish")(publish_command)
app.command("demo")(demo_command)
app.add_typer(bundles_app, name="bundles")
app.add_typer(plans_app, name="plans")
app.add_typer(store_app, name="store")


def main() -> None:
    """Runs the command line: exit code 1 for an error of the domain, 2 for wrong usage."""
    try:
        # Many small products, one per customer: BLAS threads would wait for each other.
        with threadpool_limits(1, "blas"):
            app()
    except RecsysError as error:
        _fail(str(error))
    except OSError as error:
        _fail(file_fault(error))
    except Exception as error:
        fault = own_code_fault(error)
        if fault is None:
            raise
        _fail(f"a source of your own fails: {fault}")


def _fail(text: str) -> NoReturn:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("[bold red]error:[/] ", end="")
    console.print(text, markup=False)
    sys.exit(1)
