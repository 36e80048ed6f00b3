"""The evaluation command line: one verb per file, put together here."""

import typer

from evaluation.benchmark.command import benchmark_command
from evaluation.campaign.command import campaign_command
from evaluation.compare import compare_command
from evaluation.explored import explored_command
from evaluation.forecasts import forecasts_command
from evaluation.off_policy import off_policy_command
from evaluation.online.command import online_command
from evaluation.propensity import propensity_command
from evaluation.run import run_command
from evaluation.uplift.command import uplift_command
from recsys.command import running

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
app.command("campaign")(campaign_command)
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
    with running():
        app()
