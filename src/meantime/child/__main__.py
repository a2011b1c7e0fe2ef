"""The child's side: run one errand, tell its progress and its end, and leave.

It leaves by ``os._exit``: DuckDB prints a leak report when an interpreter ends. What an errand prints goes to the
standard error, so that the answer is nothing but lines of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from importlib import import_module
from typing import IO, Any

from meantime.errors import DataChangedError, DataError


def main() -> None:
    """Run the errand that the command line names, and end the process."""
    # A terminal sends SIGINT to the whole group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    if request["time_limit_s"] is not None:
        signal.setitimer(signal.ITIMER_REAL, request["time_limit_s"])  # its signal ends this process
    _say(answers, _run(sys.argv[1], request, answers))
    os._exit(0)


def _run(errand: str, request: dict[str, Any], answers: IO[str]) -> dict[str, object]:
    """Return the last message: how the errand ended."""
    module, _, name = errand.partition(":")

    def tell(phase: str, part: float) -> None:
        _say(answers, {"progress": [phase, part]})

    try:
        return {"done": getattr(import_module(module), name)(tell, *request["args"], **request["kwargs"])}
    except DataError as error:
        return {
            "refused": str(error),
            "settings": error.settings,
            "is_changed": isinstance(error, DataChangedError),
        }
    except MemoryError:
        return {"crashed": "not enough memory"}
    except Exception:  # noqa: BLE001  # the parent turns whatever it is into one line and a log entry
        return {"crashed": traceback.format_exc()}


def _say(answers: IO[str], message: dict[str, object]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
