"""How long each statistic takes, computed and encoded, beside an earlier checkout of this project in the same run.

A ratio of two processes that take turns says what a change has cost on any machine, however busy it is. What they are
asked is in ``timed_statistics.py``.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import orjson

from benchmarks.figures import Figure

SLOWER_GOAL = 1.1
"""At most so much of the earlier time; a tenth is what two runs of one checkout differ by."""


def measure_against(earlier: Path, *, rounds: int) -> Iterator[Figure]:
    """Yield the time of each request as a share of what it took in an earlier checkout; what is new, in milliseconds.

    Parameters
    ----------
    earlier
        Its folder, the one with ``src`` in it.
    rounds
        How often the two take turns; a figure is the median of so many ratios.
    """
    here = Path(__file__).resolve().parent.parent
    with _timed(earlier) as (ask_earlier, known), _timed(here) as (ask, names):
        for name in names:
            times = [(ask(name), ask_earlier(name) if name in known else None) for _ in range(rounds)]
            now_ms = median(now for now, _ in times)
            ratios = [now / before for now, before in times if before is not None]
            if not ratios:
                yield Figure(f"{name} (new)", now_ms, "ms")
                continue
            note = f"{now_ms:.3g} ms, earlier {now_ms / median(ratios):.3g} ms"
            yield Figure(f"{name}, against the earlier", median(ratios), "", SLOWER_GOAL, note=note)


@contextlib.contextmanager
def _timed(checkout: Path) -> Iterator[tuple[Callable[[str], float], list[str]]]:
    """Start the process that times a checkout's statistics: how it is asked for a time in ms, and what for."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("timed_statistics.py"))],
        env=os.environ | {"PYTHONPATH": str(checkout.resolve() / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        requests, answers = process.stdin, process.stdout

        def ask(name: str) -> float:
            requests.write(name + "\n")
            requests.flush()
            return float(answers.readline())

        yield ask, orjson.loads(answers.readline())
