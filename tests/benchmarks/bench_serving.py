"""Measures Recommend over a real port beside an empty call, and where its time goes.

    python tests/benchmarks/bench_serving.py --bundles var/demo/bundles --json FILE

One server process and its callers share the machine. Each kind of call is measured in turn, round
after round, so that both kinds see the same noise.
"""

import cProfile
import io
import multiprocessing
import os
import pstats
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Annotated

import grpc
import numpy as np
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich.console import Console
from rich.progress import track
from rich.table import Table

from recsys.assembly import load_recommender
from recsys.backtest.rows import Row, write_figures
from recsys.bundle import current
from recsys.client import RecsysClient
from recsys.pipeline.recommender import Recommender
from recsys.v1.recommendation_service_pb2 import RecommendRequest
from recsys.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from serving.messages.details import DetailsReader
from serving.messages.requests import to_query
from serving.messages.responses import to_response
from serving.processes.supervisor import ONE_THREAD

PLACEMENT, LIMIT = "for_you", 20
ROUNDS = 3
CALLERS, THREADS = 2, 4
"""Processes and threads of each that call when the server is saturated."""
CUSTOMERS = 500
SEED = 1
KINDS = ("recommend", "health-check")


@dataclass(frozen=True)
class Timing:
    """Latencies of one kind of call, and the seconds in which they were made."""

    kind: str
    load: str
    latencies_ms: list[float]
    seconds: float

    def figures(self) -> dict[str, float]:
        p50, p99 = np.percentile(self.latencies_ms, [50, 99])
        per_second = len(self.latencies_ms) / self.seconds
        return {"p50_ms": float(p50), "p99_ms": float(p99), "calls_per_s": per_second}


def requests(customer_ids: Sequence[str]) -> list[RecommendRequest]:
    return [
        RecommendRequest(placement=PLACEMENT, customer_id=customer_id, page_size=LIMIT)
        for customer_id in customer_ids
    ]


def timed_calls(
    target: str, kind: str, customer_ids: Sequence[str], seconds: float
) -> list[float]:
    """Calls one after the other for some seconds; returns each call's milliseconds."""
    with grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        call = _call(channel, kind, customer_ids)
        for _ in range(20):
            call()
        latencies, end = [], time.perf_counter() + seconds
        while (started := time.perf_counter()) < end:
            call()
            latencies.append((time.perf_counter() - started) * 1000)
    return latencies


def _call(channel: grpc.Channel, kind: str, customer_ids: Sequence[str]) -> Callable[[], object]:
    if kind == "health-check":
        health, empty = health_pb2_grpc.HealthStub(channel), health_pb2.HealthCheckRequest()
        return lambda: health.Check(empty, timeout=30)
    stub, endless = RecommendationServiceStub(channel), cycle(requests(customer_ids))
    return lambda: stub.Recommend(next(endless), timeout=30)


def threaded_calls(
    target: str, kind: str, customer_ids: Sequence[str], seconds: float
) -> list[float]:
    """The same from several threads of one process."""
    with ThreadPoolExecutor(THREADS) as pool:
        parts = [customer_ids[part::THREADS] for part in range(THREADS)]
        found = [pool.submit(timed_calls, target, kind, part, seconds) for part in parts]
        return [latency for each in found for latency in each.result()]


def measure(target: str, customer_ids: Sequence[str], seconds: float) -> Iterator[Timing]:
    """Yields a timing per round, load and kind of call."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(CALLERS) as pool:
        for _ in track(range(ROUNDS), description="measuring"):
            for kind in KINDS:
                alone = timed_calls(target, kind, customer_ids, seconds)
                yield Timing(kind, "one client", alone, seconds)
            for kind in KINDS:
                shares = [customer_ids[part::CALLERS] for part in range(CALLERS)]
                arguments = [(target, kind, share, seconds) for share in shares]
                together = pool.starmap(threaded_calls, arguments)
                yield Timing(kind, "saturated", [ms for each in together for ms in each], seconds)


def merged(timings: Sequence[Timing]) -> list[Timing]:
    """Returns one timing per kind and load, of all rounds."""
    keys = dict.fromkeys((timing.load, timing.kind) for timing in timings)
    together = []
    for load, kind in keys:
        rounds = [timing for timing in timings if (timing.load, timing.kind) == (load, kind)]
        latencies = [ms for timing in rounds for ms in timing.latencies_ms]
        together.append(Timing(kind, load, latencies, sum(timing.seconds for timing in rounds)))
    return together


@contextmanager
def running_server(bundles: Path) -> Iterator[str]:
    """Serves in one process of its own; yields its target."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "serving", "run", "--bundles", str(bundles)]
    popen = subprocess.Popen(
        [*command, "--port", str(port)],
        env=os.environ | {"RECSYS_SERVING_MAXIMUM_CONCURRENT_RPCS": "64"},
        stderr=subprocess.DEVNULL,
    )
    try:
        with RecsysClient([f"127.0.0.1:{port}"]) as client:
            client.wait_until_ready(120)
        yield f"127.0.0.1:{port}"
    finally:
        popen.terminate()
        popen.wait()


def stages(recommender: Recommender, customer_ids: Sequence[str]) -> dict[str, float]:
    """Returns the mean microseconds of each step of a request, in this process and one thread."""
    spent = dict.fromkeys(("parse", "convert", "recommend", "respond", "serialise"), 0.0)
    raws = [request.SerializeToString() for request in requests(customer_ids)]
    for raw in raws[:50]:
        _one(recommender, raw, {})
    for raw in raws:
        _one(recommender, raw, spent)
    return {name: seconds / len(raws) * 1e6 for name, seconds in spent.items()}


def _one(recommender: Recommender, raw: bytes, spent: dict[str, float]) -> None:
    marks = [time.perf_counter()]

    def mark(name: str) -> None:
        marks.append(time.perf_counter())
        spent[name] = spent.get(name, 0.0) + marks[-1] - marks[-2]

    request = RecommendRequest.FromString(raw)
    mark("parse")
    query = to_query(request, recommender.trained_until)
    details = DetailsReader(recommender.catalogue, request.item_fields, request.market)
    mark("convert")
    [answer] = recommender.recommend([query])
    mark("recommend")
    response = to_response(answer, query, details)
    mark("respond")
    response.SerializeToString()
    mark("serialise")


def profile(recommender: Recommender, customer_ids: Sequence[str], lines: int) -> str:
    """Returns the functions of `recommend` that take the most time of their own."""
    queries = [to_query(request, recommender.trained_until) for request in requests(customer_ids)]
    profiler = cProfile.Profile()
    for query in queries:
        profiler.enable()
        recommender.recommend([query])
        profiler.disable()
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(lines)
    return text.getvalue()


def known_customers(recommender: Recommender) -> list[str]:
    """Returns some of the bundle's customers, the same in every run."""
    customers = recommender.resolver.customers
    chosen = np.random.default_rng(SEED).permutation(len(customers))[:CUSTOMERS]
    ids = [customers.id(int(number)) for number in chosen]
    return [customer_id for customer_id in ids if not customer_id.startswith("visitor/")]


@dataclass(frozen=True)
class Inside:
    """What the current bundle shows without a port."""

    customer_ids: list[str]
    spent: dict[str, float]
    functions: str


def look_inside(bundles: Path, lines: int) -> Inside:
    """Times and profiles requests; to be run in a process as narrow as a server's."""
    recommender = load_recommender(current(bundles))
    ids = known_customers(recommender)
    return Inside(ids, stages(recommender, ids), profile(recommender, ids, lines))


def timing_table(timings: Sequence[Timing]) -> Table:
    table = Table(title=f"{PLACEMENT}, {LIMIT} items, one server process")
    for column in ("load", "call", "calls", "p50 ms", "p99 ms", "calls/s"):
        table.add_column(column, justify="left" if column in ("load", "call") else "right")
    for timing in timings:
        figures = timing.figures()
        table.add_row(
            timing.load,
            timing.kind,
            f"{len(timing.latencies_ms):,}",
            f"{figures['p50_ms']:.2f}",
            f"{figures['p99_ms']:.2f}",
            f"{figures['calls_per_s']:,.0f}",
        )
    return table


def stage_table(spent: dict[str, float]) -> Table:
    table = Table(title="inside one request, one thread, no load")
    table.add_column("step")
    table.add_column("mean us", justify="right")
    table.add_column("share", justify="right")
    for name, microseconds in spent.items():
        share = microseconds / sum(spent.values())
        table.add_row(name, f"{microseconds:,.0f}", f"{share:.0%}")
    return table


def rows(timings: Sequence[Timing], spent: dict[str, float], dataset: str) -> Iterator[Row]:
    """Yields every figure in the one shape that figures have."""
    for timing in timings:
        for metric, value in timing.figures().items():
            yield Row(
                dataset=dataset,
                protocol=f"serving, {timing.load}",
                variant=timing.kind,
                placement=PLACEMENT if timing.kind == "recommend" else "none",
                metric=metric,
                k=LIMIT if timing.kind == "recommend" else None,
                value=value,
                seconds=timing.seconds,
            )
    for name, microseconds in spent.items():
        yield Row(
            dataset=dataset,
            protocol="serving, inside one request",
            variant=name,
            placement=PLACEMENT,
            metric="mean_us",
            k=LIMIT,
            value=microseconds,
        )


def main(
    *,
    bundles: Annotated[Path, typer.Option(help="Bundle root, such as var/demo/bundles.")],
    seconds: Annotated[float, typer.Option(help="Seconds per round, load and call.")] = 4.0,
    json: Annotated[Path | None, typer.Option(help="File for the figures.")] = None,
    dataset: Annotated[str, typer.Option(help="Name of the data set in the figures.")] = "demo",
    lines: Annotated[int, typer.Option(help="Functions to list in the profile.")] = 25,
) -> None:
    """Measure one server process over a real port, and where its time goes."""
    console = Console()
    os.environ |= ONE_THREAD
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        inside = pool.apply(look_inside, (bundles, lines))
    with running_server(bundles) as target:
        timings = merged(list(measure(target, inside.customer_ids, seconds)))
    console.print(timing_table(timings), stage_table(inside.spent), inside.functions)
    if json is not None:
        write_figures(json, rows(timings, inside.spent, dataset))
        console.print(f"figures: {json}")


if __name__ == "__main__":
    typer.run(main)
