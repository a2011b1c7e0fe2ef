"""From start to ready, resident memory, and how quick the command line answers."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from benchmarks.servers import MEANTIME, RunningServer, free_port, meantime_command, running_server

READY_GOAL_S = 1.5
MEMORY_GOAL_MB = 150.0
HELP_GOAL_S = 0.3
HEAVY_MODULES = ("flask", "duckdb")


def measure_start(folder: Path, *, repeats: int) -> Iterator[Figure]:
    """Yield the seconds from start to ready, without and with a cached cube, and the memory then.

    Cold means a new state directory: the table is read again. The operating system may still have the files in memory.
    """
    cold: list[float] = []
    warm: list[float] = []
    resident, proportional = [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(dir=folder) as state:
            for ready_s in (cold, warm):
                port = free_port()
                command = meantime_command(Path(state), port)
                with running_server(command, port, ready_path="/readyz", folder=folder) as server:
                    ready_s.append(server.ready_s)
                    memory = {process: memory_kb(process) for process in process_tree(server)}
                serving = max(memory, key=lambda process: memory[process]["Rss"])
                resident.append(memory[serving]["Rss"] / 1000)
                proportional.append(sum(of_process["Pss"] for of_process in memory.values()) / 1000)
    yield Figure("start to ready, cold", median(cold), "s", READY_GOAL_S, note=f"worst {max(cold):.2f} s")
    yield Figure("start to ready, warm", median(warm), "s", READY_GOAL_S, note=f"worst {max(warm):.2f} s")
    yield Figure("memory of the serving process", max(resident), "MB", MEMORY_GOAL_MB, note="Rss, the most seen")
    yield Figure("memory of all its processes", max(proportional), "MB", note="Pss, the most seen")


def process_tree(server: RunningServer) -> list[int]:
    """Return the ids of the server's process and of all below it."""
    found = [server.process_id]
    for process in found:
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def memory_kb(process: int) -> dict[str, int]:
    """Return Rss and Pss of a process, in units of 1,024 bytes."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    values = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("Rss:", "Pss:"))}
    return {name: int(value) for name, value in values.items()}


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
