"""``GET /metrics``: what the server counts, in the format of Prometheus. The only module that knows prometheus-client.

Everything but the requests' durations is counted by those who do the work, and read here when somebody asks.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from flask import Response, request

from meantime import __version__
from meantime.jobs.durations import Durations, Label
from meantime.jobs.sqlite.store_connection import SQLITE_VERSION
from meantime.service import MeantimeService, ServiceFigures
from meantime.settings import Settings
from meantime.web.observation.log_writer import LogWriter
from meantime.web.observation.request_facts import RequestTimes
from meantime.web.operations import Reply, operation
from meantime.web.places import AllPlaces

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import CollectorRegistry

Labels = Sequence[str]
Sample = tuple[Sequence[str], float]
AnyLabel = TypeVar("AnyLabel", bound=Label)


class ConnectionCounts(NamedTuple):
    """Connections that are open, if that can be told; clients that have more to take, or were cut off with it."""

    open: int | None
    behind: int
    cut_off: int


class Metrics:
    """The metrics of one application.

    Parameters
    ----------
    service
        What is measured.
    settings
        ``threads``, ``queue_capacity`` and ``state_dir`` are used.
    request_times
        What the middleware has counted.
    logs
        By name.
    places
        What clients can hold.
    encoded_forms_bytes
        Returns how many bytes of encoded forms are kept.
    connection_counts
        Returns how the connections stand.
    session_count
        Returns how many sessions of browsers are kept.
    """

    def __init__(
        self,
        service: MeantimeService,
        settings: Settings,
        request_times: RequestTimes,
        logs: Mapping[str, LogWriter],
        places: AllPlaces,
        encoded_forms_bytes: Callable[[], int],
        connection_counts: Callable[[], ConnectionCounts],
        session_count: Callable[[], int],
    ) -> None:
        self._service = service
        self._settings = settings
        self._request_times = request_times
        self._logs = logs
        self._places = places.named()
        self._encoded_forms_bytes = encoded_forms_bytes
        self._connection_counts = connection_counts
        self._session_count = session_count
        self._registry: CollectorRegistry | None = None  # made by the first request; two that race make equal ones

    @operation(
        "GET",
        "/metrics",
        tag="server",
        replies={200: Reply("Every metric.", media_types=("text/plain", "application/openmetrics-text"))},
    )
    def get_metrics(self) -> Response:
        """Show what the server counts, in a format of Prometheus."""
        # A quarter of a second and 5 MB that a server without a scraper never needs.
        from prometheus_client.exposition import choose_encoder

        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        if self._registry is None:
            self._registry = self._make_registry()
        return Response(encode(self._registry), content_type=content_type)

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, as prometheus-client wants a collector to."""
        figures = self._service.figures()
        yield from self._about_the_server(figures)
        yield from self._about_places()
        yield from self._about_connections()
        yield from self._about_jobs(figures)
        yield from self._about_storage(figures)
        yield from self._about_datasets(figures)
        durations = self._request_times.durations
        yield _histogram("http_request_duration", "Time to answer a request.", ("method", "route", "status"), durations)

    def _make_registry(self) -> CollectorRegistry:
        from prometheus_client import CollectorRegistry, ProcessCollector

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        ProcessCollector(registry=registry)
        return registry

    def _about_the_server(self, figures: ServiceFigures) -> Iterator[Metric]:
        versions = ((__version__, platform.python_version(), SQLITE_VERSION), 1.0)
        yield _gauge("build_info", "Versions; always 1.", ("version", "python", "sqlite"), [versions])
        yield _gauge("ready", "Whether /readyz answers 200.", (), [((), float(self._service.is_ready))])
        yield _gauge("draining", "Whether the drain has begun.", (), [((), float(self._service.is_draining))])
        waiting = [((name,), float(log.waiting_line_count())) for name, log in self._logs.items()]
        yield _gauge("log_lines_waiting", "Lines of a log that wait for the disk.", ("log",), waiting)
        lost = [((name,), float(log.lost_line_count())) for name, log in self._logs.items()]
        yield _counter("log_lines_lost", "Lines of a log that could not be written.", ("log",), lost)
        failures = [((name,), float(count)) for name, count in sorted(figures.housekeeping_failures.items())]
        running = [((name,), float(is_running)) for name, is_running in sorted(figures.threads_running.items())]
        yield _gauge("thread_running", "Whether a thread that the server needs is there.", ("thread",), running)
        ends = [((name,), float(count)) for name, count in sorted(figures.thread_end_counts.items())]
        yield _counter("thread_ends", "Ends of such a thread that nobody asked for.", ("thread",), ends)
        yield _counter("housekeeping_failures", "Rounds of housekeeping that raised.", ("thread",), failures)

    def _about_places(self) -> Iterator[Metric]:
        held = self._places
        used = [((name,), float(each.used)) for name, each in held.items()]
        bound = [((name,), float(each.bound)) for name, each in held.items()]
        share = [((name,), float(each.share)) for name, each in held.items()]
        refused = [((name,), float(each.refused_count)) for name, each in held.items()]
        yield _gauge("places_used", "What clients hold.", ("kind",), used)
        yield _gauge("places", "What clients can hold together.", ("kind",), bound)
        yield _gauge("places_share", "What one client can hold.", ("kind",), share)
        yield _counter("places_refused", "Requests that found no place.", ("kind",), refused)

    def _about_connections(self) -> Iterator[Metric]:
        counts = self._connection_counts()
        is_open = [] if counts.open is None else _sample(counts.open)
        yield _gauge("connections", "Connections that are open.", (), is_open)
        yield _gauge("answers_behind", "Clients that have more of an answer to take.", (), _sample(counts.behind))
        yield _gauge("sessions", "Sessions of browsers that are kept.", (), _sample(self._session_count()))
        unread = _sample(counts.cut_off)
        yield _counter("answers_unread", "Clients that were cut off because they did not read.", (), unread)

    def _about_jobs(self, figures: ServiceFigures) -> Iterator[Metric]:
        runs = figures.runs.distributions()
        unfinished = _samples(figures.unfinished)
        yield _gauge("jobs", "Jobs that have not ended.", ("state", "statistic"), unfinished)
        ended = {(state, name): float(seen.count) for (name, state), seen in runs.items()}
        yield _counter("jobs_ended", "Jobs that have ended since the start.", ("state", "statistic"), _samples(ended))
        yield _gauge("queue_depth", "Jobs that no runner has taken.", (), _sample(figures.queue_depth))
        yield _gauge("queue_capacity", "Jobs that may wait.", (), _sample(self._settings.queue_capacity))
        most = _sample(figures.most_waiting_of_one_owner)
        yield _gauge("queue_largest_share", "Jobs of the owner of whom most wait.", (), most)
        yield _gauge("runners", "Runner threads that are alive.", (), _sample(figures.runner_count))
        yield _gauge("runners_busy", "Runner threads that have a job.", (), _sample(figures.busy_runner_count))
        replaced = _sample(figures.replaced_runner_count)
        yield _counter("runners_replaced", "Runner threads that were given up or died.", (), replaced)
        busy_s = _sample(sum(seen.sum_s for seen in runs.values()))
        yield _counter("runner_busy_seconds", "Time that runners spent on jobs that have ended.", (), busy_s)
        yield _histogram("job_run", "Time from start to end of a job.", ("statistic", "state"), figures.runs)
        yield _histogram("job_wait", "Time from acceptance to start of a job.", ("statistic",), figures.waits)

    def _about_storage(self, figures: ServiceFigures) -> Iterator[Metric]:
        use = figures.cache
        yield _histogram("store_commit", "Time of a commit.", ("kind",), figures.commits)
        yield _counter("result_cache_hits", "Jobs whose result was at hand.", (), _sample(use.hit_count))
        yield _counter("result_cache_misses", "Jobs that were computed.", (), _sample(use.miss_count))
        yield _gauge("result_cache_bytes", "Results in memory, with their tasks.", (), _sample(use.size_bytes))
        forms = _sample(self._encoded_forms_bytes())
        yield _gauge("encoded_forms_bytes", "Results in memory in other forms than JSON.", (), forms)
        yield _gauge("finished_jobs", "Finished jobs that are kept.", (), _sample(figures.finished_count))
        finished = _sample(figures.finished_bytes)
        yield _gauge("finished_jobs_bytes", "What finished jobs take with their results.", (), finished)
        free_bytes = _free_bytes(self._settings.state_dir)
        free = [] if free_bytes is None else _sample(free_bytes)
        yield _gauge("storage_free_bytes", "Space left where the state directory is.", (), free)

    def _about_datasets(self, figures: ServiceFigures) -> Iterator[Metric]:
        datasets = self._service.datasets()
        facts = [((each.name, each.version, each.provenance.source_sha256), 1.0) for each in datasets]
        yield _gauge("dataset_info", "What is served; always 1.", ("dataset", "version", "source_sha256"), facts)
        rows: dict[Label, float] = {}
        for each in datasets:
            rows[each.name, "with_value"] = each.report.value_count
            rows[each.name, "suppressed"] = each.report.suppressed_count
            rows[each.name, "left_out"] = each.report.left_out_count
        yield _gauge("dataset_rows", "Rows of the source.", ("dataset", "kind"), _samples(rows))
        durations = [((each.name,), each.report.duration_s) for each in datasets]
        yield _gauge("dataset_ingest_seconds", "Time that reading the source took.", ("dataset",), durations)
        loaded = [((name,), at) for name, at in figures.loaded_at.items()]
        yield _gauge("dataset_loaded_timestamp_seconds", "When the version was loaded.", ("dataset",), loaded)
        reloads = _samples(figures.reloads)
        yield _counter("dataset_reloads", "Reloads since the start.", ("dataset", "outcome"), reloads)


def _sample(value: float) -> list[Sample]:
    return [((), float(value))]


def _samples(values: Mapping[AnyLabel, float]) -> list[Sample]:
    return [(labels, float(value)) for labels, value in sorted(values.items())]


def _gauge(name: str, text: str, labels: Labels, samples: Sequence[Sample]) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(f"meantime_{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _counter(name: str, text: str, labels: Labels, samples: Sequence[Sample]) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(f"meantime_{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _histogram(name: str, text: str, labels: Labels, durations: Durations) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(f"meantime_{name}_seconds", text, labels=labels)
    bounds = [*(f"{bound:g}" for bound in durations.bounds_s), "+Inf"]
    for values, seen in sorted(durations.distributions().items()):
        cumulative = [float(sum(seen.counts[: i + 1])) for i in range(len(bounds))]
        family.add_metric(values, list(zip(bounds, cumulative, strict=True)), seen.sum_s)
    return family


def _free_bytes(directory: Path) -> int | None:
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None
