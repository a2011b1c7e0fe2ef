"""Watching and disturbing the system calls of a running process, by strace."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

DETACH_LIMIT_S = 5.0
SYNCS = "fdatasync,fsync"
WRITES = (
    "pwrite64,pwritev,write,writev,sendto,sendmsg,fdatasync,fsync,link,linkat,"
    "rename,renameat,renameat2,unlink,unlinkat,ftruncate"
)
"""Every call by which a server changes a file or says something to a client."""

_LINE = re.compile(r"^(\d+) +(\w+)\(")


class Position(NamedTuple):
    """The ``nth``-th call of one kind in a thread."""

    call: str
    nth: int


@contextmanager
def traced(pid: int, log: Path, options: Sequence[str]) -> Iterator[None]:
    """Trace all threads of a process for as long as the block lasts; the log holds one call a line, in their order."""
    command = ["strace", "-f", "-p", str(pid), "-o", str(log), "-s", "64", "-y", *options]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "attached" in line:
                break
        else:
            raise AssertionError(f"strace did not attach to process {pid}")
        yield
    finally:
        process.terminate()
        try:
            process.wait(DETACH_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()  # the kernel lets go of what it traced
            process.wait()
        process.stderr.close()


def positions(log: Path) -> list[Position]:
    """Return how far each kind of call was counted in a log, as every position up to there."""
    counts: Counter[tuple[str, str]] = Counter()
    for line in log.read_text("ascii", "replace").splitlines():
        if (found := _LINE.match(line)) is not None:
            counts[found[1], found[2]] += 1
    most: dict[str, int] = {}
    for (_, call), count in counts.items():
        most[call] = max(most.get(call, 0), count)
    return [Position(call, i) for call, count in sorted(most.items()) for i in range(1, count + 1)]
