"""Command line of the server."""

import os
import signal
import socket
from pathlib import Path
from typing import Annotated

import typer

from serving.commands.erase import erase
from serving.commands.experiment import app as experiment_app
from serving.commands.explained import explained
from serving.commands.export import export
from serving.commands.offers import app as offers_app
from serving.commands.replay import dry_run_command, replay_command
from serving.logs import configure_logging
from serving.processes.supervisor import (
    STOP_MARGIN_S,
    Supervisor,
    environment_of,
    server_command,
    writer_command,
)
from serving.settings import SETTINGS_VARIABLE, ServingSettings, load_settings

app = typer.Typer(
    help="Serve recommendations over gRPC.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(experiment_app, name="experiment")
app.add_typer(offers_app, name="offers")
app.command()(erase)
app.command("replay")(replay_command)
app.command("dry-run")(dry_run_command)
app.command()(export)


@app.callback()
def serving() -> None:
    """Serve recommendations over gRPC.

    Every setting of `run` can also stand in a TOML file (--config) or in the environment as
    RECSYS_SERVING_<SETTING>; flags win over the environment, the environment over the file.
    docs/serving.md lists them all.
    """


@app.command()
def run(
    *,
    bundles: Annotated[
        Path | None, typer.Option(help="Folder that `recsys train` publishes to.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Port of the first process; the others take the next. Default 50051."),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(help="Server processes, one per core. Default 1.")
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on. Default 127.0.0.1; 0.0.0.0 for all."),
    ] = None,
    reflection: Annotated[
        bool | None,
        typer.Option("--reflection/--no-reflection", help="Describe the services to grpcurl."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(help="Event store, made if need be: store://FOLDER or postgresql://..."),
    ] = None,
    deployment: Annotated[
        Path | None,
        typer.Option(help="TOML file with experiments and exploration, followed while serving."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
) -> None:
    """Serve the current bundle until SIGTERM; a newly published one is taken up by itself.

    Logs are JSON lines on standard error. Exit status: 0 after SIGTERM or Ctrl-C, 1 if the bundle,
    the store or the port cannot be used, 2 if a setting or the deployment file is wrong.

    Example: recsys serve --bundles var/demo/bundles --processes 2
    """
    flags = {
        "bundles": bundles,
        "port": port,
        "processes": processes,
        "host": host,
        "reflection": reflection,
        "store": store,
        "deployment": deployment,
    }
    with explained():
        settings = load_settings(flags, os.environ, config)
        if settings.deployment is not None:
            # Here and below: the supervisor has no use for FAISS, Polars and the rest.
            from serving.state.deployment_check import checked_deployment  # noqa: PLC0415

            checked_deployment(settings.deployment, settings.bundles)
    configure_logging(settings.log_level)
    stop_within_s = settings.drain_s + settings.grace_s + STOP_MARGIN_S
    supervisor = Supervisor(
        settings.ports(),
        server_command,
        stop_within_s=stop_within_s,
        writer=writer_command(settings),
        environment=environment_of(settings),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    raise typer.Exit(supervisor.run())


@app.command(hidden=True)
def process(
    *,
    settings: Annotated[
        str, typer.Option(envvar=SETTINGS_VARIABLE, help="All settings, as JSON.")
    ],
    port: Annotated[int, typer.Option(help="Port of this process.")],
    link: Annotated[int | None, typer.Option(help="Descriptor of the supervisor's link.")] = None,
) -> None:
    """Serve on one port; what the supervisor starts."""
    from serving.processes.process import run_process  # noqa: PLC0415  as above

    with explained():
        known = ServingSettings.model_validate_json(settings)
        configure_logging(known.log_level)
        end = None if link is None else socket.socket(fileno=link)
        run_process(known, port, link=end)


@app.command(hidden=True)
def writer(
    *,
    settings: Annotated[
        str, typer.Option(envvar=SETTINGS_VARIABLE, help="All settings, as JSON.")
    ],
    link: Annotated[int | None, typer.Option(help="Descriptor of the supervisor's link.")] = None,
) -> None:
    """Write the embedded event store for all servers; what the supervisor starts."""
    from serving.processes.writer import run_writer  # noqa: PLC0415  as above

    with explained():
        known = ServingSettings.model_validate_json(settings)
        configure_logging(known.log_level)
        end = None if link is None else socket.socket(fileno=link)
        run_writer(known, link=end)
