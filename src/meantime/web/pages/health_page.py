"""How the server is: one sentence in plain words, what isn't as it should be, and the figures behind it."""

from __future__ import annotations

import platform
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import Flask, Response

from meantime.jobs.durations import Durations
from meantime.jobs.job_state import JobState
from meantime.jobs.sqlite.store_connection import SQLITE_VERSION
from meantime.service import MeantimeService, ServiceFigures
from meantime.settings import Settings
from meantime.web.pages.dataset_page import when
from meantime.web.pages.site import page

LOW_SPACE_BYTES = 1 << 30
FULL_PART = 0.8
"""From this part of the queue's capacity on it is called nearly full."""

_SIZES = ("bytes", "KB", "MB", "GB", "TB")


@dataclass(frozen=True, slots=True)
class Health:
    """How the server is: ``state`` is one of ok, watch, bad; ``headline`` says it, ``matters`` are the reasons."""

    state: str
    headline: str
    matters: tuple[str, ...] = ()


class HealthPage:
    """The page of the server's health.

    Parameters
    ----------
    service
        What is looked at.
    settings
        ``queue_capacity`` and ``state_dir`` are used.
    """

    def __init__(self, service: MeantimeService, settings: Settings) -> None:
        self._service = service
        self._settings = settings

    def add_to(self, app: Flask) -> None:
        """Register the page."""
        app.add_url_rule("/health", "health", self.show)

    def show(self) -> Response:
        """Show how the server is."""
        figures = self._service.figures()
        free_bytes = self._free_bytes()
        return page(
            "health.html",
            current="Health",
            health=self._health(figures, free_bytes),
            figures=figures,
            groups=self._groups(figures, free_bytes),
            datasets=self._service.datasets(),
            loaded={name: when(moment) for name, moment in figures.loaded_at.items()},
            threads=sorted(figures.threads_running.items()),
        )

    def _health(self, figures: ServiceFigures, free_bytes: int | None) -> Health:
        matters = tuple(self._matters(figures, free_bytes))
        if self._service.is_draining:
            return Health(
                "watch", "The server is shutting down: it finishes accepted jobs and takes no new ones.", matters
            )
        if not self._service.is_ready:
            matters = matters or ("The job store can't be written to, so nothing new is accepted; the log says why.",)
            return Health("bad", "Something is wrong: new jobs aren't accepted, or aren't looked after.", matters)
        return (
            Health("watch", "It works, and something deserves a look.", matters)
            if matters
            else Health("ok", "Everything works.")
        )

    def _matters(self, figures: ServiceFigures, free_bytes: int | None) -> Iterator[str]:
        """Yield what isn't as it should be, one sentence each."""
        if missing := sorted(name for name, is_running in figures.threads_running.items() if not is_running):
            yield f"Not running: {', '.join(missing)}. Whatever ended is started again within a second."
        capacity = self._settings.queue_capacity
        if figures.queue_depth >= FULL_PART * capacity:
            yield f"{figures.queue_depth:,} jobs wait, and {capacity:,} may; beyond, requests are refused."
        if free_bytes is not None and free_bytes < LOW_SPACE_BYTES:
            yield f"Only {size(free_bytes)} are left on the disk of the state directory."
        for name, count in sorted(figures.housekeeping_failures.items()):
            if count:
                yield f"Failed rounds of housekeeping since the start ({name}): {count:,}; the log says why."
        for (dataset, outcome), count in sorted(figures.reloads.items()):
            if outcome == "failed" and count:
                yield f"Failed reloads of {dataset}: {count:,}; what was loaded before is served."

    def _groups(self, figures: ServiceFigures, free_bytes: int | None) -> Mapping[str, Mapping[str, str]]:
        """Return the figures as texts, by their name, by what they are about."""
        ended = Counter[str]()
        for (_, state), seen in figures.runs.distributions().items():
            ended[state] += seen.count
        use = figures.cache
        return {
            "Queue": {
                "waiting": f"{figures.queue_depth:,} of {self._settings.queue_capacity:,}",
                "typical wait": typical(figures.waits),
                "done since the start": f"{ended[JobState.DONE]:,}",
                "failed": f"{ended[JobState.FAILED]:,}",
                "cancelled": f"{ended[JobState.CANCELLED]:,}",
            },
            "Runners": {
                "busy": f"{figures.busy_runner_count} of {figures.runner_count}",
                "typical run": typical(figures.runs),
                "replaced": f"{figures.replaced_runner_count:,}",
            },
            "Store": {
                "finished jobs kept": f"{figures.finished_count:,}",
                "they take": size(figures.finished_bytes),
                "typical commit": typical(figures.commits),
                "results in memory": size(use.size_bytes),
                "answered from memory": f"{use.hit_count:,} of {use.hit_count + use.miss_count:,}",
                "free on the disk": "unknown" if free_bytes is None else size(free_bytes),
            },
            "Versions": {"Python": platform.python_version(), "SQLite": SQLITE_VERSION},
        }

    def _free_bytes(self) -> int | None:
        try:
            return shutil.disk_usage(self._settings.state_dir).free
        except OSError:
            return None


def typical(durations: Durations) -> str:
    """Return the mean of all durations as a text; "none yet" where there is none."""
    seen = durations.distributions().values()
    count, total_s = sum(each.count for each in seen), sum(each.sum_s for each in seen)
    if not count:
        return "none yet"
    mean_s = total_s / count
    return f"{mean_s:.1f} s" if mean_s >= 1 else f"{1000 * mean_s:.3g} ms"


def size(count_bytes: float) -> str:
    """Return a number of bytes for people.

    >>> size(0), size(2048), size(5 * 2**30)
    ('0 bytes', '2.0 KB', '5.0 GB')
    """
    for unit in _SIZES[:-1]:
        if count_bytes < 1024:
            return f"{count_bytes:.0f} bytes" if unit == "bytes" else f"{count_bytes:.1f} {unit}"
        count_bytes /= 1024
    return f"{count_bytes:.1f} {_SIZES[-1]}"
