"""The verb `demo`: everything once, on a real grocer's year, as a newcomer would do it by hand."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console
from rich.rule import Rule

from recsys.client import RecsysClient, UnavailableError
from recsys.data.dataset import REPORT_FILE, Dataset
from recsys.errors import RecsysError
from recsys.programs import own_command
from training.demo.customers import chosen, show
from training.demo.pages import show_pages

START_LIMIT_S = 60
OutOption = Annotated[Path, typer.Option("--out", help="Folder for all that the demo makes.")]

console = Console()


def demo_command(*, out: OutOption = Path("var/demo")) -> None:
    """Prepare, evaluate, fit, serve and ask: the whole way on real purchases, in minutes.

    Leaves the data set, the bundle, evaluation.json and the server's log under --out, and stops
    the server that it started.
    """
    began = time.monotonic()
    data, bundles, chosen_config = out / "data", out / "bundles", out / "chosen.toml"
    if (data / REPORT_FILE).exists():
        console.print(f"Prepared data set: [bold]{data}[/] (from last time)")
    else:
        _step("1  Prepare a year of a grocer's purchases", "prepare", "--demo", "--out", data)
    _step(
        "2  Choose models on the past, and judge them by what customers bought in the last weeks",
        *("evaluate", "--data", data, "--cutoff", "2017-12-04", "--min-item-events", 5),
        *("--placements", "for_you,discover", "--k", 20, "--json", out / "evaluation.json"),
        *("--dataset-name", "complete-journey", "--budget", "40s", "--save-config", chosen_config),
    )
    _step(
        "3  Fit what was chosen on everything, and publish a bundle",
        *("train", "--data", data, "--bundles", bundles, "--config", chosen_config),
    )
    console.print(Rule("4  Serve it, and ask as a shop would", align="left"))
    with _server(bundles, out / "server.log") as (target, log):
        console.print(f"Server on {target}; its log: [bold]{log}[/]")
        with RecsysClient([target], timeout_s=10) as client:
            dataset = Dataset.open(data)
            now = dataset.events.select(pl.col("event_time").max()).collect().item()
            for customer_id in chosen(dataset):
                show(console, client, dataset, customer_id, now)
            show_pages(console, client, dataset, now)
    console.print(Rule("What next", align="left"))
    console.print(_NEXT.format(data=data, bundles=bundles, out=out), highlight=False)
    console.print(f"All this took {time.monotonic() - began:.0f} s.")


_NEXT = """\
  look at figures       {out}/evaluation.json
  serve                 make serve             (then: grpcurl, or recsys.client.RecsysClient)
  what was chosen       {out}/chosen.toml      (docs/fitting.md says how, and how to change it)
  go back               recsys bundles rollback --bundles {bundles}
  your own data         recsys prepare --events orders.csv --out var/mine   (README)"""


def _step(title: str, *words: object) -> None:
    """Runs one of our commands as a person would; ends the demo where it fails."""
    console.print(Rule(title, align="left"))
    console.print(f"[dim]$ recsys {' '.join(map(str, words))}[/]", soft_wrap=True)
    done = subprocess.run(own_command(*words), check=False)  # noqa: S603
    if done.returncode:
        raise typer.Exit(done.returncode)


@contextmanager
def _server(bundles: Path, log: Path) -> Iterator[tuple[str, Path]]:
    """Yields the address of a server that answers; stops it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = own_command("serve", "--bundles", bundles, "--port", port)
    with log.open("wb") as sink:
        server = subprocess.Popen(command, stderr=sink)  # noqa: S603
        try:
            _wait_for(f"127.0.0.1:{port}", server, log)
            yield f"127.0.0.1:{port}", log
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


def _wait_for(target: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    limit = time.monotonic() + START_LIMIT_S
    with RecsysClient([target]) as client:
        while time.monotonic() < limit and server.poll() is None:
            with suppress(UnavailableError):
                client.wait_until_ready(1.0)
                return
    message = f"the server did not answer within {START_LIMIT_S} s; its log: {log}"
    raise RecsysError(message)
