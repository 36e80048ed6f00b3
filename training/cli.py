"""The training command line: one verb per file, put together here."""

import typer

from recsys.command import running
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
    with running():
        app()
