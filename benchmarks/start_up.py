"""From start to ready, resident memory, and how quick the command line answers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from benchmarks.servers import MEANTIME, RunningServer, free_port, meantime_command, running_server

READY_GOAL_S = 1.5
MEMORY_GOAL_MB = 150.0
HELP_GOAL_S = 0.3
HEAVY_MODULES = ("flask", "duckdb")


@dataclass(frozen=True, slots=True)
class Start:
    """One start of the server: what it took until ready, and the memory then."""

    ready_s: float
    processor_s: float  # on all cores, by all its processes; other programs on the machine don't change it
    serving_mb: float  # resident memory of its largest process, which is the one that serves
    all_mb: float  # of all its processes, what they share counted once


def measure_start(folder: Path, *, repeats: int) -> Iterator[Figure]:
    """Yield the seconds from start to ready, without and with a cached cube, and the memory then.

    Cold means a new state directory: the table is read again. The operating system may still have the files in memory.
    """
    cold, warm = [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(dir=folder) as state:
            cold.append(start_once(Path(state), folder))
            warm.append(start_once(Path(state), folder))
    for name, starts in (("cold", cold), ("warm", warm)):
        processor_s = median(start.processor_s for start in starts)
        note = f"worst {max(start.ready_s for start in starts):.2f} s; {processor_s:.2f} s of processor time"
        yield Figure(f"start to ready, {name}", median(start.ready_s for start in starts), "s", READY_GOAL_S, note=note)
    serving_mb = max(start.serving_mb for start in cold + warm)
    yield Figure("memory of the serving process", serving_mb, "MB", MEMORY_GOAL_MB, note="Rss, the most seen")
    all_mb = max(start.all_mb for start in cold + warm)
    yield Figure("memory of all its processes", all_mb, "MB", note="Pss, the most seen")


def start_once(state: Path, folder: Path) -> Start:
    """Start the server, look at it when it is ready, and stop it."""
    port = free_port()
    with running_server(meantime_command(state, port), port, ready_path="/readyz", folder=folder) as server:
        processes = process_tree(server)
        memory = [memory_mb(process) for process in processes]
        return Start(
            ready_s=server.ready_s,
            processor_s=sum(processor_time_s(process) for process in processes),
            serving_mb=max(of_process["Rss"] for of_process in memory),
            all_mb=sum(of_process["Pss"] for of_process in memory),
        )


def process_tree(server: RunningServer) -> list[int]:
    """Return the ids of the server's process and of all below it."""
    found = [server.process_id]
    for process in found:
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def processor_time_s(process: int) -> float:
    """Return the processor time of a process and of its children that have ended, in seconds (proc(5))."""
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(int(field) for field in after_name[11:15])  # utime, stime, cutime, cstime
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mb(process: int) -> dict[str, float]:
    """Return Rss and Pss of a process, in megabytes (proc(5) has them in units of 1,024 bytes)."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    values = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("Rss:", "Pss:"))}
    return {name: int(value) * 1024 / 1e6 for name, value in values.items()}


def measure_command_line(*, repeats: int) -> Iterator[Figure]:
    """Yield what `meantime --help` takes, and which heavy modules `import meantime` pulls in."""
    nothing_s, help_s = [], []
    for _ in range(repeats):
        nothing_s.append(_duration_s([sys.executable, "-c", "pass"]))
        help_s.append(_duration_s([*MEANTIME, "--help"]))
    ratio = median(help_s) / median(nothing_s)
    yield Figure("meantime --help", median(help_s), "s", HELP_GOAL_S, note=f"{ratio:.1f} times `python -c pass`")
    pulled_in = imported_modules("meantime").intersection(HEAVY_MODULES)
    yield Figure("heavy modules that `import meantime` pulls in", len(pulled_in), "", 0, note=", ".join(pulled_in))


def _duration_s(command: Sequence[str]) -> float:
    started_s = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started_s


def imported_modules(name: str) -> set[str]:
    """Return the modules that are loaded after importing one in a new interpreter."""
    code = f"import sys, {name}; print(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    )
