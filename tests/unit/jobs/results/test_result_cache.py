"""The cache of encoded results: by task, by checksum, and never beyond its size."""

from __future__ import annotations

from meantime.jobs.job import EncodedResult, Task
from meantime.jobs.results.result_cache import ResultCache


def task(name: str) -> Task:
    return Task(name, "{}", "v1")


def result(letter: str, size: int = 10_000) -> EncodedResult:
    return EncodedResult.of(letter.encode("ascii") * size)


def test_a_kept_result_is_found_by_task_and_by_checksum() -> None:
    cache = ResultCache()
    cache.keep(task("a"), result("a"))
    assert cache.of_task(task("a")) == result("a")
    assert cache.of_sha256(result("a").sha256) == b"a" * 10_000
    assert cache.of_task(task("b")) is None
    assert cache.of_sha256(result("b").sha256) is None


def test_the_result_that_was_not_used_for_longest_goes_first() -> None:
    cache = ResultCache(limit_bytes=25_000)
    cache.keep(task("a"), result("a"))
    cache.keep(task("b"), result("b"))
    assert cache.of_task(task("a")) is not None
    cache.keep(task("c"), result("c"))
    assert cache.of_task(task("b")) is None
    assert cache.of_sha256(result("b").sha256) is None
    assert cache.of_task(task("a")) is not None
    assert cache.of_task(task("c")) is not None


def test_a_result_that_is_fetched_by_its_checksum_is_used() -> None:
    cache = ResultCache(limit_bytes=25_000)
    cache.keep(task("a"), result("a"))
    cache.keep(task("b"), result("b"))
    assert cache.of_sha256(result("a").sha256) is not None
    cache.keep(task("c"), result("c"))
    assert cache.of_task(task("a")) is not None
    assert cache.of_task(task("b")) is None


def test_a_result_larger_than_the_cache_is_kept_until_the_next_one() -> None:
    cache = ResultCache(limit_bytes=25_000)
    cache.keep(task("big"), result("b", 100_000))
    assert cache.of_task(task("big")) is not None
    cache.keep(task("a"), result("a"))
    assert cache.of_task(task("big")) is None


def test_keeping_a_task_again_replaces_its_result() -> None:
    cache = ResultCache(limit_bytes=25_000)
    for letter in "abcdef":
        cache.keep(task("same"), result(letter))
    cache.keep(task("other"), result("o"))
    assert cache.of_task(task("same")) == result("f")


def test_a_result_of_two_tasks_stays_until_both_are_gone() -> None:
    cache = ResultCache(limit_bytes=21_200)
    cache.keep(task("a"), result("x"))
    cache.keep(task("b"), result("x"))
    cache.keep(task("c"), result("c"))  # a goes, which has the result of b
    assert cache.of_task(task("a")) is None
    assert cache.of_sha256(result("x").sha256) == b"x" * 10_000
    cache.keep(task("b"), result("y"))
    assert cache.of_sha256(result("x").sha256) is None


def test_a_task_that_gets_the_result_of_another_leaves_it_to_that_one() -> None:
    cache = ResultCache()
    cache.keep(task("a"), result("x"))
    cache.keep(task("b"), result("x"))
    cache.keep(task("a"), result("y"))
    assert cache.of_sha256(result("x").sha256) == b"x" * 10_000
    assert cache.of_task(task("b")) == result("x")


def test_equal_results_are_kept_once() -> None:
    cache = ResultCache()
    for name in "abc":
        cache.keep(task(name), EncodedResult.of(bytes(100_000)))
    assert cache.use().size_bytes < 2 * 100_000
    assert cache.of_task(task("a")) is cache.of_task(task("c"))


def test_what_tasks_say_counts_too_so_that_small_results_of_many_questions_do_not_pile_up() -> None:
    cache = ResultCache(limit_bytes=1_000_000)
    tasks = [Task(f"task-{i}", "x" * 10_000, "v1") for i in range(200)]
    for each in tasks:
        cache.keep(each, result("x", 10))
    assert sum(cache.of_task(each) is not None for each in tasks) <= 100
    assert cache.of_task(tasks[-1]) is not None
    assert cache.use().size_bytes <= 1_000_000
