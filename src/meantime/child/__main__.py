"""The child's side: run one errand, tell its progress and its end, and leave.

It leaves by ``os._exit``: DuckDB prints a leak report when an interpreter ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from importlib import import_module

from meantime.errors import DataChangedError, DataError


def main() -> None:
    """Run the errand that the command line names, and end the process."""
    # A terminal sends SIGINT to the whole group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    request = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    if request["time_limit_s"] is not None:
        signal.setitimer(signal.ITIMER_REAL, request["time_limit_s"])  # its signal ends this process
    module, _, name = sys.argv[1].partition(":")
    try:
        done = getattr(import_module(module), name)(_say_progress, *request["args"], **request["kwargs"])
        _say({"done": done})
    except DataError as error:
        _say({"refused": str(error), "is_changed": isinstance(error, DataChangedError)})
    except MemoryError:
        _say({"crashed": "not enough memory"})
    except Exception:  # noqa: BLE001  # the parent turns whatever it is into one line and a log entry
        _say({"crashed": traceback.format_exc()})
    os._exit(0)


def _say_progress(phase: str, part: float) -> None:
    _say({"progress": [phase, part]})


def _say(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
