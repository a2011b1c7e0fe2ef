"""The use cases over a small survey: what is checked, computed once, recomputed, listed and evicted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from meantime.errors import (
    IdempotencyConflictError,
    InvalidParameterError,
    QueueFullError,
    ResultLostError,
    ShuttingDownError,
    StoreUnavailableError,
    UnknownJobError,
)
from meantime.jobs.job_state import JobState
from meantime.jobs.job_store import JobFilter
from meantime.jobs.results.results_directory import ResultsDirectory
from meantime.jobs.results.retention import FETCHED_LATELY_S, JOB_BYTES, Retention
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from meantime.service import MeantimeService
from meantime.statistics.catalogue import Surface
from meantime.survey.datasets.dataset_registry import DatasetRegistry
from meantime.survey.ingest.data_ingestor import DataIngestor
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.ingest.provenance import Provenance
from tests.datasets import dataset_of
from tests.reference import Row

LIMIT_S = 30.0
QUESTION = "Percent of adults aged 18 years and older who have obesity"


def row(location: str, value: float) -> Row:
    return Row(
        question=QUESTION,
        question_id="Q036",
        location=location,
        abbreviation="",
        year=2023,
        category="Total",
        stratum="Total",
        value=value,
        low=value - 1.0,
        high=value + 1.0,
        sample_size=100.0,
    )


def dataset(cube_version: str = "v1", shift: float = 0.0) -> Dataset:
    provenance = Provenance("CDC", "Test", "t", "t.csv", "0" * 64)
    rows = [row("Ohio", 30.0 + shift), row("Utah", 20.0 + shift)]
    return dataset_of(rows, "survey", cube_version=cube_version, provenance=provenance)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.jumped_s = 0.0

    def __call__(self) -> float:
        return self.now_s + self.jumped_s

    def monotonic(self) -> float:
        return self.now_s


Open = Callable[..., MeantimeService]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_service(tmp_path: Path, clock: Clock) -> Iterator[Open]:
    opened: list[MeantimeService] = []

    def open_again(
        served: Dataset | DatasetRegistry | None = None,
        *,
        start: bool = True,
        retention: Retention | None = None,
        **limits: int | float,
    ) -> MeantimeService:
        if opened:
            opened[-1].close(LIMIT_S)
        service = MeantimeService(
            served if isinstance(served, DatasetRegistry) else DatasetRegistry([served or dataset()]),
            SqliteJobStore(tmp_path / "state"),
            ResultsDirectory(tmp_path / "results", tmp_path / "state" / "stored"),
            thread_count=2,
            clock=clock,
            monotonic=clock.monotonic,
            retention=retention,
            **limits,  # type: ignore[arg-type]  # each limit has its own type
        )
        opened.append(service)
        if start:
            service.start()
        return service

    yield open_again
    for service in opened:
        service.close(LIMIT_S)


def submit(service: MeantimeService, statistic: str = "states_mean", **parameters: object) -> int:
    return service.submit(statistic, {"question": QUESTION} | parameters, surface=Surface.CONTRACT).number


def result(service: MeantimeService, number: int) -> bytes:
    job = service.wait(number, LIMIT_S)
    assert job.state is JobState.DONE
    return service.result_of(job)


def answer(service: MeantimeService, number: int) -> object:
    return orjson.loads(result(service, number))


def test_a_request_becomes_a_job_whose_result_is_the_statistic(open_service: Open) -> None:
    service = open_service()
    assert answer(service, submit(service)) == {"Utah": 20.0, "Ohio": 30.0}


@pytest.mark.parametrize("parameters", [{"question": "Percent of nobody"}, {"question": 5}, {}, {"extra": 1}])
def test_a_bad_request_makes_no_job(open_service: Open, parameters: dict[str, object]) -> None:
    service = open_service()
    with pytest.raises(InvalidParameterError):
        service.submit("states_mean", parameters, surface=Surface.CONTRACT)
    assert list(service.jobs()) == []


def test_equal_requests_are_one_task_whatever_the_order_of_their_fields(open_service: Open) -> None:
    service = open_service()
    one = service.task_of("state_mean", {"question": QUESTION, "state": "Ohio"}, surface=Surface.CONTRACT)
    other = service.task_of("state_mean", {"state": "Ohio", "question": QUESTION}, surface=Surface.CONTRACT)
    assert one == other
    assert one.version == f"survey@{dataset().version}"


def test_an_unknown_job_is_unknown_and_so_is_another_owners(open_service: Open) -> None:
    service = open_service()
    number = service.submit("states_mean", {"question": QUESTION}, surface=Surface.CONTRACT, owner="alice").number
    assert service.wait(number, LIMIT_S, owner="alice").state is JobState.DONE
    with pytest.raises(UnknownJobError) as of_bob:
        service.wait(number, LIMIT_S, owner="bob")
    with pytest.raises(UnknownJobError) as of_nobody:
        service.job(number + 1)
    assert str(of_bob.value).replace(str(number), "N") == str(of_nobody.value).replace(str(number + 1), "N")


def test_finished_jobs_answer_after_a_restart(open_service: Open) -> None:
    service = open_service()
    number = submit(service)
    answer(service, number)
    service = open_service()
    assert answer(service, number) == {"Utah": 20.0, "Ohio": 30.0}
    assert submit(service) == number + 1


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_a_result_that_is_lost_on_disk_is_computed_again(open_service: Open, tmp_path: Path, damage: str) -> None:
    service = open_service()
    number = submit(service)
    answer(service, number)
    service = open_service()
    for file in [*(tmp_path / "results").iterdir(), *(tmp_path / "state" / "stored").iterdir()]:
        if damage == "missing":
            file.unlink()
        else:
            file.write_bytes(b'{"Utah":99.0}')
    assert answer(service, number) == {"Utah": 20.0, "Ohio": 30.0}
    assert orjson.loads((tmp_path / "results" / f"job_id_{number}.json").read_bytes()) == {"Utah": 20.0, "Ohio": 30.0}


def test_a_result_file_that_was_removed_comes_back_when_it_is_asked_for(open_service: Open, tmp_path: Path) -> None:
    service = open_service()
    number = submit(service)
    answer(service, number)
    service = open_service()
    (tmp_path / "results" / f"job_id_{number}.json").unlink()
    answer(service, number)
    assert (tmp_path / "results" / f"job_id_{number}.json").exists()


def test_a_lost_result_of_another_dataset_version_is_never_guessed(open_service: Open, tmp_path: Path) -> None:
    service = open_service()
    number = submit(service)
    answer(service, number)
    service = open_service(dataset("v2", shift=5.0))
    assert answer(service, number) == {"Utah": 20.0, "Ohio": 30.0}  # the stored result, not today's table
    for folder in (tmp_path / "results", tmp_path / "state" / "stored"):
        for file in folder.iterdir():
            file.unlink()
    service = open_service(dataset("v2", shift=5.0))
    with pytest.raises(ResultLostError, match=f"survey@{dataset().version} is no longer here"):
        service.result_of(service.job(number))


def test_a_result_that_is_computed_again_counts_only_if_it_is_the_same(open_service: Open, tmp_path: Path) -> None:
    service = open_service()
    number = submit(service)
    answer(service, number)
    for folder in (tmp_path / "results", tmp_path / "state" / "stored"):
        for file in folder.iterdir():
            file.unlink()
    service = open_service(dataset("v1", shift=5.0))  # says that it is the same version, and is not
    with pytest.raises(ResultLostError, match="computes another one from the same request"):
        service.result_of(service.job(number))
    assert list((tmp_path / "results").iterdir()) == []


def test_an_unfinished_job_of_a_lost_dataset_version_fails_with_its_reason(open_service: Open) -> None:
    number = submit(open_service(start=False))
    job = open_service(dataset("v2")).wait(number, LIMIT_S)
    assert job.state is JobState.FAILED
    assert job.reason == f"the dataset version survey@{dataset().version} is no longer here; submit the request again"


def test_jobs_are_listed_from_the_first_to_the_last(open_service: Open) -> None:
    service = open_service()
    numbers = [submit(service) for _ in range(3)]
    assert service.wait_drained(LIMIT_S)
    assert list(service.jobs()) == [(number, JobState.DONE) for number in numbers]
    assert [job.number for job in service.page(JobFilter(), before=3, limit=5)] == [2, 1]


def test_a_server_that_cant_store_results_is_not_ready(open_service: Open, tmp_path: Path) -> None:
    service = open_service()
    shutil.rmtree(tmp_path / "state" / "stored")
    (tmp_path / "state" / "stored").touch()
    assert service.wait(submit(service), LIMIT_S).state is JobState.FAILED
    assert not service.is_ready
    with pytest.raises(StoreUnavailableError):
        submit(service)


def test_a_drain_refuses_new_requests_and_is_not_ready(open_service: Open) -> None:
    service = open_service()
    assert (service.is_ready, service.is_draining) == (True, False)
    number = submit(service)
    service.begin_drain()
    assert (service.is_ready, service.is_draining) == (False, True)
    with pytest.raises(ShuttingDownError):
        submit(service)
    assert service.wait_drained(LIMIT_S)
    assert answer(service, number) == {"Utah": 20.0, "Ohio": 30.0}
    assert service.unfinished_count() == 0


def test_a_full_queue_refuses(open_service: Open) -> None:
    service = open_service(start=False, queue_capacity=2)
    submit(service)
    submit(service)
    with pytest.raises(QueueFullError):
        submit(service)
    assert service.unfinished_count() == 2


def test_retention_drops_old_jobs_with_their_files_and_keeps_the_rest(
    open_service: Open, tmp_path: Path, clock: Clock
) -> None:
    service = open_service(retention=Retention(100.0, wall=clock, monotonic=clock.monotonic))
    old = submit(service)
    assert service.wait(old, LIMIT_S).state is JobState.DONE
    clock.now_s += 101.0
    young = submit(service, "state_mean", state="Ohio")
    answer(service, young)
    assert service.evict_expired() == 1
    with pytest.raises(UnknownJobError):
        service.job(old)
    assert answer(service, young) == {"Ohio": 30.0}
    assert [file.name for file in (tmp_path / "results").iterdir()] == [f"job_id_{young}.json"]
    assert len(list((tmp_path / "state" / "stored").iterdir())) == 1


def test_a_clock_that_is_set_forward_or_back_evicts_nothing_early(open_service: Open, clock: Clock) -> None:
    service = open_service(retention=Retention(100.0, wall=clock, monotonic=clock.monotonic))
    for number in (submit(service), submit(service, "state_mean", state="Ohio")):
        assert service.wait(number, LIMIT_S).state is JobState.DONE
    for jumped_s in (86_400.0, -86_400.0):
        clock.jumped_s = jumped_s
        assert service.evict_expired() == 0
    clock.jumped_s = 0.0
    clock.now_s += 101.0
    assert service.evict_expired() > 0


def test_a_result_that_was_fetched_within_a_day_stays(open_service: Open, clock: Clock) -> None:
    service = open_service(retention=Retention(100.0, wall=clock, monotonic=clock.monotonic))
    fetched, left = submit(service), submit(service)
    assert service.wait_drained(LIMIT_S)
    clock.now_s += 101.0
    assert answer(service, fetched)
    assert service.evict_expired() == 1
    assert [number for number, _ in service.jobs()] == [fetched]
    clock.now_s += FETCHED_LATELY_S + 1.0
    assert service.evict_expired() == 1
    with pytest.raises(UnknownJobError):
        service.job(left)


def test_beyond_the_bytes_the_oldest_go_and_those_fetched_lately_last(open_service: Open, clock: Clock) -> None:
    retention = Retention(size_bytes=3 * JOB_BYTES, wall=clock, monotonic=clock.monotonic)
    service = open_service(retention=retention)
    numbers = [submit(service) for _ in range(6)]
    for number in numbers:
        assert service.wait(number, LIMIT_S).state is JobState.DONE
    answer(service, numbers[0])
    assert service.evict_expired() == 4
    assert [number for number, _ in service.jobs()] == [numbers[0], numbers[-1]]
    for number in numbers[-1:]:
        answer(service, number)
    later = [submit(service) for _ in range(3)]
    for number in later:
        assert service.wait(number, LIMIT_S).state is JobState.DONE
        answer(service, number)
    assert service.evict_expired() == 3  # however much is fetched, the bound holds
    assert [number for number, _ in service.jobs()] == later[1:]
    assert retention.taken_bytes <= 3 * JOB_BYTES


def test_what_is_on_disk_at_the_start_counts(open_service: Open, clock: Clock) -> None:
    service = open_service()
    for _ in range(4):
        assert service.wait(submit(service), LIMIT_S).state is JobState.DONE
    retention = Retention(size_bytes=2 * JOB_BYTES, wall=clock, monotonic=clock.monotonic)
    service = open_service(retention=retention)
    assert len(list(service.jobs())) == 1
    assert retention.taken_bytes <= 2 * JOB_BYTES


def test_a_clock_far_ahead_at_the_start_evicts_nothing(open_service: Open, clock: Clock) -> None:
    service = open_service()
    assert service.wait(submit(service), LIMIT_S).state is JobState.DONE
    clock.jumped_s = 1e9
    service = open_service(retention=Retention(100.0, wall=clock, monotonic=clock.monotonic))
    assert len(list(service.jobs())) == 1


def test_retention_by_count_keeps_the_newest(open_service: Open) -> None:
    service = open_service(retention=Retention(count=2))
    numbers = [submit(service) for _ in range(5)]
    assert service.wait_drained(LIMIT_S)
    assert service.evict_expired() == 3
    assert [number for number, _ in service.jobs()] == numbers[-2:]


# ---- one request, one job -------------------------------------------------------------------------------------------


def submit_mean(service: MeantimeService, **parameters: object) -> int:
    return service.submit("mean", {"question": "Q036"} | parameters, surface=Surface.V1, may_join=True).number


def test_an_equal_request_joins_the_unfinished_job_where_that_will_do(open_service: Open) -> None:
    service = open_service(start=False)
    assert submit_mean(service) == submit_mean(service, years=[2023]) == 1
    assert submit_mean(service, level=0.9) == 2
    assert [submit(service), submit(service)] == [3, 4]  # the contract never joins
    service.start()
    answer(service, 1)
    assert submit_mean(service) == 5


def test_a_joined_job_of_another_dataset_version_is_another_job(open_service: Open) -> None:
    registry = DatasetRegistry([dataset()])
    service = open_service(registry, start=False)
    assert submit_mean(service) == 1
    registry.replace(dataset("v2", shift=1.0))
    assert submit_mean(service) == 2


def test_a_request_under_its_key_is_one_job_and_another_is_refused(open_service: Open) -> None:
    service = open_service()

    def submit_as(location: str, owner: str = "") -> int:
        return service.submit(
            "state_mean",
            {"question": QUESTION, "state": location},
            surface=Surface.CONTRACT,
            owner=owner,
            idempotency_key="monday",
        ).number

    assert submit_as("Ohio") == submit_as("Ohio") == 1
    assert submit_as("Ohio", owner="bob") == 2
    with pytest.raises(IdempotencyConflictError) as refused:
        submit_as("Utah")
    assert refused.value.job_number == 1


def test_the_provenance_of_a_result_depends_on_nothing_but_data_and_request(open_service: Open, clock: Clock) -> None:
    service = open_service()
    first = result(service, submit_mean(service))
    clock.now_s += 1e6
    service = open_service()
    assert result(service, submit_mean(service)) == first
    assert orjson.loads(first)["provenance"]["dataset"]["version"] == dataset().version


def test_a_job_knows_how_many_are_ahead_of_it(open_service: Open) -> None:
    service = open_service(start=False)
    numbers = [submit(service) for _ in range(3)]
    assert [service.jobs_ahead(number) for number in numbers] == [0, 1, 2]
    service.cancel(numbers[0])
    assert service.jobs_ahead(numbers[2]) == 1


def test_a_median_of_full_cells_is_read_from_the_source(open_service: Open, tmp_path: Path) -> None:
    lines = ["YearStart,LocationAbbr,LocationDesc,Question,QuestionID,Data_Value,Low_Confidence_Limit,"]
    lines[0] += "High_Confidence_Limit,Sample_Size,StratificationCategory1,Stratification1"
    lines += [
        f"2023,OH,Ohio,{QUESTION},Q036,{value},{value - 1},{value + 1},100,Total,Total" for value in (10.0, 11.0, 30.0)
    ]
    source = tmp_path / "full_cells.csv"
    source.write_text("\n".join(lines) + "\n")
    mapping = tmp_path / "pool.toml"
    mapping.write_text("[rows]\npool = true\n")
    service = open_service(DataIngestor(source, name="survey", mapping=mapping).ingest())
    number = service.submit("distribution", {"question": "Q036", "quantiles": [0.5]}, surface=Surface.V1).number
    found = answer(service, number)
    assert isinstance(found, dict)
    [record] = found["records"]
    assert (record["quantile_0.5"], record["count"]) == (11.0, 3)
    source.write_text("\n".join(lines[:-1]) + "\n")
    other = service.submit("distribution", {"question": "Q036", "quantiles": [0.9]}, surface=Surface.V1)
    job = service.wait(other.number, LIMIT_S)
    assert job.state is JobState.FAILED
    assert "full_cells.csv" in (job.reason or "")


def test_a_reading_of_the_figures_counts_what_waits_runs_and_has_ended(open_service: Open) -> None:
    service = open_service(start=False)
    for _ in range(2):
        submit(service)
    waiting = service.figures()
    assert (waiting.unfinished, waiting.queue_depth, waiting.busy_runner_count) == (
        {("queued", "states_mean"): 2},
        2,
        0,
    )
    service.start()
    assert service.wait_drained(LIMIT_S)
    idle = service.figures()
    assert (idle.unfinished, idle.queue_depth, idle.runner_count) == ({}, 0, 2)
    assert {name: seen.count for name, seen in idle.runs.distributions().items()} == {("states_mean", "done"): 2}
    assert set(idle.housekeeping_failures.values()) == {0}
