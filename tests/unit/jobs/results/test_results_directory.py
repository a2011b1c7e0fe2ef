"""Result files appear whole, share one copy, and survive whoever empties the folder."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import stat
from pathlib import Path

import pytest

from meantime.errors import StorageFullError, StoreUnavailableError
from meantime.jobs.job import EncodedResult
from meantime.jobs.results.results_directory import DESCRIPTOR_PATIENCE_S, ResultsDirectory, highest_result_number

RESULT = EncodedResult.of(b'{"Utah":1.0}')


@pytest.fixture
def results(tmp_path: Path) -> ResultsDirectory:
    return ResultsDirectory(tmp_path / "results", tmp_path / "stored")


def test_a_result_is_published_as_bare_json_under_the_jobs_name(results: ResultsDirectory, tmp_path: Path) -> None:
    results.publish(7, RESULT)
    assert (tmp_path / "results" / "job_id_7.json").read_bytes() == RESULT.content
    assert results.path_of(7) == tmp_path / "results" / "job_id_7.json"


def test_equal_results_share_one_copy(results: ResultsDirectory) -> None:
    results.publish(1, RESULT)
    results.publish(2, RESULT)
    assert results.path_of(1).stat().st_ino == results.path_of(2).stat().st_ino


def test_files_are_for_their_owner_alone(results: ResultsDirectory, tmp_path: Path) -> None:
    results.publish(1, RESULT)
    assert stat.S_IMODE(results.path_of(1).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "results").stat().st_mode) == 0o700


@pytest.mark.parametrize("lost", ["results", "stored", "both"])
def test_publishing_goes_on_when_the_folders_vanish(results: ResultsDirectory, tmp_path: Path, lost: str) -> None:
    results.publish(1, RESULT)
    for folder in ("results", "stored"):
        if lost in (folder, "both"):
            shutil.rmtree(tmp_path / folder)
    results.publish(2, RESULT)
    assert results.read(2, RESULT.sha256) == RESULT.content
    assert results.is_published(2)


def test_a_file_that_stands_in_the_way_is_replaced(results: ResultsDirectory) -> None:
    results.path_of(1).write_bytes(b"something else")
    results.publish(1, RESULT)
    assert results.path_of(1).read_bytes() == RESULT.content


def test_a_damaged_file_is_not_believed_and_the_stored_copy_answers(results: ResultsDirectory) -> None:
    results.publish(1, RESULT)
    results.path_of(1).unlink()
    results.path_of(1).write_bytes(b'{"Utah":9.9}')
    assert results.read(1, RESULT.sha256) == RESULT.content


def test_a_result_that_is_damaged_everywhere_is_not_returned(results: ResultsDirectory) -> None:
    results.publish(1, RESULT)
    results.path_of(1).write_bytes(b'{"Utah":9.9}')  # the link's other name is damaged with it
    assert results.read(1, RESULT.sha256) is None
    results.publish(1, RESULT)
    assert results.read(1, RESULT.sha256) == RESULT.content


def test_withdrawing_the_last_job_removes_the_stored_copy(results: ResultsDirectory, tmp_path: Path) -> None:
    results.publish(1, RESULT)
    results.publish(2, RESULT)
    results.withdraw(1, RESULT.sha256)
    assert len(list((tmp_path / "stored").iterdir())) == 1
    results.withdraw(2, RESULT.sha256)
    assert list((tmp_path / "stored").iterdir()) == []
    assert list((tmp_path / "results").iterdir()) == []
    results.publish(3, RESULT)
    assert results.read(3, RESULT.sha256) == RESULT.content


def test_a_copy_that_takes_no_more_links_is_followed_by_a_fresh_one(
    results: ResultsDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    results.publish(1, RESULT)
    link, used_up = os.link, [results.path_of(1).stat().st_ino]

    def link_with_limit(source: str, target: str) -> None:
        if Path(source).stat().st_ino in used_up:
            raise OSError(errno.EMLINK, os.strerror(errno.EMLINK))
        link(source, target)

    monkeypatch.setattr(os, "link", link_with_limit)
    results.publish(2, RESULT)
    results.publish(3, RESULT)
    inodes = [results.path_of(number).stat().st_ino for number in (1, 2, 3)]
    assert inodes[0] != inodes[1] == inodes[2]


def test_a_file_system_without_links_gets_plain_files(
    results: ResultsDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(source: str, target: str) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    results.publish(1, RESULT)
    assert results.path_of(1).read_bytes() == RESULT.content


def test_a_full_disk_is_named(results: ResultsDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageFullError, match="storage full"):
        results.publish(1, RESULT)
    assert not results.is_published(1)


def test_a_result_that_cant_be_stored_is_named(results: ResultsDirectory, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "stored")
    (tmp_path / "stored").write_text("a file, not a folder")
    with pytest.raises(StoreUnavailableError, match="job 1"):
        results.publish(1, RESULT)


def _in_the_way(place: Path, what: str) -> Path:
    if what == "file":
        place.touch()
    else:
        place.symlink_to(place.with_name("gone"))
    return place


@pytest.mark.parametrize("what", ["file", "dangling link"])
def test_a_result_file_that_cant_be_made_follows_when_it_can(tmp_path: Path, what: str) -> None:
    in_the_way = _in_the_way(tmp_path / "results", what)
    results = ResultsDirectory(tmp_path / "results", tmp_path / "stored")
    results.publish(1, RESULT)
    results.publish(2, RESULT)
    results.withdraw(2, None)
    assert results.read(1, RESULT.sha256) == RESULT.content
    assert results.publish_missing() == 1
    in_the_way.unlink()
    assert results.publish_missing() == 0
    assert results.path_of(1).read_bytes() == RESULT.content
    assert not results.is_published(2)


@pytest.mark.parametrize("what", ["file", "dangling link"])
def test_a_place_for_stored_copies_that_cant_be_used_is_refused_in_one_line(tmp_path: Path, what: str) -> None:
    _in_the_way(tmp_path / "stored", what)
    with pytest.raises(StoreUnavailableError, match="stored can't be made"):
        ResultsDirectory(tmp_path / "results", tmp_path / "stored")


def test_the_highest_number_is_read_from_the_names(results: ResultsDirectory, tmp_path: Path) -> None:
    for number in (9, 10, 2):
        results.publish(number, RESULT)
    for name in ("job_id_99", "job_id_099.json", "job_id_98.json.new", "job_id_9999999999999999.json", "notes.json"):
        (tmp_path / "results" / name).touch()
    assert highest_result_number(tmp_path / "results") == 10


def test_without_results_there_is_no_highest_number(tmp_path: Path) -> None:
    assert highest_result_number(tmp_path / "gone") == 0
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailableError, match="can't be read"):
        highest_result_number(tmp_path / "file")


@pytest.mark.parametrize("folder", ["results", "stored"])
def test_what_is_no_file_is_no_result_and_nobody_waits_for_it(
    results: ResultsDirectory, tmp_path: Path, folder: str
) -> None:
    results.publish(1, RESULT)
    for place in tmp_path.glob("*/*.json"):
        place.unlink()
    name = "job_id_1.json" if folder == "results" else f"{RESULT.sha256}.json"
    os.mkfifo(tmp_path / folder / name)  # whoever reads it waits until somebody writes
    assert results.read(1, RESULT.sha256) is None
    (tmp_path / folder / name).unlink()
    (tmp_path / folder / name).symlink_to("/dev/full")  # it gives bytes without an end
    assert results.read(1, RESULT.sha256) is None
    results.publish(1, RESULT)
    assert results.read(1, RESULT.sha256) == RESULT.content


def test_a_result_waits_for_a_descriptor_instead_of_failing_its_job(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    waited_s = []

    def wait(seconds: float) -> None:
        waited_s.append(seconds)
        if len(waited_s) == 3:  # a client has gone
            resource.setrlimit(resource.RLIMIT_NOFILE, before)

    results = ResultsDirectory(tmp_path / "results", tmp_path / "stored", wait=wait)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        results.publish(1, RESULT)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert results.read(1, RESULT.sha256) == RESULT.content
    assert len(waited_s) == 3


def test_no_result_waits_for_a_descriptor_for_ever(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    waited_s: list[float] = []
    results = ResultsDirectory(tmp_path / "results", tmp_path / "stored", wait=waited_s.append)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        with pytest.raises(StoreUnavailableError, match="Too many open files"):
            results.publish(1, RESULT)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert sum(waited_s) == pytest.approx(DESCRIPTOR_PATIENCE_S)
