"""The evaluation command line: one verb per file, put together here."""

import sys
from typing import NoReturn

import typer
from rich.console import Console
from threadpoolctl import threadpool_limits

from evaluation.benchmark.command import benchmark_command
from evaluation.compare import compare_command
from evaluation.explored import explored_command
from evaluation.forecasts import forecasts_command
from evaluation.off_policy import off_policy_command
from evaluation.online.command import online_command
from evaluation.propensity import propensity_command
from evaluation.run import run_command
from evaluation.uplift.command import uplift_command
from recsys.errors import RecsysError, file_fault
from recsys.pipeline.own_source import own_code_fault

app = typer.Typer(
    help="How good the lists are, measured on what customers then bought: docs/evaluation.md.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _root() -> None:
    """Keeps verbs apart even while there is only one."""


app.command("run")(run_command)
app.command("compare")(compare_command)
app.command("off-policy")(off_policy_command)
app.command("explored")(explored_command)
app.command("forecasts")(forecasts_command)
app.command("online")(online_command)
app.command("propensity")(propensity_command)
app.command("uplift")(uplift_command)
app.command("benchmark")(benchmark_command)


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
