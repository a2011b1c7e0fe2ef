"""The program of the ingest's child process: one request in, progress and one answer out, each a line of JSON.

``child_process.py`` runs it as ``python -m meantime.survey.ingest.ingest_process``. It ends when its standard input
is closed, so it can't outlive its parent, and leaves by ``os._exit``: DuckDB prints a leak report when an interpreter ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path

from meantime.errors import DataChangedError, DataError
from meantime.survey.ingest.ingest_request import Errand, IngestRequest


def main() -> None:
    """Serve one request and end the process."""
    # A terminal sends SIGINT to the whole group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    request = IngestRequest.from_line(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
    try:
        _serve(request)
    except DataError as error:
        _say({"error": str(error), "changed": isinstance(error, DataChangedError)})
    except MemoryError:
        _say({"error": f"{Path(request.source).name}: not enough memory to read it", "changed": False})
    except Exception:  # noqa: BLE001  # the parent turns whatever it is into one line and a log entry
        _say({"crash": traceback.format_exc()})
    sys.stdout.flush()
    os._exit(0)


def _serve(request: IngestRequest) -> None:
    try:
        _ERRANDS[request.errand](request)
    except OSError as error:
        raise DataError(f"{request.output}: can't be written: {error.strerror}") from error
    _say({"done": True})


# What an errand needs is imported on the errand: a parent that asks for this module's name stays small.


def _write_cube(request: IngestRequest) -> None:
    from meantime.survey.cube.cube_file import write_cube_file
    from meantime.survey.ingest.ingest import ingest
    from meantime.survey.reading.mapping import parse_mapping

    cube, report = ingest(
        Path(request.source),
        parse_mapping(request.mapping_text, request.mapping_name).profile,
        expected_sha256=request.expected_sha256 or None,
        size_limit_bytes=request.size_limit_bytes,
        scratch_directory=Path(request.scratch_directory),
        progress=_say_progress,
    )
    write_cube_file(Path(request.output), cube, report)


def _write_values(request: IngestRequest) -> None:
    from meantime.survey.ingest.estimate_values import write_values
    from meantime.survey.ingest.table_reader import open_table
    from meantime.survey.reading.mapping import parse_mapping

    with open_table(
        Path(request.source),
        parse_mapping(request.mapping_text, request.mapping_name).profile,
        expected_sha256=request.expected_sha256 or None,
        size_limit_bytes=request.size_limit_bytes,
        scratch_directory=Path(request.scratch_directory),
        progress=_say_progress,
    ) as table:
        write_values(table, dict(request.filters), Path(request.output))


def _write_sample(request: IngestRequest) -> None:
    from meantime.survey.cube.array_file import write_array_file
    from meantime.survey.reading.table_samples import read_sample

    sample = read_sample(
        Path(request.source),
        size_limit_bytes=request.size_limit_bytes,
        scratch_directory=Path(request.scratch_directory),
    )
    write_array_file(Path(request.output), sample.to_json(), {})


_ERRANDS = {Errand.CUBE: _write_cube, Errand.VALUES: _write_values, Errand.SAMPLE: _write_sample}


def _say_progress(phase: str, part: float) -> None:
    _say({"phase": phase, "part": part})


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _say(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
