"""A progress bar for a long ingest, on standard error and on a terminal only."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meantime.child import Progress

_LABELS = {"unpack": "Unpacking", "read": "Reading"}


@contextmanager
def ingest_progress(quiet_s: float = 1.0) -> Iterator[Progress | None]:
    """Give what `DataIngestor.start` takes as ``progress``: None where nobody looks, else a bar.

    Parameters
    ----------
    quiet_s
        How long nothing is shown, in seconds: a short ingest needs no bar.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=1.0)
    started_s = time.monotonic()
    shown_phase = ""

    def show(phase: str, part: float) -> None:
        nonlocal shown_phase
        if time.monotonic() - started_s < quiet_s:
            return
        bar.update(task, description=_LABELS.get(phase, phase), completed=part)
        if phase != shown_phase:  # drawn at once: the bar's own next refresh may come after the end
            shown_phase = phase
            bar.start()
            bar.refresh()

    try:
        yield show
    finally:
        bar.stop()
