"""Round trips a second: Meantime against a bare Flask app and against the usual way, as ratios in the same run."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from benchmarks.load import Load, questions_for, run_load
from benchmarks.servers import RunningServer, free_port, meantime_command, peer_command, running_server
from benchmarks.table import states_means
from meantime.settings import Settings

CLIENT_COUNTS = (8, 32)
WARM_UP_S = 1.0
MEANTIME = "meantime"


@dataclass(frozen=True, slots=True)
class Peer:
    """A server to be measured against; ``goal`` is the least that Meantime's rate should be of its rate."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    goal: float | None = None


PEERS = (
    Peer("bare Flask", "bare_flask", (str(Settings().http_threads),), goal=0.5),
    # Two threads quarrel less over the interpreter's lock, and two slow clients would stop such a server.
    Peer("bare Flask, 2 threads", "bare_flask", ("2",)),
    Peer("pandas", "pandas_flask", goal=8.0),
)


def measure_round_trips(
    folder: Path, *, rounds: int, round_s: float, progress: Callable[[str], None]
) -> Iterator[Figure]:
    """Measure every server in turn, round after round, and yield the medians of the ratios.

    Parameters
    ----------
    folder
        Where the servers keep their state, on the disk that is meant: the acknowledgement is durable.
    rounds
        How many rounds; in each, every server is measured once.
    round_s
        For how long a server is measured in a round, in seconds.
    progress
        Told what is being measured.
    """
    questions = questions_for(states_means())
    with contextlib.ExitStack() as stack:
        servers = start_servers(stack, folder)
        for client_count in CLIENT_COUNTS:
            for server in servers.values():
                run_load(server.port, questions, client_count=client_count, duration_s=WARM_UP_S)
            loads: dict[str, list[Load]] = {name: [] for name in servers}
            for number in range(rounds):
                for name, server in servers.items():
                    progress(f"{client_count} clients, round {number + 1} of {rounds}: {name}")
                    loads[name].append(run_load(server.port, questions, client_count=client_count, duration_s=round_s))
            yield from _figures(loads, client_count)
    yield Figure("one fdatasync of 4 KB on this disk", sync_ms(folder), "ms")


def start_servers(stack: contextlib.ExitStack, folder: Path) -> dict[str, RunningServer]:
    """Start Meantime and its peers; the stack stops them."""
    port = free_port()
    command = meantime_command(folder / "state", port)
    servers = {MEANTIME: stack.enter_context(running_server(command, port, ready_path="/readyz", folder=folder))}
    for peer in PEERS:
        port = free_port()
        command = peer_command(peer.module, port, *peer.arguments)
        servers[peer.name] = stack.enter_context(running_server(command, port, ready_path="/", folder=folder))
    return servers


def _figures(loads: dict[str, list[Load]], client_count: int) -> Iterator[Figure]:
    at = f"at {client_count} clients"
    for name, of_name in loads.items():
        rate = median(load.rate for load in of_name)
        p50, p99 = (median(load.latency_ms(quantile) for load in of_name) for quantile in (0.5, 0.99))
        busy = max(load.client_busy for load in of_name)
        note = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms; clients {busy:.0%} busy"
        yield Figure(f"{name}, {at}", rate, "round trips/s", note=note)
    for peer in PEERS:
        ratios = [own.rate / other.rate for own, other in zip(loads[MEANTIME], loads[peer.name], strict=True)]
        note = f"rounds from {min(ratios):.2f} to {max(ratios):.2f}"
        goal = peer.goal if client_count == CLIENT_COUNTS[0] else None  # the others show what crowding does
        yield Figure(f"{MEANTIME} / {peer.name}, {at}", median(ratios), "", goal, at_least=True, note=note)


def sync_ms(folder: Path, *, count: int = 50) -> float:
    """Return the median time of appending 4 KB to a file and syncing it, in milliseconds."""
    times = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(count):
            file.write(bytes(4096))
            started_s = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - started_s)
    return median(times) * 1000
