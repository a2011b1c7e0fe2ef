"""Answers and pictures by URL: how long a known one takes, and what drawing costs everybody else."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from benchmarks.load import questions_for, run_load
from benchmarks.servers import free_port, meantime_command, running_server
from benchmarks.table import states_means

CLIENT_COUNT = 8
KNOWN_PICTURE_MS = 20.0
KNOWN_ANSWER_MS = 150.0
LEAST_WHILE_DRAWING = 0.8

ASKED = "question=Q036&years=2023"
_SHAPES = ("difference", "ranking")


def measure_answers(folder: Path, *, rounds: int, round_s: float, progress: Callable[[str], None]) -> Iterator[Figure]:
    """Measure known answers, first and known pictures, and round trips of the contract beside pictures.

    Parameters
    ----------
    folder
        Where the server keeps its state.
    rounds, round_s
        How often, and for how many seconds each time, round trips are measured with and without drawing, in turn.
    progress
        Told what is being measured.
    """
    port = free_port()
    command = meantime_command(folder / "answers", port)
    with running_server(command, port, ready_path="/readyz", folder=folder):
        progress("answers by URL")
        for form, goal in (("json", KNOWN_ANSWER_MS), ("svg", KNOWN_PICTURE_MS), ("html", KNOWN_ANSWER_MS)):
            path = f"/api/v1/answers/difference.{form}?{ASKED}"
            first_ms = get_ms(port, path)
            known_ms = median(get_ms(port, path) for _ in range(50))
            yield Figure(f"difference.{form}, known", known_ms, "ms", goal, note=f"the first one {first_ms:.0f} ms")
        yield from _beside_drawing(port, rounds=rounds, round_s=round_s, progress=progress)


def _beside_drawing(port: int, *, rounds: int, round_s: float, progress: Callable[[str], None]) -> Iterator[Figure]:
    questions = questions_for(states_means())
    run_load(port, questions, client_count=CLIENT_COUNT, duration_s=round_s)
    ratios, drawn, levels = [], 0, itertools.count()
    for number in range(rounds):
        progress(f"round trips beside pictures, round {number + 1} of {rounds}")
        alone = run_load(port, questions, client_count=CLIENT_COUNT, duration_s=round_s)
        with drawing(port, levels) as count:
            beside = run_load(port, questions, client_count=CLIENT_COUNT, duration_s=round_s)
        ratios.append(beside.rate / alone.rate)
        drawn += count()
    yield Figure(
        "round trips while pictures are drawn / alone",
        median(ratios),
        "",
        LEAST_WHILE_DRAWING,
        at_least=True,
        note=f"rounds from {min(ratios):.2f} to {max(ratios):.2f}; {drawn / (rounds * round_s):.1f} pictures/s",
    )


@contextlib.contextmanager
def drawing(port: int, levels: Iterator[int]) -> Iterator[Callable[[], int]]:
    """Have one new picture after the other drawn meanwhile; yields what says how many there were."""
    done, count = threading.Event(), 0

    def draw() -> None:
        nonlocal count
        while not done.is_set():
            level = 0.5 + (next(levels) % 4999) / 10_000  # each asks for another answer, so no picture is known
            get_ms(port, f"/api/v1/answers/{_SHAPES[count % 2]}.svg?{ASKED}&level={level:.4f}")
            count += 1

    thread = threading.Thread(target=draw, name="drawing")
    thread.start()
    try:
        yield lambda: count
    finally:
        done.set()
        thread.join()


def get_ms(port: int, path: str) -> float:
    """Return how long an answer takes, in milliseconds; RuntimeError for any but a good one."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        started_s = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{path}: {answer.status} {content[:200]!r}")
        return (time.perf_counter() - started_s) * 1000
