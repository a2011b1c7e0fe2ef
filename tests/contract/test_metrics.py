"""``GET /metrics``: what is counted, under which labels, and that clients can't make labels up."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from meantime.jobs.results.retention import JOB_BYTES
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.survey.ingest.dataset import Dataset
from meantime.web.app import create_app
from meantime.web.observation.access_log import AccessLog
from meantime.web.observation.metrics import ConnectionCounts
from tests.contract.conftest import LIMIT_S, OBESITY, OpenService
from tests.contract.v1_requests import MEAN, WAIT

Labels = frozenset[tuple[str, str]]


def scrape(client: FlaskClient) -> dict[str, Metric]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert all(name.startswith(("meantime_", "process_")) for name in families)
    assert all(family.documentation for family in families.values())
    return families


def values(client: FlaskClient, name: str, sample: str | None = None) -> dict[Labels, float]:
    family = scrape(client)[name]
    return {frozenset(each.labels.items()): each.value for each in family.samples if each.name == (sample or name)}


def value(client: FlaskClient, name: str) -> float:
    (found,) = values(client, name).values()
    return found


def labels(**given: str) -> Labels:
    return frozenset(given.items())


def submit(client: FlaskClient, statistic: str = "states_mean") -> None:
    answer = client.post(f"/api/{statistic}", json={"question": OBESITY})
    assert answer.json is not None
    assert client.get(f"/api/get_results/{answer.json['job_id']}").json is not None


def test_ended_jobs_are_counted_by_statistic_and_state(client: FlaskClient, service: MeantimeService) -> None:
    for statistic in ("states_mean", "states_mean", "best5"):
        submit(client, statistic)
    assert service.close(30.0)  # a job is counted by its runner, after it has ended
    assert values(client, "meantime_jobs_ended", "meantime_jobs_ended_total") == {
        labels(state="done", statistic="states_mean"): 2.0,
        labels(state="done", statistic="best5"): 1.0,
    }
    counts = values(client, "meantime_job_wait_seconds", "meantime_job_wait_seconds_count")
    assert counts == {labels(statistic="states_mean"): 2.0, labels(statistic="best5"): 1.0}
    hits = values(client, "meantime_result_cache_hits", "meantime_result_cache_hits_total")
    misses = values(client, "meantime_result_cache_misses", "meantime_result_cache_misses_total")
    assert (sum(hits.values()), sum(misses.values())) == (1.0, 2.0)


def test_jobs_that_wait_are_gauged(open_service: OpenService, settings: Settings) -> None:
    client = create_app(open_service(start=False), settings).test_client()
    for statistic in ("states_mean", "states_mean", "best5"):
        client.post(f"/api/{statistic}", json={"question": OBESITY})
    assert value(client, "meantime_queue_depth") == 3.0
    assert values(client, "meantime_jobs") == {
        labels(state="queued", statistic="states_mean"): 2.0,
        labels(state="queued", statistic="best5"): 1.0,
    }
    assert (value(client, "meantime_runners"), value(client, "meantime_runners_busy")) == (0.0, 0.0)
    commits = values(client, "meantime_store_commit_seconds", "meantime_store_commit_seconds_count")
    assert commits[labels(kind="durable")] == 3.0


def test_requests_are_counted_by_the_routes_pattern_and_never_by_what_a_client_made_up(client: FlaskClient) -> None:
    for path in ("/api/get_results/1", "/api/get_results/2", "/nothing/here", "/nor/here"):
        client.get(path)
    client.open("/api/jobs", method="INVENTED")
    client.open("/nowhere", method="INVENTED2")
    counts = values(client, "meantime_http_request_duration_seconds", "meantime_http_request_duration_seconds_count")
    assert counts == {
        labels(method="GET", route="/api/get_results/<job_id>", status="404"): 2.0,
        labels(method="", route="", status="404"): 3.0,
        labels(method="", route="", status="405"): 1.0,
    }


def test_buckets_add_up_and_the_last_holds_everything(client: FlaskClient) -> None:
    for _ in range(5):
        client.get("/healthz")
    samples = scrape(client)["meantime_http_request_duration_seconds"].samples
    buckets = [each.value for each in samples if each.name.endswith("_bucket")]
    bounds = [float(each.labels["le"]) for each in samples if each.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 5.0
    assert bounds == sorted(bounds)
    assert bounds[-1] == float("inf")


def test_the_dataset_is_described(client: FlaskClient, dataset: Dataset) -> None:
    assert values(client, "meantime_dataset_info") == {
        labels(dataset=dataset.name, version=dataset.version, source_sha256=dataset.provenance.source_sha256): 1.0
    }
    rows = values(client, "meantime_dataset_rows")
    assert rows[labels(dataset="small", kind="with_value")] == dataset.report.value_count
    assert rows[labels(dataset="small", kind="suppressed")] == dataset.report.suppressed_count


def test_rounds_of_housekeeping_that_raised_are_counted_by_thread(client: FlaskClient) -> None:
    failures = values(client, "meantime_housekeeping_failures", "meantime_housekeeping_failures_total")
    assert labels(thread="evictor") in failures
    assert set(failures.values()) == {0.0}


def test_readiness_and_the_drain_show(client: FlaskClient, service: MeantimeService) -> None:
    assert (value(client, "meantime_ready"), value(client, "meantime_draining")) == (1.0, 0.0)
    service.begin_drain()
    assert (value(client, "meantime_ready"), value(client, "meantime_draining")) == (0.0, 1.0)


def test_lines_that_a_log_lost_are_counted(service: MeantimeService, settings: Settings, tmp_path: Path) -> None:
    log = AccessLog(tmp_path / "gone" / "webserver.log")
    client = create_app(service, settings, access_log=log).test_client()
    client.get("/healthz")
    log.start()
    log.close()
    lost = values(client, "meantime_log_lines_lost", "meantime_log_lines_lost_total")
    assert lost == {labels(log="webserver.log"): 2.0}


def test_lines_that_wait_for_the_disk_are_gauged(service: MeantimeService, settings: Settings, tmp_path: Path) -> None:
    client = create_app(service, settings, access_log=AccessLog(tmp_path / "webserver.log")).test_client()
    client.get("/healthz")
    waiting = values(client, "meantime_log_lines_waiting")
    assert waiting == {labels(log="webserver.log"): 3.0}  # this request has come in, and isn't answered


def test_finished_jobs_and_their_results_are_gauged(client: FlaskClient, service: MeantimeService) -> None:
    assert (value(client, "meantime_finished_jobs"), value(client, "meantime_finished_jobs_bytes")) == (0.0, 0.0)
    for statistic in ("states_mean", "best5"):
        submit(client, statistic)
    assert service.wait_drained(LIMIT_S)
    jobs = [service.job(number) for number, _ in service.jobs()]
    assert value(client, "meantime_finished_jobs") == 2.0
    assert value(client, "meantime_finished_jobs_bytes") == sum(JOB_BYTES + (job.result_size or 0) for job in jobs)


def test_forms_that_are_kept_are_gauged(client: FlaskClient) -> None:
    assert value(client, "meantime_encoded_forms_bytes") == 0.0
    client.post("/api/v1/jobs", json=MEAN, headers=WAIT)
    answer = client.get("/api/v1/jobs/1/result.csv")
    assert answer.status_code == 200
    size = len(answer.data)
    assert value(client, "meantime_encoded_forms_bytes") == size


def test_connections_are_gauged(service: MeantimeService, settings: Settings) -> None:
    counts = ConnectionCounts(open=7, behind=2, cut_off=5)
    client = create_app(service, settings, connection_counts=lambda: counts).test_client()
    assert (value(client, "meantime_connections"), value(client, "meantime_answers_behind")) == (7.0, 2.0)
    assert set(values(client, "meantime_answers_unread", "meantime_answers_unread_total").values()) == {5.0}


def test_each_application_counts_for_itself(service: MeantimeService, settings: Settings) -> None:
    first, second = (create_app(service, settings).test_client() for _ in range(2))
    first.get("/healthz")
    assert "meantime_http_request_duration_seconds" in scrape(first)
    assert scrape(second)["meantime_http_request_duration_seconds"].samples == []


@pytest.mark.parametrize(
    ("accept", "expected"),
    [("", "text/plain"), ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text")],
)
def test_the_scraper_chooses_the_format(client: FlaskClient, accept: str, expected: str) -> None:
    answer = client.get("/metrics", headers={"Accept": accept})
    assert answer.content_type.startswith(expected)
    assert answer.text.endswith("# EOF\n") == expected.startswith("application/openmetrics")
