"""The cache of encoded results: by task, by checksum, and never beyond its size."""

from __future__ import annotations

from meantime.jobs.job import EncodedResult, Task
from meantime.jobs.results.result_cache import ResultCache


def task(name: str) -> Task:
    return Task(name, "{}", "v1")


def result(letter: str, size: int = 10) -> EncodedResult:
    return EncodedResult.of(letter.encode("ascii") * size)


def test_a_kept_result_is_found_by_task_and_by_checksum() -> None:
    cache = ResultCache()
    cache.keep(task("a"), result("a"))
    assert cache.of_task(task("a")) == result("a")
    assert cache.of_sha256(result("a").sha256) == b"a" * 10
    assert cache.of_task(task("b")) is None
    assert cache.of_sha256(result("b").sha256) is None


def test_the_result_that_was_not_used_for_longest_goes_first() -> None:
    cache = ResultCache(limit_bytes=25)
    cache.keep(task("a"), result("a"))
    cache.keep(task("b"), result("b"))
    assert cache.of_task(task("a")) is not None
    cache.keep(task("c"), result("c"))
    assert cache.of_task(task("b")) is None
    assert cache.of_sha256(result("b").sha256) is None
    assert cache.of_task(task("a")) is not None
    assert cache.of_task(task("c")) is not None


def test_a_result_larger_than_the_cache_is_kept_until_the_next_one() -> None:
    cache = ResultCache(limit_bytes=25)
    cache.keep(task("big"), result("b", 100))
    assert cache.of_task(task("big")) is not None
    cache.keep(task("a"), result("a"))
    assert cache.of_task(task("big")) is None


def test_keeping_a_task_again_replaces_its_result() -> None:
    cache = ResultCache(limit_bytes=25)
    for letter in "abcdef":
        cache.keep(task("same"), result(letter))
    cache.keep(task("other"), result("o"))
    assert cache.of_task(task("same")) == result("f")
